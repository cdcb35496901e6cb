"""Makes all that the Tauri tests need: WebKit, a Tauri host, its page, the bundled sidecar.

``python -m tests.tauri.run`` calls this before the tests. A step that cannot be done here ends the
run and names the command that would help.
"""

import ctypes.util
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from scripts import nodejs
from scripts.release import bundle

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
BUILD = PROJECT / "build" / "tauri"
HOST = BUILD / "host"
HOST_PYTHON = HOST / "bin" / "python"
FRONTEND = BUILD / "dist"
SRC_TAURI = HERE / "src-tauri"
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


def install_sidecar() -> None:
    """Bundle the sidecar, try it, and install it as the app's Debian package would."""
    say("bundling the sidecar")
    frozen = bundle.freeze(bundle.DEFAULT_NAME)
    target = bundle.target_triple()
    launcher, library = bundle.lay_out(frozen, BUILD / "src-tauri", bundle.DEFAULT_NAME, target)
    say(f"start to ready {bundle.try_out(launcher, library, bundle.DEFAULT_NAME):.0f} ms")
    product = json.loads((SRC_TAURI / "tauri.conf.json").read_bytes())["productName"]
    resources = HOST / "lib" / product
    shutil.rmtree(resources, ignore_errors=True)
    shutil.copytree(library, resources / library.name)
    shutil.copy(launcher, HOST / "bin" / bundle.DEFAULT_NAME)


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
