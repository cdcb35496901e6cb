"""Makes all that the Tauri tests need: WebKit, a Tauri host, its page, the bundled sidecar.

``python -m tests.tauri.run`` calls this before the tests. A step that cannot be done here ends the
run and names the command that would help.
"""

import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from scripts import nodejs
from scripts.release.__main__ import release_bundle
from scripts.release.archive import write_sums
from scripts.release.npm_package import pack_npm
from tests.tauri.new_app import build_as_tauri, build_guide, make_app

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
BUILD = PROJECT / "build" / "tauri"
HOST = BUILD / "host"
HOST_PYTHON = HOST / "bin" / "python"
FRONTEND = BUILD / "dist"
RELEASE = BUILD / "release"
APP = BUILD / "app"
SRC_TAURI = APP / "src-tauri"
GUIDE = BUILD / "guide"
CLIENTS = PROJECT / "tests" / "clients"
PACKAGES = ["libwebkit2gtk-4.1-0", "xvfb", "xauth"]
STEP_SECONDS = 600


class CannotPrepareError(Exception):
    """Something that the Tauri tests need cannot be had here; the text says what to do."""


def prepare() -> None:
    """Do every step that is not done yet.

    Raises:
        CannotPrepareError: a step cannot be done on this machine.
    """
    install_system_packages()
    make_host()
    build_page()
    make_release()
    install_sidecar()


def install_system_packages() -> None:
    """Install WebKit and a virtual screen with apt-get where they are missing."""
    if ctypes.util.find_library("webkit2gtk-4.1") and shutil.which("xvfb-run"):
        return
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
    if sys.platform != "linux" or shutil.which("apt-get") is None or os.geteuid() != 0:
        reason = f"WebKitGTK and Xvfb are missing. As root on Debian: {' '.join(install)}"
        raise CannotPrepareError(reason)
    step("finding WebKitGTK and Xvfb", ["apt-get", "update", "--quiet"])
    step("installing WebKitGTK and Xvfb", install, DEBIAN_FRONTEND="noninteractive")


def make_host() -> None:
    """Make the Tauri host's environment, of copies: sidecars lie beside the real interpreter."""
    requirements = HERE / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    installed = HOST / "installed"
    if installed.is_file() and installed.read_text() == wanted:
        return
    venv.create(HOST, clear=True, symlinks=False, with_pip=True)
    pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    wheels = ["--only-binary", ":all:", "--require-hashes", "--requirement"]
    step("installing the Tauri host", [HOST_PYTHON, *pip, *wheels, requirements])
    installed.write_text(wanted)


def build_page() -> None:
    """Bundle the page, with the TypeScript client as it is shipped."""
    try:
        nodejs.install(CLIENTS)
    except nodejs.NodeUnavailableError as error:
        reason = f"the page needs Node and npm: {error}"
        raise CannotPrepareError(reason) from error
    FRONTEND.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "page" / "index.html", FRONTEND / "index.html")
    words = [nodejs.find_node() or "node", CLIENTS / "bundle.mjs", "page"]
    step("building the page", [*words, HERE / "page" / "main.ts", FRONTEND / "main.js"])


def make_release() -> None:
    """Make what a release has for this system: the bundle, tried, and the npm package."""
    say("bundling the sidecar")
    RELEASE.mkdir(parents=True, exist_ok=True)
    for file in RELEASE.iterdir():
        file.unlink()
    say(f"start to ready {release_bundle(RELEASE):.0f} ms")
    pack_npm(RELEASE)
    write_sums(RELEASE)


def install_sidecar() -> None:
    """Make an app by the guide's steps, and install it as its Debian package would.

    Raises:
        CannotPrepareError: A step of the guide fails.
    """
    say("making an app by the steps of docs/tauri.md")
    shutil.rmtree(APP, ignore_errors=True)
    try:
        make_app(APP, RELEASE)
        build_guide(APP, GUIDE)
    except subprocess.CalledProcessError as error:
        reason = f"{error}\n{error.stdout}\n{error.stderr}"
        raise CannotPrepareError(reason) from error
    shutil.copytree(
        HERE / "src-tauri" / "capabilities", SRC_TAURI / "capabilities", dirs_exist_ok=True
    )
    build_as_tauri(SRC_TAURI, HOST)


def say(what: str) -> None:
    """Tell the person who waits what is going on."""
    sys.stderr.write(f"tauri: {what}\n")


def step(what: str, command: Sequence[str | Path], **environment: str) -> None:
    """Run one command; say what it is for.

    Raises:
        CannotPrepareError: it failed or took too long.
    """
    say(what)
    words = [str(word) for word in command]
    try:
        subprocess.run(
            words,
            check=True,
            timeout=STEP_SECONDS,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
    except subprocess.CalledProcessError as error:
        reason = f"{what} failed: {' '.join(words)}\n{error.output}"
        raise CannotPrepareError(reason) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = f"{what} failed: {error}"
        raise CannotPrepareError(reason) from error
