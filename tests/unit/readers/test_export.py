"""All mirrors in one file."""

import os
import stat
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from msgspec.structs import replace

from sidecar.errors import MirrorDamagedError, MirrorUnavailableError, UsageError
from sidecar.readers.export import Exported, check_place, export
from sidecar.readers.query import NamedMirror
from tests.support.desk import FIELDS, Desk


@pytest.fixture
def desks(tmp_path: Path) -> list[Desk]:
    """Two indexed workspaces."""
    first, second = Desk(tmp_path / "w1"), Desk(tmp_path / "w2")
    first.put("notes", "n1", title="One", tags=["a"], stars="seven")
    second.define("tasks", FIELDS)
    second.put("notes", "n1", title="Paper", done=True)
    second.put("tasks", "t1", title="Four")
    for desk in (first, second):
        desk.sync_with_index()
    return [first, second]


def write(desks: list[Desk], out: Path) -> Exported:
    """Export the desks' mirrors."""
    targets = [NamedMirror(desk.source, f"Name {n}") for n, desk in enumerate(desks)]
    return export(targets, check_place(str(out)))


def rows(out: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query an export."""
    with closing(connect(f"{out.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def test_tables_indexes_and_catalogs(desks: list[Desk], tmp_path: Path) -> None:
    """The same as in a query over several mirrors, also for one."""
    out = tmp_path / "all.sqlite"
    made = write(desks, out)
    assert made.tables == {"notes": 2, "tasks": 1}
    assert rows(out, "SELECT _workspace, _workspace_name, id, title, stars, done FROM notes") == [
        ("w1", "Name 0", "n1", "One", "seven", None),
        ("w2", "Name 1", "n1", "Paper", None, 1),
    ]
    found = "SELECT _workspace FROM notes JOIN notes_fts AS f ON f.rowid = notes.rowid"
    assert rows(out, f"{found} WHERE notes_fts MATCH 'paper'") == [("w2",)]
    assert rows(out, "SELECT _workspace, kind FROM _mirror_problems") == [("w1", "kind")]
    assert rows(out, "SELECT workspace, state FROM _mirror_sources") == [
        *(("w1", "in_step"), ("w2", "in_step")),
    ]
    plan = rows(out, "EXPLAIN QUERY PLAN SELECT * FROM notes WHERE id = 'n1'")
    assert "USING INDEX" in plan[0][-1]
    assert rows(out, "PRAGMA integrity_check") == [("ok",)]
    write(desks[:1], out)
    assert rows(out, "SELECT _workspace, id FROM notes") == [("w1", "n1")]


def test_two_workspaces_of_one_name(desks: list[Desk], tmp_path: Path) -> None:
    """The export has the rows of both."""
    twins = [replace(desk.source, workspace="same") for desk in desks]
    out = tmp_path / "all.sqlite"
    export([NamedMirror(source) for source in twins], str(out))
    assert rows(out, "SELECT _workspace, id FROM notes") == [("same", "n1"), ("same", "n1")]


def test_only_an_export_is_replaced(desks: list[Desk], tmp_path: Path) -> None:
    """Neither mirrors nor other files, folders and links to them."""
    (tmp_path / "text").write_text("mine")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "link").symlink_to(desks[0].mirror)
    for place in (desks[0].mirror, *(tmp_path / name for name in ("text", "empty", "link", "w1"))):
        with pytest.raises(UsageError, match="left alone"):
            check_place(str(place))
    with pytest.raises(UsageError, match="no folder"):
        check_place(str(tmp_path / "nowhere" / "all.sqlite"))
    out = tmp_path / "all.sqlite"
    write(desks, out)
    before = out.stat().st_ino
    write(desks, out)
    assert out.stat().st_ino != before


def test_what_cannot_be_read_is_named(desks: list[Desk], tmp_path: Path) -> None:
    """The others are exported; without any, no file is written."""
    out = tmp_path / "all.sqlite"
    desks[0].mirror.unlink()
    made = write(desks, out)
    assert len(made.faults) == 1
    assert [one.state for one in made.sources] == ["missing", "in_step"]
    desks[1].mirror.write_bytes(b"nonsense")
    before = out.read_bytes()
    with pytest.raises(MirrorDamagedError):
        write(desks, out)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.sqlite", "state", "w1", "w2"]


def test_no_export_is_open_to_more_people_than_its_mirrors(
    desks: list[Desk], tmp_path: Path
) -> None:
    """It gets the strictest permissions of them."""
    desks[0].mirror.chmod(0o600)
    write(desks, tmp_path / "all.sqlite")
    assert stat.S_IMODE((tmp_path / "all.sqlite").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(desks: list[Desk], tmp_path: Path) -> None:
    """The error says so."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(MirrorUnavailableError):
        write(desks, closed / "all.sqlite")
    assert list(closed.iterdir()) == []


def test_odd_names(tmp_path: Path) -> None:
    """Tables called like an index of ours, columns called like FTS5's own."""
    desk = Desk(tmp_path / "w1")
    desk.define("notes_id", {"id": {"type": "id"}, "rank": {"type": "text"}})
    desk.define('q"t', {"id": {"type": "id"}, "rowid": {"type": "text"}, "x": {"type": "text"}})
    desk.put("notes_id", "a", rank="r")
    desk.put('q"t', "a", rowid="r", x="zebra")
    desk.sync_with_index()
    out = tmp_path / "all.sqlite"
    write([desk], out)
    assert rows(out, "SELECT rank FROM notes_id") == [("r",)]
    found = 'SELECT t.x FROM "q""t" AS t JOIN "q""t_fts" AS f ON f.rowid = t._rowid_'
    assert rows(out, f"""{found} WHERE "q""t_fts" MATCH 'zebra'""") == [("zebra",)]
