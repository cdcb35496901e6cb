"""A small bundle, laid out like a real one, and the npm package's command to install it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import nodejs
from scripts.release.archive import pack, write_sums
from scripts.release.bundle import LAUNCHER
from scripts.release.manifest import write_manifest
from scripts.release.npm_package import pack_npm
from tests.support.once import made_once

TARGET = "x86_64-unknown-linux-gnu"
NAME = "epicenter-sidecar"
NODE_SECONDS = 60

Install = Callable[..., subprocess.CompletedProcess[str]]


def make_bundle(folder: Path, content: str = "one", target: str = TARGET) -> Path:
    """Lay a bundle out whose program is a script that says its words; return its folder."""
    place = folder / f"{NAME}-0.1.0-{target}"
    library = place / f"{NAME}-lib"
    (library / "_internal").mkdir(parents=True)
    (place / "binaries").mkdir()
    launcher = place / "binaries" / f"{NAME}-{target}"
    launcher.write_text(LAUNCHER.format(name=NAME), "utf-8")
    program = library / NAME
    program.write_text(f'#!/bin/sh\necho {content} "$@"\n', "utf-8")
    for file in (launcher, program):
        file.chmod(0o755)
    (library / "_internal" / f"{content}.so").write_bytes(b"GLIBC_2.17\0GLIBC_2.28\0")
    write_manifest(place, NAME, target)
    return place


def make_archive(folder: Path, content: str = "one", target: str = TARGET) -> Path:
    """Pack such a bundle, with SHA256SUMS beside it, into a folder of its own."""
    place = folder / content
    bundle = make_bundle(place / "laid out", content, target)
    archive = place / f"{bundle.name}.tar.gz"
    pack(bundle, archive, 1_700_000_000)
    write_sums(place)
    return archive


@pytest.fixture(scope="session")
def npm_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm package's archive; skips where Node cannot be had."""

    def make(folder: Path) -> Path | str:
        try:
            return pack_npm(folder)
        except nodejs.NodeUnavailableError as error:
            return f"no Node: {error}"

    _, made = made_once(tmp_path_factory, "npm", make)
    if made.startswith("no Node: "):
        pytest.skip(f"the npm package needs Node: {made}")
    return Path(made)


@pytest.fixture(scope="session")
def npm_command(npm_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the package as npm installs it from its archive, with nothing else."""

    def make(folder: Path) -> str:
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        words = ["install", "--no-audit", "--no-fund", "--offline", "--legacy-peer-deps"]
        done = subprocess.run(
            [*nodejs.npm(), *words, str(npm_package)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=NODE_SECONDS,
            check=False,
        )
        return done.stderr if done.returncode else ""

    folder, refusal = made_once(tmp_path_factory, "installed", make)
    assert refusal == ""
    return folder / "node_modules" / "epicenter-sidecar" / "dist" / "cli.js"


@pytest.fixture
def install(npm_command: Path, tmp_path: Path) -> Install:
    """Runs ``install`` in an app's folder, ``tmp_path / "app"``."""

    def run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(nodejs.find_node()), str(npm_command), *map(str, words)],
            cwd=cwd or tmp_path / "app",
            capture_output=True,
            encoding="utf-8",
            timeout=NODE_SECONDS,
            check=False,
        )

    return run
