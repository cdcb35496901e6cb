"""Tables that `--tables` names stay with their columns when their rows go, on every road."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pycrdt import Array, Doc, Map

from sidecar.document.warm import Warm
from sidecar.model import Options, Outcome, Rebuilt, Source, Unchanged
from sidecar.tasks.status import status
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.mirrors import query

STATED = ("app.*", "app.notes", "blocks", "kv", "log", "table:keyed", "tables.plain")
"""Patterns that name tables of every kind."""

COLUMNS = {
    "blocks": ["id", "text", "type", "_extra"],
    "keyed": ["id", "n", "t", "_extra"],
    "kv": ["id", "value", "_extra"],
    "log": ["id", "_position", "line", "value", "_extra"],
    "notes": ["id", "done", "title", "_extra"],
    "plain": ["id", "a", "b", "_extra"],
}


class Kept:
    """A document with a table of each kind; its mirror is built by a process that keeps it warm."""

    def __init__(self, folder: Path, tables: tuple[str, ...] | None = STATED) -> None:
        """Begin with a mirror in step."""
        self.doc: Doc[Any] = Doc()
        self.mirror = folder / "tables.sqlite"
        self.document = folder / "workspace.yjs"
        self.source = Source(str(self.document), str(self.mirror), "w", 0)
        self.options = Options(str(folder / "state"), tables=tables)
        self.doc["app"] = Map({"notes": Map()})
        self.doc["tables"] = Map({"plain": Map()})
        for name in ("log", "table:keyed"):
            self.doc[name] = Array()
        for name in ("blocks", "kv"):
            self.doc[name] = Map()
        self.warm: Warm | None = Warm(check=True)
        self.fill()
        self.save()

    def fill(self) -> None:
        """Put the same rows into all tables."""
        self.doc["app"]["notes"]["n1"] = Map({"title": "One", "done": True})
        self.doc["tables"]["plain"]["p1"] = Map({"a": 1, "b": "x"})
        self.doc["log"].extend([{"line": "first"}, "second"])
        self.doc["table:keyed"].append({"key": "k", "val": {"n": 1, "t": "x"}, "ts": 1})
        self.doc["blocks"]["b1"] = Map({"type": "page", "text": "Hello"})
        self.doc["kv"]["theme"] = "dark"

    def empty(self) -> None:
        """Delete all rows."""
        for holder in (self.doc["app"]["notes"], self.doc["tables"]["plain"]):
            holder.clear()
        self.doc["log"].clear()
        self.doc["table:keyed"].clear()
        self.doc["blocks"].clear()
        self.doc["kv"].clear()

    def save(self, **how: Any) -> Outcome:
        """Save and sync; what options were given is remembered from then on."""
        self.document.write_bytes(self.doc.get_update())
        outcome = sync(self.source, self.options, rested=True, warm=self.warm, **how)
        self.options = replace(self.options, tables=None)
        return outcome

    def columns(self) -> dict[str, list[str]]:
        """Return the columns of all tables, after a look whether all is in step."""
        found = verify(self.source, self.options)
        assert (found.result, found.differences) == ("equal", ())
        assert status(self.source, self.options).state == "in_step"
        lines = query(
            self.mirror, "SELECT table_name, name FROM _mirror_columns ORDER BY 1, position"
        )
        columns: dict[str, list[str]] = {}
        for table, name in lines:
            columns.setdefault(table, []).append(name)
        for table, names in columns.items():
            seen = query(self.mirror, f"SELECT name FROM pragma_table_info('{table}') ORDER BY cid")
            assert [name for (name,) in seen] == names
        return columns

    def rows(self) -> int:
        """Return the rows of all tables."""
        return int(query(self.mirror, "SELECT sum(rows) FROM _mirror_tables")[0][0])


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A mirror in step."""
    return Kept(tmp_path)


def test_tables_and_columns_stay_without_rows_and_the_rows_come_back(kept: Kept) -> None:
    """Shapes and known layouts; the types of columns are those of the rows that are there."""
    first = query(kept.mirror, "SELECT * FROM _mirror_columns ORDER BY 1, 3")
    assert kept.columns() == COLUMNS
    kept.empty()
    assert isinstance(kept.save(), Rebuilt)
    assert (kept.rows(), kept.columns()) == (0, COLUMNS)
    assert isinstance(kept.save(), Unchanged)
    kept.fill()
    assert isinstance(kept.save(), Rebuilt)
    assert kept.columns() == COLUMNS
    assert query(kept.mirror, "SELECT * FROM _mirror_columns ORDER BY 1, 3") == first


def test_a_column_stays_when_the_last_row_that_has_it_loses_it(kept: Kept) -> None:
    """Its cells are NULL; its digest tells what is there, so nothing is rebuilt twice."""
    del kept.doc["blocks"]["b1"]["text"]
    assert isinstance(kept.save(), Rebuilt)
    assert kept.columns() == COLUMNS
    assert query(kept.mirror, "SELECT id, text, type FROM blocks") == [("b1", None, "page")]
    assert isinstance(kept.save(), Unchanged)


