"""``make demo`` runs to its end, with real Yjs and without, and notices wrong results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import nodejs
from scripts.children import Writer
from scripts.demo.__main__ import NEW_INVOICE, NOTES_WITH_AUTHOR
from scripts.demo.stage import SAMPLE, STUDIO, DemoError, check
from tests.support.node import NodeWriter, needs_node, run_script

DEMO_SECONDS = 120


def play(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the demo in a terminal of 80 columns without colours."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=nodejs.PROJECT,
        env={**os.environ, "COLUMNS": "80", "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=DEMO_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def played() -> "subprocess.CompletedProcess[str]":
    """The demo as it plays here."""
    return play({})


@pytest.mark.long
def test_the_demo_plays_to_its_end(played: "subprocess.CompletedProcess[str]") -> None:
    """Every step is shown, every result is right, and the exit code is 0."""
    assert_played(played)


@pytest.mark.long
def test_the_demo_plays_with_nothing_on_path() -> None:
    """Without Node, the stand-in writes the document."""
    assert_played(play({"PATH": ""}))


def assert_played(done: "subprocess.CompletedProcess[str]") -> None:
    """The demo came to its end, and fits a terminal without colours."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as it should be" in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_readme_shows_what_the_demo_prints(
    played: "subprocess.CompletedProcess[str]",
) -> None:
    """The README has the demo's own output, except for paths, times and events."""
    text = (nodejs.PROJECT / "README.md").read_text("utf-8")
    shown = text.split("<!-- demo -->\n```\n")[1].split("```\n<!-- /demo -->")[0]
    assert story(shown) == story(played.stdout)


def test_a_wrong_result_is_noticed() -> None:
    """A wrong result ends the demo and prints both values."""
    with pytest.raises(DemoError, match=r"should be 1\n  but is    2"):
        check("rows", 2, 1)


@needs_node
def test_the_sample_app_is_what_the_script_writes(tmp_path: Path) -> None:
    """``scripts/js/sample.js`` writes the committed sample app again, byte for byte."""
    run_script("sample.js", str(tmp_path))
    made = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    committed = {path.relative_to(SAMPLE) for path in SAMPLE.rglob("*") if path.is_file()}
    assert made.keys() == committed
    for relative, path in made.items():
        assert path.read_bytes() == (SAMPLE / relative).read_bytes(), relative


@needs_node
def test_the_stand_in_writes_what_yjs_writes(tmp_path: Path) -> None:
    """The same edits by pycrdt and by real Yjs give documents of equal content."""
    edits = (
        {"set": ["invoices", "in-0104", NEW_INVOICE]},
        {"set": ["clients", "cl-tea", {"city": "Brno", "vip": True}]},
        {"text": ["notes", "no-3", "body", 17, "!"]},
        {"drop": ["notes", "no-1"]},
        {"define": ["notes", NOTES_WITH_AUTHOR]},
        {"kv": ["theme", "light"]},
    )
    told = []
    for name in ("yjs", "pycrdt"):
        document = tmp_path / f"{name}.yjs"
        document.write_bytes((SAMPLE / STUDIO / "workspace.yjs").read_bytes())
        with stand_in(document) if name == "pycrdt" else NodeWriter(document) as writer:
            writer.edit(*edits)
        with NodeWriter(document) as reader:
            told.append(reader.expected())
    assert told[0] == told[1]


def story(output: str) -> list[str]:
    """Return the output without events, paths, times and client ids, which differ between runs."""
    volatile = ("   > ", "All as it should be", "   Another process (")
    return [
        line
        for line in output.splitlines()
        if not line.startswith(volatile) and "sidecar-demo-" not in line
    ]


def stand_in(document: Path) -> Writer:
    """Start the writer that needs no Node."""
    return Writer([sys.executable, "-m", "scripts.demo.pycrdt_writer"], document)
