"""Adds to the Python packages in ``dist`` what else a release has: ``make release``.

    epicenter-sidecar-VERSION-TARGET.tar.gz     the bundle of this system
    epicenter-sidecar-VERSION-TARGET.cdx.json   its software bill of materials
    epicenter-sidecar-VERSION.tgz               the npm package
    SHA256SUMS                                  of all that is there

The version is that of ``sidecar/__init__.py``, in all of them.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from scripts.nodejs import NodeUnavailableError
from scripts.release import bundle
from scripts.release.archive import moment_of_release, pack, write_sums
from scripts.release.manifest import need_newer_glibc
from scripts.release.npm_package import pack_npm
from scripts.release.parts import parts_list
from sidecar import __version__

DIST = bundle.PROJECT / "dist"


def main() -> int:
    """Make what was asked for and print what is there."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("bundle", "npm"), help="the other is made elsewhere")
    parser.add_argument("--codesign-identity", metavar="ID", help="macOS: sign each binary")
    parser.add_argument(
        "--glibc", metavar="2.N", type=glibc_version, help="Linux: end if it needs a newer one"
    )
    arguments = parser.parse_args()
    DIST.mkdir(exist_ok=True)
    if arguments.only != "npm":
        milliseconds = release_bundle(DIST, arguments.codesign_identity, arguments.glibc)
        print(f"bundle tried: start to ready {milliseconds:.0f} ms")
    if arguments.only != "bundle":
        try:
            pack_npm(DIST)
        except NodeUnavailableError as error:
            print(f"no npm package: {error}", file=sys.stderr)
            return 1
    print(write_sums(DIST).read_text("utf-8"), end="")
    return 0


def glibc_version(text: str) -> str:
    """Return a version of glibc as it was given.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(r"2\.\d+", text):
        raise ValueError(text)
    return text


def release_bundle(
    into: Path, codesign_identity: str | None = None, glibc: str | None = None
) -> float:
    """Freeze, try and pack the bundle of this system; return its milliseconds to ``ready``.

    Raises:
        SystemExit: It needs a newer glibc than the one that is promised.
    """
    name, target = bundle.DEFAULT_NAME, bundle.target_triple()
    moment = moment_of_release()
    frozen = bundle.freeze(name, codesign_identity)
    folder = stage(name, target)
    launcher, library = bundle.lay_out(frozen, folder, name, target)
    if glibc:
        insist_on_glibc(library, glibc)
    milliseconds = bundle.try_out(launcher, library, name)
    parts = parts_list(target, moment)
    (folder / "parts.cdx.json").write_text(parts, "utf-8", newline="\n")
    (into / f"{folder.name}.cdx.json").write_text(parts, "utf-8", newline="\n")
    pack(folder, into / f"{folder.name}.tar.gz", moment)
    return milliseconds


def insist_on_glibc(library: Path, promised: str) -> None:
    """Look through all that is in a bundle.

    Raises:
        SystemExit: Something needs a newer glibc; each such file is named.
    """
    files = sorted(path for path in library.rglob("*") if path.is_file())
    newer = need_newer_glibc(files, promised)
    if newer:
        lines = [f"  {path.relative_to(library)} needs {version}" for path, version in newer]
        told = "build it on an older system, or promise less"
        raise SystemExit("\n".join([f"no bundle for glibc {promised}: {told}", *lines]))


def stage(name: str, target: str) -> Path:
    """Return the folder of a bundle before it is packed, with what belongs to any archive."""
    folder = bundle.WORK / f"{name}-{__version__}-{target}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(bundle.PROJECT / "LICENSE", folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
