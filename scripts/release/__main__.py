"""Adds to the Python packages in ``dist`` what else a release has: ``make release``.

    epicenter-sidecar-VERSION-TARGET.tar.gz     the bundle of this system
    epicenter-sidecar-VERSION-TARGET.cdx.json   its software bill of materials
    epicenter-sidecar-VERSION.tgz               the npm package
    SHA256SUMS                                  of all that is there

The version is that of ``sidecar/__init__.py``, in all of them.
"""

import argparse
import shutil
import sys
from pathlib import Path

from scripts.nodejs import NodeUnavailableError
from scripts.release import bundle
from scripts.release.archive import moment_of_release, pack, write_sums
from scripts.release.npm_package import pack_npm
from scripts.release.parts import parts_list
from sidecar import __version__

DIST = bundle.PROJECT / "dist"


def main() -> int:
    """Make what was asked for and print what is there."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("bundle", "npm"), help="the other is made elsewhere")
    parser.add_argument("--codesign-identity", metavar="ID", help="macOS: sign each binary")
    arguments = parser.parse_args()
    DIST.mkdir(exist_ok=True)
    if arguments.only != "npm":
        milliseconds = release_bundle(DIST, arguments.codesign_identity)
        print(f"bundle tried: start to ready {milliseconds:.0f} ms")
    if arguments.only != "bundle":
        try:
            pack_npm(DIST)
        except NodeUnavailableError as error:
            print(f"no npm package: {error}", file=sys.stderr)
            return 1
    print(write_sums(DIST).read_text("utf-8"), end="")
    return 0


def release_bundle(into: Path, codesign_identity: str | None = None) -> float:
    """Freeze, try and pack the bundle of this system; return its milliseconds to ``ready``."""
    name, target = bundle.DEFAULT_NAME, bundle.target_triple()
    moment = moment_of_release()
    frozen = bundle.freeze(name, codesign_identity)
    folder = stage(name, target)
    launcher, library = bundle.lay_out(frozen, folder, name, target)
    milliseconds = bundle.try_out(launcher, library, name)
    parts = parts_list(target, moment)
    (folder / "parts.cdx.json").write_text(parts, "utf-8", newline="\n")
    (into / f"{folder.name}.cdx.json").write_text(parts, "utf-8", newline="\n")
    pack(folder, into / f"{folder.name}.tar.gz", moment)
    return milliseconds


def stage(name: str, target: str) -> Path:
    """Return the folder of a bundle before it is packed, with what belongs to any archive."""
    folder = bundle.WORK / f"{name}-{__version__}-{target}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(bundle.PROJECT / "LICENSE", folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
