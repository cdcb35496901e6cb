"""docs/agents.md and docs/reading.md show what really comes back."""

import contextlib
import io
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from tests.support.papers import Block, blocks_of
from tests.support.program import program, run
from tests.support.systems import needs_shell

QUESTIONS = blocks_of("agents.md", "sql")
COMMANDS = [*blocks_of("reading.md", "sh query"), *blocks_of("agents.md", "sh query")]
PROGRAMS = blocks_of("reading.md", "python")


@pytest.mark.parametrize("block", QUESTIONS, ids=lambda block: block.text.split("\n")[0][:60])
def test_agents_question_is_answered_as_shown(block: Block, studio: Path) -> None:
    """Each query of the page runs on the sample and gives the lines below it."""
    with closing(connect(f"{(studio / 'tables.sqlite').as_uri()}?mode=ro", uri=True)) as mirror:
        rows = mirror.execute(block.text).fetchall()
    lines = ["|".join("" if cell is None else str(cell) for cell in row) for row in rows]
    assert "\n".join(lines or ["(no rows)"]) + "\n" == block.next_text


def test_agents_page_has_its_questions() -> None:
    """The page was found, and its blocks were."""
    assert len(QUESTIONS) > 15


@pytest.mark.parametrize(
    "line", ["# juniper-studio/0 Juniper Studio: ", "  client TEXT not null -- Client"]
)
def test_agents_page_shows_the_schema_command(line: str, studio: Path) -> None:
    """What stands below the command is an excerpt of what it prints."""
    (shown,) = [block.next_text for block in blocks_of("agents.md", "sh")]
    assert line in shown
    printed = run("schema", studio).out
    excerpt = [line for line in shown.splitlines() if line.strip() != "..."]
    assert all(line in printed.splitlines() for line in excerpt if "/tables.sqlite" not in line)


@needs_shell
@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.text[:70].replace("\n", " "))
def test_commands_print_what_is_shown(block: Block, app: Path) -> None:
    """A person's ten questions and an agent's ten, run in the sample's folder as they stand."""
    here = Path(program()[0]).parent
    done = subprocess.run(
        ["/bin/sh", "-c", block.text],
        cwd=app,
        env={**os.environ, "PATH": f"{here}:{os.environ['PATH']}", "COLUMNS": "80"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == block.next_text, done.stderr


def test_there_are_ten_questions_each() -> None:
    """The pages were found, and their blocks were."""
    assert len(COMMANDS) == 20


@pytest.mark.parametrize("block", PROGRAMS, ids=["open_mirror", "sqlite3"])
def test_python_prints_what_is_shown(
    block: Block, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs of the page run beside a mirror as they stand."""
    monkeypatch.chdir(studio)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, "reading.md", "exec"), {"__name__": "reading"})  # noqa: S102 - our own page
    assert printed.getvalue() == block.next_text


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="there is no sqlite3 shell here")
def test_sqlite3_shell_prints_what_is_shown(studio: Path) -> None:
    """The command line of the page, run as it stands."""
    blocks = blocks_of("reading.md", "sh")
    (block,) = [block for block in blocks if block.text.startswith("sqlite3")]
    done = subprocess.run(
        ["/bin/sh", "-c", block.text], cwd=studio, capture_output=True, text=True, check=True
    )
    assert done.stdout == block.next_text
    assert "tables.sqlite-journal" not in {file.name for file in studio.iterdir()}
