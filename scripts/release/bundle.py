"""Freezes the program into a folder that a Tauri app ships, lays it out, and tries it.

    make bundle ARGS='--into path/to/src-tauri'

PyInstaller's onedir form: one process, and nothing unpacked at each start. What comes out, under
the folder given with ``--into``:

    binaries/NAME-<target triple>    for bundle.externalBin: a launcher, on Windows the program
    NAME-lib/                        for bundle.resources: the program and what it needs

The launcher finds the folder wherever Tauri puts resources and becomes the program, so the pid
that the app has is the program's.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.children import LineProcess
from scripts.release.manifest import write_manifest

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "scripts" / "demo" / "sample"
WORK = PROJECT / "build" / "bundle"
DEFAULT_NAME = "epicenter-sidecar"
FREEZE_SECONDS = 900
TRY_SECONDS = 60
STARTS = 5
EXE = ".exe" if sys.platform == "win32" else ""

LEFT_OUT = (
    # The extras: a page or an agent's server is no sidecar, and `pip install` brings them.
    *("datasette", "mcp", "uvicorn", "sidecar.readers.datasette", "sidecar.readers.mcp"),
    # Of the standard library: apsw has an SQLite of its own, nothing speaks TLS or runs a loop.
    *("sqlite3", "multiprocessing", "unittest", "pdb", "pydoc"),
    *("doctest", "tkinter", "xml", "curses", "readline", "lib2to3", "distutils", "ensurepip"),
    # What is beside it in a developer's environment, and asked for by nobody who ships.
    *("apsw.tests", "apsw.shell", "apsw.__main__", "hypothesis", "pydantic", "pygments", "pytest"),
    *("attr", "packaging", "rich", "setuptools", "trio", "yaml"),
    *(("psutil",) if sys.platform == "linux" else ()),
)
"""What PyInstaller would find and the program never imports; 63 MB become 27."""

LAUNCHER = """\
#!/bin/sh
# Becomes the program in the app's resource folder: beside this file in development, elsewhere in
# a macOS app, a Debian or RPM package or an AppImage. The pid stays the same.
here=$(dirname "$0")
for folder in "$here" "$here/../Resources" "$here"/../lib/*; do
  program=$folder/{name}-lib/{name}
  [ -x "$program" ] && exec "$program" "$@"
  program=$folder/{name}-lib/$(uname -m)/{name} # of a universal app
  [ -x "$program" ] && exec "$program" "$@"
done
echo "{name}: {name}-lib is not in the app's resources; see docs/tauri.md" >&2
exit 127
"""

STUDIO = "{root}/workspaces/juniper-studio/0/workspace.yjs"
COMMANDS = (
    *(("sync", "--fts", "{root}"), ("verify", "{root}"), ("inspect", STUDIO)),
    *(("history", STUDIO), ("search", "{root}", "kettle"), ("problems", STUDIO)),
    *(("query", "{root}", "SELECT 1"), ("export", "{root}", "--out", "{root}/all.sqlite")),
    *(("schema", "{root}", "--typescript"), ("completion", "bash"), ("protocol", "--json-schema")),
)
"""Each room of the program at work; all of these end with 0 on the sample."""

# Where an app has its sidecar and its resources: in development, on macOS, in a Linux package.
INSTALLED = [("app", "app"), ("MacOS", "Resources"), ("usr/bin", "usr/lib/App")]


def main() -> int:
    """Freeze, lay out, try, and print size and start-up."""
    arguments = parse(sys.argv[1:])
    frozen = freeze(arguments.name, arguments.codesign_identity)
    launcher, library = lay_out(frozen, arguments.into, arguments.name, arguments.target)
    print(f"{launcher}\n{library}  {size_of(library) / 1e6:.0f} MB")
    milliseconds = try_out(launcher, library, arguments.name)
    print(f"sync, watch and stop tried; start to ready {milliseconds:.0f} ms")
    return 0


def parse(words: list[str]) -> argparse.Namespace:
    """Return the settings of one run."""
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=PROJECT / "dist" / "tauri", metavar="FOLDER")
    parser.add_argument("--name", default=DEFAULT_NAME, help=f"default: {DEFAULT_NAME}")
    parser.add_argument("--target", default=target_triple(), metavar="TRIPLE")
    parser.add_argument("--codesign-identity", metavar="ID", help="macOS: sign each binary")
    return parser.parse_args(words)


def target_triple() -> str:
    """Return Rust's name for this machine; PyInstaller freezes for no other."""
    machine = {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}
    system = {"win32": "pc-windows-msvc", "darwin": "apple-darwin", "linux": "unknown-linux-gnu"}
    return f"{machine.get(platform.machine(), platform.machine())}-{system[sys.platform]}"


def freeze(name: str, codesign_identity: str | None = None) -> Path:
    """Build the onedir form and return its folder.

    Raises:
        SystemExit: PyInstaller failed; what it said is printed.
    """
    options = [*pyinstaller_options(codesign_identity), *contents_options(name)]
    places = ["--distpath", WORK / "dist", "--workpath", WORK / "work", "--specpath", WORK]
    words = ["PyInstaller", *options, *places, PROJECT / "sidecar" / "__main__.py"]
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        check=False,
        timeout=FREEZE_SECONDS,
        env=os.environ | {"PYTHONHASHSEED": "0"},  # or each build has another order
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode != 0:
        print(done.stdout)
        raise SystemExit(done.returncode)
    return WORK / "dist" / name


def pyinstaller_options(codesign_identity: str | None) -> list[str]:
    """Return how PyInstaller works here."""
    options = ["--onedir", "--noconfirm", "--clean", "--console", "--log-level", "WARN"]
    if sys.platform == "linux" and shutil.which("strip"):
        options.append("--strip")  # a Python built from source: 56 MB become 32
    if codesign_identity:
        options += ["--codesign-identity", codesign_identity]
    return options


def contents_options(name: str) -> list[str]:
    """Return what PyInstaller puts in, beside what it finds by itself, and where."""
    # Commands are imported by name, pycrdt's extension by path, the TypeScript client is data.
    content = ["--collect-submodules", "sidecar", "--collect-data", "sidecar"]
    # Windows starts the program itself beside the app, where resources are too, so there the
    # folder of resources is the folder of contents.
    folder = f"{name}-lib" if sys.platform == "win32" else "_internal"
    hidden = ["--hidden-import", "pycrdt", "--hidden-import", "shtab", "--paths", str(PROJECT)]
    left_out = [word for module in LEFT_OUT for word in ("--exclude-module", module)]
    return ["--name", name, *content, *hidden, *left_out, "--contents-directory", folder]


def lay_out(frozen: Path, into: Path, name: str, target: str) -> tuple[Path, Path]:
    """Put the frozen program where Tauri's bundler looks; return launcher and library."""
    launcher = into / "binaries" / f"{name}-{target}{EXE}"
    library = into / f"{name}-lib"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(library, ignore_errors=True)
    if sys.platform == "win32":
        shutil.copyfile(frozen / f"{name}.exe", launcher)
        shutil.copytree(frozen / f"{name}-lib", library)
    else:
        launcher.write_text(LAUNCHER.format(name=name))
        launcher.chmod(0o755)
        # Tauri copies what links point to; so do we, and try what it will make.
        shutil.copytree(frozen, library)
    write_manifest(into, name, target)
    return launcher, library


def try_out(launcher: Path, library: Path, name: str) -> float:
    """Run the bundle as each kind of installed app has it; return milliseconds to ``ready``."""
    places = INSTALLED if sys.platform != "win32" else INSTALLED[:1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        programs = [folder / sidecars / f"{name}{EXE}" for sidecars, _ in places]
        for program, (_, resources) in zip(programs, places, strict=True):
            program.parent.mkdir(parents=True, exist_ok=True)
            (folder / resources).mkdir(parents=True, exist_ok=True)
            shutil.copy(launcher, program)
            shutil.copytree(library, folder / resources / library.name)
            try_commands(program, folder / "data", COMMANDS[:1])
        try_commands(programs[0], folder / "data", COMMANDS)
        try_client(programs[0])
        return statistics.median(try_watch(programs[0], folder) for _ in range(STARTS))


def try_commands(program: Path, root: Path, commands: Iterable[Sequence[str]]) -> None:
    """Have the bundle mirror the sample documents and look at them: nothing is missing in it."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(SAMPLE, root)
    for words in commands:
        output_of([str(program), *(word.format(root=root) for word in words)])
    for document in root.rglob("workspaces/*/*/workspace.yjs"):
        document.with_name("tables.sqlite").stat()


