"""Node and its packages, for the tests of what is written in TypeScript."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import nodejs

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
NODE_SECONDS = 120

RunNode = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run_node() -> RunNode:
    """Runs Node with arguments and variables; skips where Node cannot be had."""
    try:
        nodejs.install_once(CLIENTS)
    except nodejs.NodeUnavailableError as error:
        pytest.skip(f"the TypeScript client needs Node: {error}")
    node = str(nodejs.find_node())

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node, *map(str, arguments)],
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=NODE_SECONDS,
            env=os.environ | environment,
        )

    return run
