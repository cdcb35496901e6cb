"""Documents by real Yjs: what tests need of Node, and how they say that there is none."""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import nodejs
from scripts.children import NodeWriter

__all__ = [
    "NodeWriter",
    "expected_of",
    "make_documents",
    "needs_node",
    "run_script",
    "write_with_yjs",
]

SCRIPT_SECONDS = 240


needs_node = pytest.mark.skipif(
    nodejs.missing() is not None, reason=f"{nodejs.missing()}; the corpus stands in"
)
"""Marks what writes documents with real Yjs; without Node it is skipped, and says so."""


def make_documents(folder: Path, what: str, *arguments: str) -> list[Path]:
    """Have ``scripts/js/make.js`` write documents into ``folder``; return their paths, sorted."""
    run_script("make.js", what, *arguments, str(folder))
    return sorted(folder.glob("*.yjs"))


def expected_of(document: Path) -> dict[str, Any]:
    """Return what JavaScript says the mirror of ``document`` holds."""
    told: dict[str, Any] = json.loads(document.with_suffix(".json").read_text("utf-8"))
    return told


def run_script(name: str, *arguments: str, stdin: object = None) -> Any:
    """Run a script of ``scripts/js`` with JSON in; return the JSON it prints, None for nothing."""
    done = subprocess.run(
        [_node(), str(nodejs.JS / name), *arguments],
        input=json.dumps(stdin),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def write_with_yjs(code: str, document: Path) -> None:
    """Run JavaScript that edits ``doc``, a new ``Y.Doc``, and save that as a document."""
    script = (
        "import fs from 'node:fs'\nimport * as Y from 'yjs'\nconst doc = new Y.Doc()\n"
        f"{code}\nfs.writeFileSync({json.dumps(str(document))}, Y.encodeStateAsUpdate(doc))\n"
    )
    command = [_node(), "--input-type=module", "--eval", script]
    subprocess.run(command, cwd=nodejs.JS, check=True, timeout=SCRIPT_SECONDS)


@functools.cache
def _node() -> str:
    node = nodejs.find_node()
    assert node is not None, nodejs.missing()
    return str(node)
