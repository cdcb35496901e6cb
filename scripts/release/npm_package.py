"""Packs the npm package: the TypeScript client with its types, and ``install``."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts import nodejs
from sidecar import __version__

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent / "npm"
CLIENT = PROJECT / "sidecar" / "host" / "tauri.ts"
STAGE = PROJECT / "build" / "npm"
STEP_SECONDS = 120


def pack_npm(into: Path) -> Path:
    """Build the package and return its archive, ``into/epicenter-sidecar-VERSION.tgz``.

    Raises:
        NodeUnavailableError: There is no Node, or its packages cannot be had.
        SystemExit: The sources do not compile; what was said is printed.
    """
    nodejs.install_once(SOURCES)
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    step([str(nodejs.find_node()), str(SOURCES / "build.mjs"), str(CLIENT), str(STAGE / "dist")])
    (STAGE / "package.json").write_text(json.dumps(package(), indent=2) + "\n", "utf-8")
    shutil.copy(SOURCES / "README.md", STAGE)
    shutil.copy(PROJECT / "LICENSE", STAGE)
    into.mkdir(parents=True, exist_ok=True)
    step([*nodejs.npm(), "pack", "--silent", "--pack-destination", str(into.resolve())], STAGE)
    return into / f"epicenter-sidecar-{__version__}.tgz"


def package() -> dict[str, Any]:
    """Return ``package.json`` as it is shipped: of this version, without what only builds it."""
    content: dict[str, Any] = json.loads((SOURCES / "package.json").read_bytes())
    del content["devDependencies"]
    return content | {"version": __version__}


def step(command: list[str], cwd: Path = PROJECT) -> None:
    """Run one command.

    Raises:
        SystemExit: It failed; what it said is printed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        check=False,
        timeout=STEP_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode != 0:
        sys.stderr.write(f"{' '.join(command)}\n{done.stdout}")
        raise SystemExit(1)
