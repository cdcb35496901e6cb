"""The TypeScript client that ships in the package: its types, its behaviour, what is printed."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts import nodejs
from scripts.children import program
from tests.support.program import run

CLIENTS = Path(__file__).resolve().parent
CLIENT = CLIENTS.parent.parent / "sidecar" / "clients" / "tauri.ts"
TYPES_BEGIN = "// --- protocol types, printed by `epicenter-sidecar protocol --typescript` ---\n"
TYPES_END = "// --- end of the protocol types ---\n"
NODE_SECONDS = 240


@pytest.fixture(scope="module")
def node() -> str:
    """Node, with the packages of this folder installed; skips where there is none."""
    try:
        if not (CLIENTS / "node_modules" / "typescript").is_dir():
            nodejs.install(CLIENTS)
    except nodejs.NodeUnavailableError as error:
        pytest.skip(f"the TypeScript client needs Node: {error}")
    return str(nodejs.find_node())


def test_the_client_type_checks_in_the_strictest_settings(node: str) -> None:
    """The client, its tests and the Tauri test page satisfy tsc."""
    tsc = CLIENTS / "node_modules" / "typescript" / "bin" / "tsc"
    done = run_node(node, tsc, "--project", CLIENTS)
    assert done.returncode == 0, done.stdout


def test_the_client_works_with_the_real_program(node: str, tmp_path: Path) -> None:
    """Every test of ``tauri.test.ts`` passes; the stand-in for the plugin starts the program."""
    bundle = tmp_path / "tauri.test.mjs"
    made = run_node(node, CLIENTS / "bundle.mjs", "node", CLIENTS / "tauri.test.ts", bundle)
    assert made.returncode == 0, made.stderr
    done = run_node(
        node, "--test", bundle, SIDECAR_PROGRAM=json.dumps(program()), XDG_STATE_HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stdout


def test_the_types_in_the_client_are_those_of_the_code() -> None:
    """Between its two marks the client has what ``protocol --typescript`` prints."""
    _, types = CLIENT.read_text("utf-8").split(TYPES_BEGIN)
    types, _ = types.split(TYPES_END)
    assert types.strip() == run("protocol", "--typescript").out.strip()


def test_the_client_is_printed_as_it_is_tested() -> None:
    """``protocol --typescript-client`` prints the very file."""
    assert run("protocol", "--typescript-client").out == CLIENT.read_text("utf-8")


def run_node(
    node: str, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Node to its end."""
    return subprocess.run(
        [node, *map(str, arguments)],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=NODE_SECONDS,
        env=os.environ | environment,
    )
