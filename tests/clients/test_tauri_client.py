"""The TypeScript client that ships in the package: its behaviour, and what is printed."""

import json
from pathlib import Path

import pytest

from scripts.children import program
from tests.support.program import run
from tests.support.typescript import CLIENTS, RunNode

CLIENT = CLIENTS.parent.parent / "sidecar" / "host" / "tauri.ts"
TYPES_BEGIN = "// --- protocol types, printed by `epicenter-sidecar protocol --typescript` ---\n"
TYPES_END = "// --- end of the protocol types ---\n"


@pytest.mark.long
def test_the_client_works_with_the_real_program(run_node: RunNode, tmp_path: Path) -> None:
    """Every test of ``tauri.test.ts`` passes; the stand-in for the plugin starts the program."""
    bundle = tmp_path / "tauri.test.mjs"
    made = run_node(CLIENTS / "bundle.mjs", "node", CLIENTS / "tauri.test.ts", bundle)
    assert made.returncode == 0, made.stderr
    environment = {"SIDECAR_PROGRAM": json.dumps(program()), "XDG_STATE_HOME": str(tmp_path)}
    done = run_node("--test", bundle, **environment)
    assert done.returncode == 0, done.stdout


def test_the_types_in_the_client_are_those_of_the_code() -> None:
    """Between its two marks the client has what ``protocol --typescript`` prints."""
    _, types = CLIENT.read_text("utf-8").split(TYPES_BEGIN)
    types, _ = types.split(TYPES_END)
    assert types.strip() == run("protocol", "--typescript").out.strip()


def test_the_client_is_printed_as_it_is_tested() -> None:
    """``protocol --typescript-client`` prints the very file."""
    assert run("protocol", "--typescript-client").out == CLIENT.read_text("utf-8")
