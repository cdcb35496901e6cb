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
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.children import LineProcess

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "scripts" / "demo" / "sample"
WORK = PROJECT / "build" / "bundle"
DEFAULT_NAME = "epicenter-sidecar"
FREEZE_SECONDS = 900
TRY_SECONDS = 60
STARTS = 5
EXE = ".exe" if sys.platform == "win32" else ""

LAUNCHER = """\
#!/bin/sh
# Becomes the program in the app's resource folder: beside this file in development, elsewhere in
# a macOS app, a Debian or RPM package or an AppImage. The pid stays the same.
here=$(dirname "$0")
for folder in "$here" "$here/../Resources" "$here"/../lib/*; do
  program=$folder/{name}-lib/{name}
  [ -x "$program" ] && exec "$program" "$@"
done
echo "{name}: {name}-lib is not in the app's resources; see docs/tauri.md" >&2
exit 127
"""

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
    return ["--name", name, *content, *hidden, "--contents-directory", folder]


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
            try_sync(program, folder / "data")
        try_client(programs[0])
        return statistics.median(try_watch(programs[0], folder) for _ in range(STARTS))


def try_sync(program: Path, root: Path) -> None:
    """Have the bundle mirror the sample documents: decoder, worker and SQLite are all in it."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(SAMPLE, root)
    run = [str(program), "sync", str(root)]
    subprocess.run(run, check=True, timeout=TRY_SECONDS, stdout=subprocess.DEVNULL)
    for document in root.rglob("workspaces/*/*/workspace.yjs"):
        document.with_name("tables.sqlite").stat()


def try_client(program: Path) -> None:
    """Have the bundle print the TypeScript client, as docs/tauri.md tells people to.

    Raises:
        SystemExit: It printed something else.
    """
    run = [str(program), "protocol", "--typescript-client"]
    printed = subprocess.run(run, check=True, timeout=TRY_SECONDS, stdout=subprocess.PIPE).stdout
    if printed != (PROJECT / "sidecar" / "host" / "tauri.ts").read_bytes():
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