def output_of(command: Sequence[str]) -> bytes:
    """Run a command to its end and return its stdout.

    Raises:
        SystemExit: It failed; what it said is printed.
    """
    done = subprocess.run(command, check=False, timeout=TRY_SECONDS, capture_output=True)
    if done.returncode != 0:
        print(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr.decode()}")
        raise SystemExit(1)
    return done.stdout


def try_client(program: Path) -> None:
    """Have the bundle print the TypeScript client, as docs/tauri.md tells people to.

    Raises:
        SystemExit: It printed something else.
    """
    run = [str(program), "protocol", "--typescript-client"]
    if output_of(run) != (PROJECT / "sidecar" / "host" / "tauri.ts").read_bytes():
        print(f"{' '.join(run)} does not print sidecar/host/tauri.ts")
        raise SystemExit(1)


def try_watch(program: Path, folder: Path) -> float:
    """Start ``watch`` on an empty root, end its stdin; return the milliseconds to ``ready``."""
    (folder / "empty" / "workspaces").mkdir(parents=True, exist_ok=True)
    environment = {"XDG_STATE_HOME": str(folder / "state")}
    started = time.perf_counter()
    with LineProcess([str(program), "watch", str(folder / "empty")], environment) as watch:
        while watch.receive(TRY_SECONDS)["type"] != "ready":
            pass
        milliseconds = (time.perf_counter() - started) * 1000
        watch.close_stdin()
        code = watch.wait(TRY_SECONDS)
    if code != 0:
        raise subprocess.CalledProcessError(code, watch.command)
    return milliseconds


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
