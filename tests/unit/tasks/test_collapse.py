"""The collapse guard: a mirror that loses its rows may be the user's last copy."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace
from pycrdt import Array, Doc, Map, Text

from sidecar.model import Rebuilt
from sidecar.tasks.sync import sync
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A synced document with two notes."""
    return Desk.with_two_notes(tmp_path / "w1" / "0")


def rebuilt(desk: Desk, mirror: Path | None = None) -> Rebuilt:
    """Sync the file as it is; it must be rebuilt."""
    source = msgspec.structs.replace(desk.source, mirror=str(mirror or desk.mirror))
    outcome = sync(source, desk.options)
    assert isinstance(outcome, Rebuilt), outcome
    return outcome


def test_a_collapse_is_told_and_the_rows_are_kept(desk: Desk) -> None:
    """Unless ``last_good`` is off."""
    desk.document.write_bytes(b"\0\0")
    outcome = rebuilt(desk)
    assert outcome.collapse is not None
    assert outcome.collapse.rows_before == 2
    assert Path(outcome.collapse.kept).name == "tables.last-good.sqlite"


def test_a_mirror_of_another_format_is_kept_too(desk: Desk) -> None:
    """Its rows are kept, although its tables cannot be compared."""
    desk.tamper("PRAGMA user_version=1")
    desk.document.write_bytes(b"\0\0")
    outcome = rebuilt(desk)
    assert outcome.reason == "format"
    assert outcome.collapse is not None
    assert outcome.collapse.rows_before == 2


def test_what_is_kept_has_the_name_of_its_mirror(desk: Desk, tmp_path: Path) -> None:
    """Copies of two mirrors in one folder have different names."""
    mirror = tmp_path / "copy.db"
    rebuilt(desk, mirror)
    desk.document.write_bytes(b"\0\0")
    collapse = rebuilt(desk, mirror).collapse
    assert collapse is not None
    assert collapse.kept == str(tmp_path / "copy.last-good.sqlite")


def rows(*names: str) -> dict[str, Map[Any]]:
    """Return roots of fifteen rows each."""
    return {name: Map({f"k{n}": Map({"n": n}) for n in range(15)}) for name in names}


def as_arrays(*names: str) -> dict[str, Array[Any]]:
    """Return the same as keyed arrays."""
    entries = [{"key": f"k{n}", "val": {"n": n}, "ts": 1} for n in range(15)]
    return {f"table:{name}": Array(entries) for name in names}


MOVED = "the app may have moved its data"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (rows("x", "y"), None),
        ({"app": Map({**rows("a", "b")})}, None),
        (as_arrays("a", "b"), None),
        (rows("a", "b", "c"), None),
        ({"tables": Map({**rows("a", "b")})}, None),
        (rows("x"), f"all tables are others now: {MOVED}"),
        ({"app": Map({"all": [1, 2]})}, f"all tables are others now: {MOVED}"),
        ({"all": Text("moved")}, f"no rows are left, but all (text): {MOVED}"),
        (
            {"tables": Map({"a": Map()}), "kv": Map({"all": "moved"})},
            f"no rows are left, but kv (map): {MOVED}",
        ),
        (rows("a"), "the document was overwritten with another one"),
        ({}, "the document was overwritten with an empty one"),
        ({"tables": Map({"a": Map()})}, "the document was overwritten with an empty one"),
    ],
)
def test_another_document_in_the_place_of_one(
    tmp_path: Path, after: dict[str, Any], why: str | None
) -> None:
    """Nothing is cried where no row is lost; else it is said what it looks like."""
    desk = Desk(tmp_path / "w1" / "0")
    desk.doc = Doc()
    for name, value in rows("a", "b").items():
        desk.doc[name] = value
    desk.sync()
    desk.doc = Doc()
    for name, value in after.items():
        desk.doc[name] = value
    collapse = cast("Rebuilt", desk.sync()).collapse
    assert (collapse and collapse.why) == why
    assert (desk.mirror.with_name("tables.last-good.sqlite")).exists() == (why is not None)


def test_an_app_that_moves_its_rows_within_the_document(tmp_path: Path) -> None:
    """Renamed roots are no collapse; deleted rows are, and so are rows made into a text."""
    desk = Desk(tmp_path / "w1" / "0")
    desk.doc = Doc()
    desk.doc["a"] = rows("a")["a"]
    desk.sync()
    desk.doc["x"] = rows("x")["x"]
    desk.doc["a"].clear()
    assert cast("Rebuilt", desk.sync()).collapse is None
    desk.doc["all"] = Text("moved")
    desk.doc["x"].clear()
    collapse = cast("Rebuilt", desk.sync()).collapse
    assert collapse is not None
    assert collapse.why == f"no rows are left, but all (text): {MOVED}"
    desk.doc["a"]["k"] = Map({"n": 1})
    desk.doc["all"].clear()
    desk.sync()
    desk.doc["a"].clear()
    collapse = cast("Rebuilt", desk.sync()).collapse
    assert collapse is not None
    assert collapse.why == "all rows of the document were deleted"


def test_other_options_are_no_collapse(tmp_path: Path) -> None:
    """The same document shows no table, since that was asked for."""
    desk = Desk(tmp_path / "w1" / "0")
    desk.doc = Doc()
    desk.doc["a"] = rows("a")["a"]
    desk.sync()
    desk.options = replace(desk.options, tables=("none",))
    outcome = cast("Rebuilt", desk.sync())
    assert (outcome.rows, outcome.collapse) == (0, None)
