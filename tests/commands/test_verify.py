"""``verify``: exit codes, JSON, and every odd document of the corpora."""

import shutil
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from tests.support.data import DOCUMENTS, ODDITIES
from tests.support.program import run, sync
from tests.support.terminal import needs_terminal, run_on_terminal

FIELDS = {
    *("workspace", "epoch", "path", "mirror", "result", "rows", "cells", "integrity", "total"),
    "differences",
}


def tamper(mirror: Path, statement: str) -> None:
    """Change a mirror without the program."""
    with closing(connect(mirror)) as connection, connection:
        connection.execute(statement)


def test_equal_mirrors_are_0(app: Path) -> None:
    """Rows and cells are counted."""
    done = run("verify", "--json", app)
    told = done.json()
    assert (done.code, told["v"]) == (0, 1)
    assert all(set(one) >= FIELDS for one in told["documents"])
    assert [(one["result"], one["rows"], one["cells"]) for one in told["documents"]] == [
        ("equal", 4, 24),
        ("equal", 15, 124),
    ]
    done = run("verify", app)
    assert done.code == 0
    assert done.out.splitlines()[-1] == "2 documents equal"


def test_difference_is_1_and_named(app: Path, studio: Path) -> None:
    """Table, row, column, the expected and the actual value."""
    tamper(studio / "tables.sqlite", "UPDATE clients SET vip = 7 WHERE id = 'cl-tea'")
    done = run("verify", "--json", app)
    assert done.code == 1
    told = done.json()["documents"][1]
    assert (told["result"], told["total"]) == ("different", 1)
    assert told["differences"] == [
        {"table": "clients", "row_id": "cl-tea", "column": "vip", "expected": 0, "actual": 7}
    ]
    done = run("verify", app)
    assert done.code == 1
    assert "clients  cl-tea  vip     0                7" in done.out
    assert "1 document different: run sync --force" in done.out


def test_missing_stale_and_unreadable_say_what_to_do(app: Path, studio: Path) -> None:
    """Each result has its next step."""
    kitchen = app / "workspaces" / "harvest-kitchen" / "0"
    (kitchen / "tables.sqlite").unlink()
    shutil.copy(kitchen / "workspace.yjs", studio / "workspace.yjs")
    done = run("verify", app)
    assert done.code == 1
    assert "1 mirror missing: run sync" in done.out
    assert "1 document stale: the documents were changed since; run sync" in done.out
    (studio / "workspace.yjs").write_bytes(b"nonsense")
    done = run("verify", studio)
    assert done.code == 1
    assert "1 document unreadable: run inspect FILE" in done.out


def test_stale_and_damaged_say_why(app: Path, studio: Path) -> None:
    """Which tables were changed; what SQLite reports, or that another program wrote to the file."""
    kitchen = app / "workspaces" / "harvest-kitchen" / "0"
    shutil.copy(kitchen / "workspace.yjs", studio / "workspace.yjs")
    with (kitchen / "tables.sqlite").open("r+b") as mirror:
        mirror.seek(4096)
        mirror.write(b"\xff" * 4096)
    done = run("verify", app)
    assert done.code == 1
    assert "Juniper Studio (juniper-studio/0) is stale: changed: " in done.out
    assert "; new: recipes, suppliers; gone: clients, invoices, notes, projects" in done.out
    assert "Harvest Kitchen (harvest-kitchen/0) is damaged: SQLite says of it: " in done.out
    told = run("verify", "--json", app).json()["documents"]
    assert all(one["why"] for one in told)


def test_a_mirror_that_was_written_to_says_so(app: Path, studio: Path) -> None:
    """Even if every cell is unchanged."""
    for statement in ("CREATE TABLE mine (x)", "DROP TABLE mine"):
        tamper(studio / "tables.sqlite", statement)
    out = run("verify", app).out
    assert (
        "Juniper Studio (juniper-studio/0) is damaged: the file is not whole, or another program"
        " has written to it" in out
    )


@pytest.mark.slow
def test_every_odd_document_is_equal_after_a_sync(tmp_path: Path) -> None:
    """``reference/`` and the mirror agree on all documents that real Yjs wrote for these tests.

    ``make test`` compares each too: in ``fidelity/test_second_road`` and ``interop/test_corpus``.
    """
    documents = [path for corpus in (DOCUMENTS, ODDITIES) for path in sorted(corpus.glob("*.yjs"))]
    for document in documents:
        folder = tmp_path / "workspaces" / f"{document.parent.parent.name}-{document.stem}" / "0"
        folder.mkdir(parents=True)
        shutil.copy(document, folder / "workspace.yjs")
    sync("--fts", tmp_path)
    done = run("verify", "--json", tmp_path)
    told = done.json()["documents"]
    assert [one for one in told if one["result"] != "equal"] == []
    assert (done.code, len(told)) == (0, len(documents))


@needs_terminal
def test_terminal_shows_a_table(app: Path) -> None:
    """In colour, and plain with NO_COLOR."""
    code, seen = run_on_terminal("verify", app)
    assert code == 0
    assert "\x1b[32mequal" in seen
    code, seen = run_on_terminal("verify", app, environment={"NO_COLOR": "1"})
    # the line of the progress is cleared without colours too, and nothing else is escaped
    assert (code, "\x1b" in seen.replace("\r\x1b[K", "")) == (0, False)
