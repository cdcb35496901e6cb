"""Differences between two mirrors, row by row and cell by cell."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import MirrorDamagedError
from sidecar.mirror.diff import differences
from sidecar.reports import CellDifference, RowDifference, TableDifference
from tests.support.desk import FIELDS, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of three notes; a copy of it is kept as it was."""
    desk = Desk(tmp_path / "w1")
    for number in range(3):
        desk.put("notes", f"n{number}", title=f"Note {number}", stars=float(number))
    desk.sync()
    shutil.copy(desk.mirror, tmp_path / "old.sqlite")
    return desk


def changes(desk: Desk) -> list[TableDifference]:
    """Bring the mirror in step, and compare the copy with it."""
    desk.sync()
    return differences(str(desk.mirror.parent.parent / "old.sqlite"), str(desk.mirror))


def changed(name: str, **what: Any) -> TableDifference:
    """Make an expected difference of a table that both sides have."""
    empty = {"definition_changed": False, "added": (), "removed": (), "changed": ()}
    return TableDifference(name=name, change="changed", **{**empty, **what})


def test_equal_mirrors_have_no_difference(desk: Desk) -> None:
    """Equal rows, whatever other content the document has."""
    assert changes(desk) == []


def test_rows_added_removed_and_changed(desk: Desk) -> None:
    """Each row with its id, each changed cell with both of its values."""
    desk.drop("notes", "n0")
    desk.put("notes", "n1", title="Changed", stars=None)
    desk.put("notes", "n9", title="New")
    cells = (CellDifference("stars", 1, None), CellDifference("title", "Note 1", "Changed"))
    assert changes(desk) == [
        changed("notes", added=("n9",), removed=("n0",), changed=(RowDifference("n1", cells),))
    ]


def test_tables_added_and_removed(desk: Desk) -> None:
    """With all of their rows."""
    desk.define("tasks", FIELDS)
    desk.put("tasks", "t1", title="New")
    (found,) = changes(desk)
    assert found == TableDifference("tasks", "added", False, ("t1",), (), ())
    back = differences(str(desk.mirror), str(desk.mirror.parent.parent / "old.sqlite"))
    assert back == [TableDifference("tasks", "removed", False, (), ("t1",), ())]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "text", "name": "Other label"},
        {"type": "text", "name": "Title", "nullable": True},
        {"type": "text", "name": "Title", "options": ["x"]},
        {"type": "text", "name": "Title", "default": "nothing in the mirror shows this"},
    ],
)
def test_changed_definition_without_changed_rows(field: dict[str, Any], desk: Desk) -> None:
    """A label, an option, a default: the definition changed, and no cell did."""
    desk.define("notes", {**FIELDS, "title": field})
    assert changes(desk) == [changed("notes", definition_changed=True)]


def test_new_field_shows_in_definition_and_cells(desk: Desk) -> None:
    """A column that only one side has counts as null on the other."""
    desk.define("notes", {**FIELDS, "due": {"type": "date", "nullable": True}})
    desk.put("notes", "n1", due="2026-01-01")
    cells = (CellDifference("due", None, "2026-01-01"),)
    assert changes(desk) == [
        changed("notes", definition_changed=True, changed=(RowDifference("n1", cells),))
    ]


def test_row_without_a_required_value_changes_no_definition(desk: Desk) -> None:
    """The column becomes nullable in the mirror, not in what the app declared."""
    desk.put("notes", "n9", stars=1.0)
    assert changes(desk) == [changed("notes", added=("n9",))]


def test_cells_that_json_cannot_hold(desk: Desk) -> None:
    """Bytes, wide integers and infinities keep their value and their kind."""
    desk.put("notes", "n1", stars=2**60)
    desk.put("notes", "n2", stars=float("inf"))
    (found,) = changes(desk)
    assert [row.cells for row in found.changed] == [
        (CellDifference("stars", 1, {"$int": str(2**60)}),),
        (CellDifference("stars", 2, {"$real": "Infinity"}),),
    ]


def test_mirror_that_someone_wrote_to_is_compared_all_the_same(desk: Desk) -> None:
    """Its digests are not used: the rows are compared."""
    desk.tamper("UPDATE notes SET title = 'false' WHERE id = 'n1'")
    old = str(desk.mirror.parent.parent / "old.sqlite")
    (found,) = differences(old, str(desk.mirror))
    assert found.changed == (RowDifference("n1", (CellDifference("title", "Note 1", "false"),)),)


def test_what_is_no_mirror_is_refused(desk: Desk, tmp_path: Path) -> None:
    """With the path and what to do."""
    (tmp_path / "other").write_bytes(b"hello")
    with pytest.raises(MirrorDamagedError, match="run sync"):
        differences(str(desk.mirror), str(tmp_path / "other"))
