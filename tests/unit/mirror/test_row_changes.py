"""Which rows of two mirrors differ: chunks first, then cells."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.mirror.row_changes import MOST_IDS, row_changes
from sidecar.model import RowChanges, RowIds
from tests.support.examples import examples
from tests.support.made import tables, update
from tests.unit.mirror.test_build import build

Rows = dict[str, dict[str, Any]]


def compare(folder: Path, before: Rows | None, after: Rows, **definition: Any) -> RowChanges:
    """Build two mirrors and compare table ``t``."""
    old = build(folder / "old", update(tables=tables(**({} if before is None else {"t": before}))))
    roots: dict[str, Any] = {"tables": tables(t=after)}
    if definition:
        roots["definition"] = {"tables": {"t": {"fields": definition}}}
    found = row_changes(str(old), str(build(folder / "new", update(**roots))), ["t"], {})
    assert found is not None
    return found["t"]


def changes(added: str = "", changed: str = "", removed: str = "") -> RowChanges:
    """Return the changes between these rows, given as words of a text."""
    return told(added.split(), changed.split(), removed.split())


def told(added: list[str], changed: list[str], removed: list[str]) -> RowChanges:
    """Return the changes between these rows."""
    ids = RowIds(tuple(added), tuple(changed), tuple(removed), truncated=False)
    return RowChanges(len(added), len(changed), len(removed), ids)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, changes()),
        ({"a": {"n": 1}}, {"a": {"n": 1}}, changes()),
        ({"a": {"n": 1}}, {"a": {"n": 2}}, changes(changed="a")),
        ({"a": {"n": 1}}, {"a": {"n": 1}, "b": {"n": 1}}, changes(added="b")),
        ({"a": {"n": 1}, "b": {"n": 1}}, {"a": {"n": 1}}, changes(removed="b")),
        ({"a": {"n": 1}}, {"b": {"n": 1}}, changes(added="b", removed="a")),
        ({"a": {"n": 1}, "c": {"n": 1}}, {"b": {"n": 1}, "c": {"n": 2}}, changes("b", "c", "a")),
        ({"a": {"n": 1}}, {"a": {"n": 1, "m": 2}}, changes(changed="a")),
        ({"a": {"n": 1}}, {"a": {"n": 1, "m": None}}, changes()),
        ({"a": {"n": 1, "m": 5}}, {"a": {"n": 1, "k": 5}}, changes(changed="a")),
        ({"a": {"n": 1}}, {"a": {"m": 1}}, changes(changed="a")),
        ({"a": {"n": None}}, {"a": {"m": None}}, changes()),
        ({"a": {"n": 7}}, {"a": {"n": "7"}}, changes(changed="a")),
        ({"a": {"n": True}}, {"a": {"n": 1}}, changes()),
        ({"a": {"n": 1}}, {"a": {"n": 1, "rowid": 2}}, changes(changed="a")),
        (None, {"a": {"n": 1}, "b": {"n": 1}}, changes(added="a b")),
        (None, {}, changes()),
    ],
)
def test_rows_that_differ(tmp_path: Path, before: Rows, after: Rows, expected: RowChanges) -> None:
    """By their stored cells; a missing column counts as NULL."""
    assert compare(tmp_path, before, after) == expected


def test_a_definition_alone_changes_no_row(tmp_path: Path) -> None:
    """The stored cells are equal; values without a column any more are in `_extra`."""
    rows: Rows = {"a": {"n": "x"}, "b": {"n": "y"}}
    assert compare(tmp_path, rows, rows, n={"type": "text"}) == changes()
    assert compare(tmp_path, rows, rows, m={"type": "text"}) == changes(changed="a b")


@pytest.mark.medium
def test_a_thousand_ids_are_told(tmp_path: Path) -> None:
    """Over all three lists, added ones first; the numbers are of all."""
    before: Rows = {f"r{n:05}": {"n": n} for n in range(9000)}
    after: Rows = {**{row_id: {"n": -1} for row_id in before}, "z": {"n": 1}}
    found = compare(tmp_path, before, after)
    assert (found.added, found.changed, found.removed) == (1, 9000, 0)
    assert found.ids is not None
    assert found.ids.truncated
    assert found.ids.added == ("z",)
    assert found.ids.changed == tuple(sorted(before)[: MOST_IDS - 1])


@pytest.mark.medium
def test_two_thousand_columns_on_each_side(tmp_path: Path) -> None:
    """More than SQLite compares in one query, when they are not the same ones."""
    before = {f"f{n:04}": n for n in range(1998)}
    after = {f"g{n:04}": n for n in range(1998)}
    assert compare(tmp_path, {"a": before}, {"a": after}) == changes(changed="a")
    assert compare(tmp_path, {"a": before}, {"a": {**before, "f1997": 1}}) == changes(changed="a")


def test_a_mirror_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    """The counts are left out; the build continues."""
    new = build(tmp_path / "new", update(tables=tables(t={"a": {"n": 1}})))
    (tmp_path / "old").write_bytes(b"no database at all, whatever it says")
    assert row_changes(str(tmp_path / "old"), str(new), ["t"], {}) is None
    assert row_changes(str(tmp_path / "not there"), str(new), ["t"], {}) is None


IDS = st.integers(0, 4000).map(lambda number: f"row {number}")


@pytest.mark.medium
@examples(24)
@given(removed=st.sets(IDS, max_size=9), changed=st.sets(IDS, max_size=9))
def test_the_chunks_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, removed: set[str], changed: set[str]
) -> None:
    """In many chunks, also if their first rows are added, removed or changed."""
    every: Rows = {f"row {number}": {"n": number} for number in range(4001)}
    after = {i: {"n": -1} if i in changed else row for i, row in every.items() if i not in removed}
    folder = tmp_path_factory.mktemp("mirrors")
    expected = told([], sorted(changed - removed), sorted(removed))
    assert compare(folder, every, after) == expected
