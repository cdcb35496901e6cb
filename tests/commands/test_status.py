"""``status``: exit codes, JSON, lines and tables."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from tests.support.desk import Desk
from tests.support.documents import nested
from tests.support.program import run, sync
from tests.support.terminal import needs_terminal, run_on_terminal

FIELDS = [
    *("workspace", "epoch", "path", "mirror", "state", "code", "name", "icon", "current"),
    *("deleted", "tables", "rows", "problems", "whole", "warm", "bytes"),
    *("mirror_mtime_ms", "document_mtime_ms", "why"),
]


def test_all_in_step_is_0(app: Path) -> None:
    """Names and icons, numbers, and a summary line."""
    done = run("status", app)
    assert (done.code, done.err) == (0, "")
    header, kitchen, studio, summary = done.out.splitlines()
    assert header.split()[:4] == ["name", "document", "state", "rows"]
    assert kitchen.startswith("🥕 Harvest Kitchen  harvest-kitchen/0  in_step")
    assert "juniper-studio/0   in_step    15         0" in studio
    assert summary == "2 documents in step"


def test_json_has_the_documented_shape(app: Path) -> None:
    """One value with a status for each document, in the order of paths."""
    done = run("status", "--json", app)
    told = done.json()
    assert (done.code, told["v"]) == (0, 1)
    assert [list(one) for one in told["documents"]] == [FIELDS, FIELDS]
    studio = told["documents"][1]
    assert (studio["workspace"], studio["epoch"], studio["state"]) == (
        "juniper-studio",
        0,
        "in_step",
    )
    assert (studio["tables"], studio["rows"], studio["current"]) == (4, 15, True)


def test_problems_of_a_document_without_tables_are_counted(tmp_path: Path) -> None:
    """The same number as in ``sync``."""
    document = tmp_path / "workspace.yjs"
    document.write_bytes(Doc().get_update())
    assert '"problems":1' in sync(document, "--fts", "notes.body").out
    (told,) = run("status", "--json", document).json()["documents"]
    assert (told["tables"], told["problems"]) == (0, 1)


def test_one_missing_mirror_is_1_and_says_what_to_do(app: Path, studio: Path) -> None:
    """The others are still listed. A mirror that is not there has no numbers."""
    (studio / "tables.sqlite").unlink()
    done = run("status", app)
    assert done.code == 1
    line = next(line for line in done.out.splitlines() if "juniper-studio" in line)
    assert line.rstrip().endswith(" missing")
    assert "1 document in step" in done.out
    assert "1 mirror missing: run sync" in done.out


def test_what_is_behind_says_by_what(app: Path, studio: Path) -> None:
    """Which tables differ, as text and as JSON; -q omits mirrors that are in step."""
    kitchen = app / "workspaces" / "harvest-kitchen" / "0"
    shutil.copy(studio / "workspace.yjs", kitchen / "workspace.yjs")
    (studio / "tables.sqlite").write_bytes(b"SQLite format 3\0" + b"\0" * 4000)
    done = run("status", app)
    assert "Harvest Kitchen (harvest-kitchen/0) is stale: " in done.out
    assert "new: clients, invoices, notes, projects; gone: recipes, suppliers" in done.out
    assert "Juniper Studio (juniper-studio/0) is damaged: the file is no mirror of ours" in done.out
    why = [one["why"] for one in run("status", "--json", app).json()["documents"]]
    assert "new: clients" in why[0]
    sync(app)
    assert run("status", "-q", app).out == ""
    assert run("verify", "-q", app).out == ""


def test_stale_and_unreadable_documents(app: Path, studio: Path) -> None:
    """An edited document, and a file that is not a document."""
    kitchen = app / "workspaces" / "harvest-kitchen" / "0" / "workspace.yjs"
    shutil.copy(studio / "workspace.yjs", kitchen)
    (studio / "workspace.yjs").write_bytes(b"nonsense")
    done = run("status", "--json", app)
    assert done.code == 1
    states = [(one["state"], one["code"]) for one in done.json()["documents"]]
    assert states == [("stale", None), ("unreadable", "undecodable")]


@pytest.mark.skipif(os.name != "posix", reason="a crash is a signal there")
def test_document_that_kills_its_reader_costs_one_line(app: Path, studio: Path) -> None:
    """A cell nested two million levels deep ends the worker, not this process."""
    (studio / "workspace.yjs").write_bytes(nested(2_000_000))
    done = run("status", "--json", app)
    assert done.code == 1
    killer = next(one for one in done.json()["documents"] if one["code"] == "crashed")
    assert killer["bytes"] == (studio / "tables.sqlite").stat().st_size
    assert killer["document_mtime_ms"] >= killer["mirror_mtime_ms"] > 0
    kitchen, other = done.json()["documents"]
    assert kitchen["state"] == "in_step"
    assert other["state"] == "unreadable"
    assert other["code"] == "crashed"


def test_no_documents_is_1(tmp_path: Path) -> None:
    """With the path that was searched; as JSON it is an empty list."""
    done = run("status", tmp_path)
    assert done.code == 1
    assert "no documents in" in done.err
    done = run("status", "--json", tmp_path)
    assert (done.code, done.json()) == (1, {"v": 1, "documents": []})


def test_root_that_is_not_there_is_3(tmp_path: Path) -> None:
    """One line, and nothing on stdout."""
    done = run("status", tmp_path / "nowhere")
    assert (done.code, done.out) == (3, "")
    assert "does not exist" in done.err


def test_nothing_given_is_2() -> None:
    """With an example."""
    done = run("status")
    assert done.code == 2
    assert "for example" in done.err


@needs_terminal
def test_terminal_shows_a_table_in_colour(app: Path) -> None:
    """And plain lines with NO_COLOR."""
    code, seen = run_on_terminal("status", app)
    assert code == 0
    assert "\x1b[32min_step" in seen
    code, seen = run_on_terminal("status", app, environment={"NO_COLOR": "1"})
    assert code == 0
    assert "\x1b" not in seen


@needs_terminal
def test_text_from_documents_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """Escape sequences and direction marks in a workspace's name are shown as text."""
    folder = tmp_path / "workspaces" / "w1"
    desk = Desk(folder / "0")
    desk.save()
    sync(tmp_path)
    head: Doc[Any] = Doc({"meta": Map({"name": "\x1b[2J\u202eevil"})})
    (folder / "head.yjs").write_bytes(head.get_update())
    for code, seen in (run_on_terminal("status", tmp_path), run("status", tmp_path)[:2]):
        assert code == 0
        assert "\\x1b[2J\\u202eevil" in seen
        assert "\x1b[2J" not in seen
        assert "\u202e" not in seen
