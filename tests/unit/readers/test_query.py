"""One query over one mirror or many: its tables and its limits."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sidecar.errors import MirrorDamagedError, UsageError
from sidecar.readers.deadline import TooLongError
from sidecar.readers.query import Limits, NamedMirror, SqlError, asking
from tests.support.desk import FIELDS, Desk

ENDLESS = "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "


@pytest.fixture
def desks(tmp_path: Path) -> list[Desk]:
    """Two workspaces with notes, of which the second has a table more and a column less."""
    first = Desk(tmp_path / "w1")
    first.put("notes", "n1", title="One", done=True, tags=["a"], stars=2.0)
    first.put("notes", "n2", title="Two", undeclared={"x": 1.0})
    first.sync_with_index()
    fields = {name: field for name, field in FIELDS.items() if name != "stars"}
    second = Desk(tmp_path / "w2", fields)
    second.define("tasks", FIELDS)
    second.put("notes", "n1", title="Three", body="paper")
    second.put("tasks", "t1", title="Four", stars=5.0)
    second.sync_with_index()
    return [first, second]


def targets(desks: Sequence[Desk]) -> list[NamedMirror]:
    """The desks' mirrors, called after their folders."""
    return [
        NamedMirror(replace(desk.source, workspace=f"id{n}", epoch=n), f"Name {n}")
        for n, desk in enumerate(desks)
    ]


def ask(desks: Sequence[Desk], sql: str, **limits: Any) -> list[tuple[Any, ...]]:
    """Return the rows of one query."""
    with asking(targets(desks)) as session:
        return list(session.run(sql, limits=Limits(**limits)))


def test_one_mirror_is_seen_as_it_is(desks: list[Desk]) -> None:
    """Its tables, its catalog, its indexes, without additional columns."""
    with asking(targets(desks[:1])) as session:
        answer = session.run("SELECT * FROM notes ORDER BY id")
        assert answer.columns == ("id", "body", "done", "stars", "tags", "title", "_extra")
        assert list(answer)[:1] == [("n1", None, 1, 2, '["a"]', "One", None)]
        assert not answer.truncated
        assert session.sources[0].state == "in_step"
    assert ask(desks[:1], "SELECT rowid >> 20 FROM notes_fts WHERE notes_fts MATCH 'two'") == [(2,)]


def test_several_are_one_view_a_table(desks: list[Desk]) -> None:
    """With the workspace of each row, and NULL for missing columns."""
    assert ask(desks, "SELECT _workspace, _workspace_name, _epoch, id, stars FROM notes") == [
        ("id0", "Name 0", 0, "n1", 2),
        ("id0", "Name 0", 0, "n2", None),
        ("id1", "Name 1", 1, "n1", None),
    ]
    assert ask(desks, "SELECT _workspace, title FROM tasks") == [("id1", "Four")]
    assert ask(desks, "SELECT _workspace, name FROM _mirror_tables ORDER BY 1, 2") == [
        *(("id0", "notes"), ("id1", "notes"), ("id1", "tasks")),
    ]


def test_indexes_of_several_are_searched_at_once(desks: list[Desk]) -> None:
    """An index has its row's id in such a view."""
    sql = (
        "SELECT _workspace, id, snippet(notes_fts, -1, '[', ']', '', 9), rank FROM notes_fts"
        " WHERE notes_fts MATCH 'two OR paper' ORDER BY rank"
    )
    found = ask(desks, sql)
    assert sorted(row[:3] for row in found) == [("id0", "n2", "[Two]"), ("id1", "n1", "[paper]")]
    assert [row[3] for row in found] == sorted(row[3] for row in found)
    sql = (
        "SELECT title FROM notes WHERE (_workspace, id) IN"
        " (SELECT _workspace, id FROM notes_fts WHERE notes_fts MATCH 'paper')"
    )
    assert ask(desks, sql) == [("Three",)]


def test_parameters_are_bound(desks: list[Desk]) -> None:
    """In the order of their question marks."""
    with asking(targets(desks)) as session:
        found = session.run("SELECT id FROM notes WHERE title = ? AND _epoch = ?", ("Two", 0))
        assert list(found) == [("n2",)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT titel FROM notes", "did you mean title"),
        ("SELECT n.titel FROM notes AS n", "did you mean title"),
        ('SELECT "due date" FROM notes', "single quotes"),
        ("SELECT xyz FROM tasks", "the columns of tasks are _workspace"),
        ("SELECT * FROM task", "did you mean tasks"),
        ("SELECT * FROM zebra", "the tables are _mirror, "),
        ("SELECT nowhere()", "no such function: nowhere"),
        ("SELECT id FROM notes_fts WHERE notes_fts MATCH 'a' ORDER BY rank", "rank among"),
        ("SELECT", "incomplete input"),
        ("SELECT ?", "binding"),
        ("DELETE FROM notes", "cannot modify notes"),
        ("DROP VIEW notes", "nothing but reading"),
        ("ATTACH 'x' AS y", "nothing but reading"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("-- nothing", "no SQL"),
        (";", "no SQL"),
        ("SELECT CAST(x'ff' AS TEXT)", "no UTF-8"),
        ("SELECT '\udcff'", "no text in UTF-8"),
        ("SELECT zeroblob(900000000)", "more memory"),
        ("SELECT json('[')", "malformed JSON"),
    ],
)
def test_errors_say_what_there_is_instead(sql: str, message: str, desks: list[Desk]) -> None:
    """Tables, columns, and similar names."""
    with pytest.raises(SqlError, match=message):
        ask(desks, sql)


