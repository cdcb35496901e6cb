"""A new Tauri app, made from an empty folder by the steps of docs/tauri.md.

What Tauri's own tools do is done here as they do it: ``create-tauri-app`` leaves a configuration,
``tauri build`` puts ``externalBin`` beside the app's program and ``resources`` where it has them.
"""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from scripts import nodejs
from scripts.release.bundle import target_triple
from sidecar import __version__
from tests.support.papers import blocks_of
from tests.support.typescript import CLIENTS

HERE = Path(__file__).resolve().parent
STEP_SECONDS = 120


def make_app(folder: Path, release: Path) -> str:
    """Make an app with the sidecar in it; return what the guide's commands printed.

    Args:
        folder: Where; it does not exist yet.
        release: The folder with bundle, npm package and SHA256SUMS.

    Raises:
        CalledProcessError: A step failed.
    """
    create(folder)
    for name in (release_names := {path.name for path in release.iterdir()}):
        shutil.copy(release / name, folder / name)
    (block,) = blocks_of("tauri.md", "sh npm")
    printed = ""
    for line in block.text.replace("VERSION", __version__).splitlines():
        words = shlex.split(line.replace("TARGET", target_triple()))
        assert Path(words[-1]).name in release_names
        printed += step(words, folder)
    return printed


def create(folder: Path) -> None:
    """Leave what ``create-tauri-app`` leaves, as far as it matters: no word of a sidecar."""
    (folder / "src-tauri" / "capabilities").mkdir(parents=True)
    (folder / "src").mkdir()
    config = json.loads((HERE / "src-tauri" / "tauri.conf.json").read_bytes())
    del config["bundle"]["externalBin"], config["bundle"]["resources"]
    (folder / "src-tauri" / "tauri.conf.json").write_text(json.dumps(config, indent=2), "utf-8")
    shutil.copy(HERE / "src-tauri" / "capabilities" / "app.json", folder / "src-tauri/capabilities")
    (folder / "package.json").write_text('{"private": true, "type": "module"}', "utf-8")


def step(words: list[str], folder: Path) -> str:
    """Run one line of the guide; npm asks no registry, as the package needs nothing of it.

    Raises:
        CalledProcessError: It failed.
    """
    npm = nodejs.npm()
    offline = ["--offline", "--no-audit", "--no-fund", "--legacy-peer-deps"]
    npx = [*npm, "exec", "--offline", "--"]
    command = {"npm": [*npm, *words[1:], *offline], "npx": [*npx, *words[1:]]}[words[0]]
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=STEP_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)
    return done.stdout


def build_as_tauri(src_tauri: Path, host: Path) -> None:
    """Put sidecar and resources where a Debian package of the app would have them.

    Args:
        src_tauri: The app's; what its configuration names is taken.
        host: The environment that stands for ``/usr``: programs in ``bin``, resources in ``lib``.
    """
    config: dict[str, Any] = json.loads((src_tauri / "tauri.conf.json").read_bytes())
    for name in config["bundle"]["externalBin"]:
        shutil.copy(src_tauri / f"{name}-{target_triple()}", host / "bin" / Path(name).name)
    resources = host / "lib" / config["productName"]
    shutil.rmtree(resources, ignore_errors=True)
    for name in config["bundle"]["resources"]:
        shutil.copytree(src_tauri / name, resources / name)


def build_guide(folder: Path, frontend: Path) -> None:
    """Bundle a page of the guide's own modules, with the client as npm has installed it.

    Raises:
        CalledProcessError: It cannot be bundled for browsers of 2020.
    """
    for block in _typescript():
        (folder / block[0]).write_text(block[1], "utf-8")
    shutil.copy(HERE / "page" / "guide.ts", folder / "src" / "main.ts")
    frontend.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "page" / "index.html", frontend / "index.html")
    command = [str(nodejs.find_node()), str(CLIENTS / "bundle.mjs"), "guide"]
    files = [str(folder / "src" / "main.ts"), str(frontend / "main.js")]
    subprocess.run([*command, *files], check=True, timeout=STEP_SECONDS, capture_output=True)


def _typescript() -> list[tuple[str, str]]:
    names = ("start", "ask", "mirrors", "update")
    return [
        (f"src/{name}.ts", block.text)
        for name in names
        for block in blocks_of("tauri.md", f"ts file=src/{name}.ts")
    ]
