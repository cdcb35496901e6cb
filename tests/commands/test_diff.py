"""``diff``: compares documents, moments and mirrors."""

import os
import re
import shutil
from pathlib import Path

from msgspec.structs import replace
from pycrdt import Map

from tests.support.desk import Desk
from tests.support.program import run
from tests.support.systems import needs_fifos
from tests.support.terminal import needs_terminal, run_on_terminal

FIRST, SECOND = 1768208400000, 1768294800000


def test_equal_sides_are_0(studio: Path) -> None:
    """A document and its own mirror hold the same tables."""
    done = run("diff", "--json", studio / "workspace.yjs", studio / "tables.sqlite")
    told = done.json()
    assert done.code == 0
    assert told == {
        "v": 1,
        "a": str(studio / "workspace.yjs"),
        "b": str(studio / "tables.sqlite"),
        "equal": True,
        "tables": [],
    }


def test_moments_are_sides(studio: Path) -> None:
    """Changes between two snapshots, and between the last one and now."""
    document = studio / "workspace.yjs"
    done = run("diff", "--json", f"{document}@{FIRST}", f"{document}@{SECOND}")
    told = done.json()
    assert (done.code, told["equal"]) == (1, False)
    (projects,) = told["tables"]
    assert (projects["name"], projects["change"], len(projects["added"])) == (
        "projects",
        "changed",
        5,
    )
    done = run("diff", f"{document}@{SECOND}", document)
    assert done.code == 1
    assert "invoices: 3 rows added" in done.out
    assert "  + in-0101" in done.out


def test_cells_of_two_documents(tmp_path: Path) -> None:
    """Each changed cell with both values."""
    old, new = Desk(tmp_path / "old"), Desk(tmp_path / "new")
    for desk, title in ((old, "One"), (new, "Two")):
        desk.put("notes", "n1", title=title, stars=1.0)
        desk.save()
    done = run("diff", "--json", old.document, new.document)
    (table,) = done.json()["tables"]
    assert table["changed"] == [{"id": "n1", "cells": [{"field": "title", "a": "One", "b": "Two"}]}]
    done = run("diff", old.document, new.document)
    assert '~ n1  title: "One" -> "Two"' in done.out


def test_a_document_is_read_as_its_mirror_shows_it(tmp_path: Path) -> None:
    """What `--tables` named holds for a document beside its mirror, and for a copy without one."""
    desk = Desk(tmp_path / "w")
    desk.doc["app"] = Map({"notes": Map({"n1": Map({"title": "One"})}), "theme": "dark"})
    desk.options = replace(desk.options, tables=("app.notes",))
    desk.sync()
    shutil.copy(desk.document, tmp_path / "copy.yjs")
    for other in (desk.mirror, tmp_path / "copy.yjs"):
        assert run("diff", desk.document, other).code == 0
        assert run("diff", other, desk.document).code == 0


@needs_terminal
def test_no_line_breaks_within_a_word(studio: Path) -> None:
    """What a terminal has no room for goes on below its row; JSON is shown as it is stored."""
    document = studio / "workspace.yjs"
    code, seen = run_on_terminal(
        "diff", f"{document}@{FIRST}", document, environment={"COLUMNS": "80"}
    )
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in seen.splitlines()]
    assert code == 1
    assert max(map(len, lines)) <= 80
    (at,) = (n for n, line in enumerate(lines) if line.startswith("  + no-1  "))
    assert " ".join(line.strip() for line in lines[at : at + 2]) == (
        '+ no-1  body: "Call the bakery about the paper bags.", pinned: 1, tags: ["bakery","call"],'
        ' written: "2026-01-19T09:00:00.000Z|Europe/Dublin"'
    )


def test_nothing_is_left_beside_the_documents(studio: Path) -> None:
    """Mirrors for the comparison are built in another folder."""
    before = sorted(studio.rglob("*"))
    run("diff", studio / "workspace.yjs", f"{studio / 'workspace.yjs'}@{FIRST}")
    assert sorted(studio.rglob("*")) == before


def test_path_with_an_at_sign_is_a_path(studio: Path, tmp_path: Path) -> None:
    """If a file of that name exists, the text after @ is not a moment."""
    odd = tmp_path / "old@123"
    shutil.copy(studio / "workspace.yjs", odd)
    assert run("diff", odd, studio / "workspace.yjs").code == 0


def test_sides_that_cannot_be_had(studio: Path, tmp_path: Path) -> None:
    """A side too many or too few is a usage error; one that cannot be read is a failure."""
    document = studio / "workspace.yjs"
    assert run("diff", document).code == 2
    assert run("diff", document, document, document).code == 2
    done = run("diff", f"{document}@5", document)
    assert done.code == 1
    assert "no snapshot that old" in done.err
    (tmp_path / "odd.yjs").write_bytes(b"nonsense")
    done = run("diff", tmp_path / "odd.yjs", document)
    assert (done.code, done.out) == (1, "")
    assert run("diff", tmp_path / "nowhere.yjs", document).code == 3


@needs_fifos
def test_a_pipe_is_not_waited_for(studio: Path, tmp_path: Path) -> None:
    """Opening one for reading would wait for its writer, for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    document = studio / "workspace.yjs"
    assert run("diff", pipe, document).code == 1
    assert run("sync", document, "--out", pipe).code == 2
    (studio / "tables.sqlite").unlink()
    os.mkfifo(studio / "tables.sqlite")
    for command in (["schema"], ["search"], ["status"], ["verify"]):
        words = ["paper"] if command == ["search"] else []
        assert run(*command, document, *words).code == 1