@pytest.mark.parametrize("tail", [";", "; -- that is all", " /* done */ ;\n", ""])
def test_what_follows_one_statement_may_be_a_remark(tail: str, desks: list[Desk]) -> None:
    """It is still one statement."""
    assert ask(desks, "SELECT 1" + tail) == [(1,)]


@pytest.mark.parametrize(
    ("limits", "sql", "count"),
    [
        ({"rows": 10}, ENDLESS + "SELECT x FROM r", 10),
        ({"rows": 3}, "VALUES (1), (2), (3)", 3),
        ({"bytes": 1000}, ENDLESS + "SELECT 'ten letters' FROM r", 90),
        ({"bytes": 1000}, ENDLESS + "SELECT x FROM r", 125),
    ],
)
def test_answers_end_where_they_may(
    limits: dict[str, Any], sql: str, count: int, desks: list[Desk]
) -> None:
    """By rows and by bytes, and report that there was more."""
    with asking(targets(desks)) as session:
        answer = session.run(sql, limits=Limits(**limits))
        assert len(list(answer)) == count
        assert answer.truncated == ("VALUES" not in sql)


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS + "SELECT count(*) FROM r",
        ENDLESS + "SELECT x FROM r WHERE x < 0",
        ENDLESS + "SELECT max(x) FROM (SELECT x FROM r ORDER BY x DESC)",
        "SELECT count(*) FROM " + ", ".join(f"notes AS n{n}, _mirror AS m{n}" for n in range(9)),
    ],
)
def test_what_has_no_end_is_ended(sql: str, desks: list[Desk]) -> None:
    """Recursion and cross joins, before the first row and after it."""
    begun = time.monotonic()
    with pytest.raises((TooLongError, SqlError)):
        ask(desks, sql, seconds=0.3)
    assert time.monotonic() - begun < 20


def test_the_readers_own_time_does_not_count(desks: list[Desk]) -> None:
    """The time between two fetches does not count."""
    with asking(targets(desks)) as session:
        for _ in session.run("VALUES (1), (2), (3)", limits=Limits(seconds=0.2)):
            time.sleep(0.15)


def test_missing_and_damaged_mirrors_are_named(desks: list[Desk], tmp_path: Path) -> None:
    """The others are queried."""
    third = Desk(tmp_path / "w3")
    third.save()
    desks[1].mirror.write_bytes(b"nonsense")
    with asking(targets([*desks, third])) as session:
        assert [one.state for one in session.sources] == ["in_step", "missing", "missing"]
        assert len(session.faults) == 2
        assert list(session.run("SELECT DISTINCT _workspace FROM notes")) == [("id0",)]
    with pytest.raises(MirrorDamagedError, match="run sync"), asking(targets([third])):
        pass
    with pytest.raises(MirrorDamagedError), asking(targets([third, desks[1]])):
        pass


def test_a_document_that_moved_on_is_changed(desks: list[Desk]) -> None:
    """By its bytes only; also if it was removed, or is not a file any more."""
    desks[0].put("notes", "n1", title="New")
    desks[0].save()
    desks[1].document.unlink()
    os.mkfifo(desks[1].document)
    with asking(targets(desks)) as session:
        assert [one.state for one in session.sources] == ["changed", "changed"]


def test_one_state_is_read_to_the_end(desks: list[Desk]) -> None:
    """A mirror that is replaced or emptied meanwhile is only seen by the next session."""
    with asking(targets(desks)) as session:
        answer = iter(session.run("SELECT title FROM notes ORDER BY title"))
        assert next(answer) == ("One",)
        desks[0].drop("notes", "n2")
        desks[0].sync()
        assert list(answer) == [("Three",), ("Two",)]
    assert ask(desks, "SELECT count(*) FROM notes") == [(2,)]


def test_a_hundred_mirrors_are_asked_and_no_more(tmp_path: Path) -> None:
    """More are a usage error that says how to ask for fewer."""
    desk = Desk.with_two_notes(tmp_path / "w")
    one = targets([desk])[0]
    with asking([one] * 100) as session:
        assert list(session.run("SELECT count(*) FROM notes")) == [(200,)]
    with pytest.raises(UsageError, match="at most 100"), asking([one] * 101):
        pass


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    """Of tables, columns and workspaces."""
    desk = Desk(tmp_path / "w1")
    odd = "x\"; ATTACH 'y' AS z; --"
    fields = {"id": {"type": "id"}, odd: {"type": "text"}, "_workspace": {"type": "text"}}
    desk.define(odd, fields)
    desk.put(odd, "r", **{odd: "cell", "_workspace": "theirs"})
    desk.sync_with_index()
    source = replace(desk.source, workspace="'; DROP TABLE x; --")
    both = [NamedMirror(source, "na'me"), NamedMirror(source, None)]
    quoted = odd.replace('"', '""')
    with asking(both) as session:
        sql = f'SELECT _workspace, _workspace_2, "{quoted}" FROM "{quoted}" LIMIT 1'
        assert list(session.run(sql)) == [("'; DROP TABLE x; --", "theirs", "cell")]