def forgotten(kept: Kept) -> None:
    """Another process goes on, which has nothing in memory."""
    kept.warm = None


def forced(kept: Kept) -> None:
    """Everything is built again."""
    kept.warm = None
    kept.save(force=True)


def lost(kept: Kept) -> None:
    """The mirror is gone; its options were noted in the state folder."""
    kept.warm = None
    kept.mirror.unlink()


def restated(kept: Kept) -> None:
    """A `watch` is started with the same words as before."""
    kept.options = replace(kept.options, tables=STATED)


@pytest.mark.parametrize("event", [forgotten, forced, lost, restated])
def test_they_stay_whatever_happens_meanwhile(kept: Kept, event: Callable[[Kept], None]) -> None:
    """What was said once holds until something else is said."""
    kept.empty()
    kept.save()
    event(kept)
    kept.doc["blocks"]["b2"] = Map({"new": 1})
    kept.save()
    assert kept.columns() == {**COLUMNS, "blocks": ["id", "new", "text", "type", "_extra"]}


def test_the_guess_forgets_them(kept: Kept) -> None:
    """``auto`` goes back: tables without rows are none, and columns are those of the rows."""
    kept.empty()
    kept.save()
    kept.options = replace(kept.options, tables=("auto",))
    kept.save()
    assert kept.columns() == {"app": ["id", "_extra"]}  # a map of an empty map
    kept.options = replace(kept.options, tables=("blocks",))
    kept.save()
    assert kept.columns() == {"blocks": ["id", "_extra"]}


def test_a_table_that_is_no_longer_named_is_forgotten(kept: Kept) -> None:
    """And one that still is keeps its columns."""
    kept.empty()
    kept.options = replace(kept.options, tables=("blocks",))
    kept.save()
    assert kept.columns() == {"blocks": COLUMNS["blocks"]}


def test_the_columns_of_a_keyed_table_stay_by_the_warm_road(tmp_path: Path) -> None:
    """A field that the last row lost, and rows that all go, while the document is in memory."""
    kept = Kept(tmp_path, ("table:keyed", "tables.plain"))
    for name in ("app", "log", "blocks"):
        kept.doc[name].clear()
    kept.doc["tables"]["plain"]["p2"] = Map({"a": 2})
    kept.save()
    del kept.doc["tables"]["plain"]["p1"]["b"]
    outcome = kept.save()
    assert isinstance(outcome, Rebuilt)
    assert outcome.warm
    assert kept.columns() == {"keyed": COLUMNS["keyed"], "plain": COLUMNS["plain"]}
    kept.doc["tables"]["plain"].clear()
    kept.doc["table:keyed"].clear()
    outcome = kept.save()
    assert isinstance(outcome, Rebuilt)
    assert outcome.warm
    assert kept.columns() == {"keyed": COLUMNS["keyed"], "plain": COLUMNS["plain"]}
    kept.doc["tables"]["plain"]["p3"] = Map({"c": 2})
    assert isinstance(kept.save(), Rebuilt)
    assert kept.columns()["plain"] == ["id", "a", "b", "c", "_extra"]


@pytest.mark.medium
def test_what_is_gone_makes_room_for_what_is_there(tmp_path: Path) -> None:
    """A table has at most 2000 columns, and those that rows have come first."""
    kept = Kept(tmp_path, ("blocks",))
    kept.doc["blocks"]["b1"] = {f"old{n:04}": n for n in range(1500)}
    kept.save()
    kept.doc["blocks"]["b1"] = {f"new{n:04}": n for n in range(1000)}
    kept.save()
    names = kept.columns()["blocks"]
    assert len(names) == 2000
    assert (names[1], names[1000], names[1001], names[-2]) == (
        "new0000",
        "new0999",
        "old0000",
        "old0997",
    )
    assert query(kept.mirror, "SELECT count(*) FROM _mirror_problems") == [(0,)]
    kept.doc["blocks"]["b1"] = {f"new{n:04}": n for n in range(2100)}
    kept.save()
    assert kept.columns()["blocks"][-2] == "new1997"


def test_entries_and_elements_of_one_root_keep_their_own(tmp_path: Path) -> None:
    """Such a root is two tables."""
    kept = Kept(tmp_path, ("none",))
    kept.doc.get("log", type=Map)["theme"] = "dark"
    known = {name: COLUMNS[name] for name in ("keyed", "plain")}
    both = {**known, "log": ["id", "value", "_extra"], "log_2": COLUMNS["log"]}
    kept.options = replace(kept.options, tables=("log",))
    for _ in range(2):
        kept.save()
        assert kept.columns() == both
    kept.doc.get("log", type=Array)[0] = {"other": 1}
    kept.save()
    assert kept.columns() == {
        **both,
        "log_2": ["id", "_position", "line", "other", "value", "_extra"],
    }
