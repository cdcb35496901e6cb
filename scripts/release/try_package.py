"""Installs what ``make build`` built, each archive into an empty environment, and uses it there.

The wheel and the source archive have to give the same program, with nothing but what they bring and
require: no development tools, and no checkout on the path.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

from scripts.children import LineProcess

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "scripts" / "demo" / "sample"
BIN = "Scripts" if sys.platform == "win32" else "bin"
EXE = ".exe" if sys.platform == "win32" else ""
STEP_SECONDS = 600
KINDS = (".py", ".ts", ".mjs", ".html", "py.typed")
"""Endings of all that belongs into a wheel."""
WANTED = {
    "sidecar/py.typed",
    "sidecar/host/tauri.ts",
    "sidecar/host/better-sqlite3.mjs",
    "sidecar/readers/templates/index.html",
}

LIBRARY = """\
import sys
import sidecar
with sidecar.open_mirror(sys.argv[1]) as mirror:
    print(len(list(mirror.rows("notes"))))
"""


def main() -> int:
    """Try every archive in the folder named on the command line."""
    archives = sorted(path for path in Path(sys.argv[1]).iterdir() if is_archive(path))
    for archive in archives:
        if archive.suffix == ".whl":
            check_content(archive)
        with tempfile.TemporaryDirectory() as folder:
            try_archive(archive, Path(folder))
        print(f"{archive.name}: installed in an empty environment, and used")
    return 0 if archives else 1


def is_archive(path: Path) -> bool:
    """Tell a wheel or a source archive from the bundles of a release, which are beside them."""
    return path.name.startswith("epicenter_sidecar-") and path.name.endswith((".whl", ".tar.gz"))


def check_content(wheel: Path) -> None:
    """Look for what must be in a wheel, and for what must not.

    Raises:
        SystemExit: Something is missing, or too much.
    """
    names = set(zipfile.ZipFile(wheel).namelist())
    odd = {name for name in names if not (name.startswith("sidecar/") and name.endswith(KINDS))}
    odd = {name for name in odd if ".dist-info/" not in name}
    if odd or not names >= WANTED:
        message = f"{wheel.name} lacks {sorted(WANTED - names)} and should not hold {sorted(odd)}"
        raise SystemExit(message)


def try_archive(archive: Path, folder: Path) -> None:
    """Install it into ``folder`` and let its commands follow the sample app there."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python, program = (environment / BIN / f"{n}{EXE}" for n in ("python", "epicenter-sidecar"))
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    step([python, *install, archive.resolve()], folder)
    root = folder / "app"
    shutil.copytree(SAMPLE, root)
    version = archive.name.removesuffix(".tar.gz").split("-")[1]
    expect(version, step([program, "--version"], folder))
    step([program, "sync", "--fts", root], folder)
    for command in ("status", "verify", "schema"):
        expect("juniper-studio", step([program, command, root], folder))
    expect("kettle", step([program, "search", root, "kettle"], folder).lower())
    expect("export", step([program, "protocol", "--typescript-client"], folder))
    mirror = next(root.glob("workspaces/juniper-studio/*/tables.sqlite"))
    expect("3", step([python, "-c", LIBRARY, mirror], folder))
    try_watch(program, root)


def try_watch(program: Path, root: Path) -> None:
    """Start it and stop it as a host does, by the end of its stdin."""
    with LineProcess([str(program), "watch", str(root)], {"XDG_STATE_HOME": str(root)}) as watch:
        while watch.receive()["type"] != "ready":
            pass
        watch.close_stdin()
        expect("exit 0", f"exit {watch.wait()}")


def step(command: Sequence[str | Path], folder: Path) -> str:
    """Run one command in a folder and return what it printed.

    Raises:
        SystemExit: It failed; what it said is printed.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=os.environ | {"XDG_STATE_HOME": str(folder), "PYTHONUTF8": "1"},
        timeout=STEP_SECONDS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        message = f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}"
        raise SystemExit(message)
    return done.stdout


def expect(wanted: str, printed: str) -> None:
    """Insist on what was printed.

    Raises:
        SystemExit: It is not there.
    """
    if wanted not in printed:
        message = f"{wanted!r} is not in\n{printed}"
        raise SystemExit(message)


if __name__ == "__main__":
    sys.exit(main())
