"""Rows to chunks: each row once, in id order, whatever kind of row it is."""

from typing import Any

import pytest
from pycrdt import Array, Map, Text

from sidecar.document.walk import of_dict
from sidecar.model import JSON_DEPTH, ROWS_PER_BLOCK, Block, RowProblem
from tests.support.made import chunks_of, tables, update

FIELDS = {"n": {"type": "integer"}, "s": {"type": "text"}}
DEFINED = {"tables": {"t": {"fields": {"id": {"type": "id"}, **FIELDS}}}}


def chunk(rows: dict[str, Any], **roots: Any) -> Block:
    """Walk a table of these rows, declared with fields n and s unless said otherwise."""
    (only,) = chunks_of(update(tables=tables(t=rows), **{"definition": DEFINED, **roots}), "t")
    return only


def deep() -> list[Any]:
    """Return lists nested one level deeper than is shown."""
    value: list[Any] = []
    for _ in range(JSON_DEPTH):
        value = [value]
    return value


def test_rows_by_column_in_the_order_of_their_ids() -> None:
    """Code point order; the cells of each field together."""
    found = chunk({"b": {"id": "b", "n": 2, "s": "y"}, "a": {"id": "a", "n": 1, "s": "x"}})
    assert found == Block(["a", "b"], [[1, 2], ["x", "y"]], [None, None], [])


@pytest.mark.parametrize(
    ("row", "cells", "extra"),
    [
        ({"id": "a", "n": 1, "s": "x"}, [1, "x"], None),
        ({"n": 1, "s": "x"}, [1, "x"], None),
        ({"id": "a", "n": 1}, [1, None], None),
        ({"s": "x"}, [None, "x"], None),
        ({}, [None, None], None),
        ({"id": "a", "n": None, "s": "x"}, [None, "x"], None),
        ({"id": "a", "n": 1, "s": "x", "z": 1, "e": [2]}, [1, "x"], {"e": [2], "z": 1}),
        ({"id": "a", "n": 1, "other": 1}, [1, None], {"other": 1}),
        ({"other": None}, [None, None], {"other": None}),
        ({"other": b"\0"}, [None, None], {"other": "AA=="}),
        ({"other": float("inf")}, [None, None], {"other": None}),
        ({"id": None, "n": 1, "s": "x"}, [1, "x"], None),
    ],
)
@pytest.mark.parametrize("shared", [True, False])
def test_any_set_of_fields(
    row: dict[str, Any], cells: list[Any], extra: Any, *, shared: bool
) -> None:
    """Declared fields in their columns, the others in extras; a plain object is a row as well."""
    table = Map({"a": Map(row) if shared else row})
    (found,) = chunks_of(update(definition=DEFINED, tables={"t": table}), "t")
    assert [column[0] for column in found.columns] == cells
    assert found.extras == [extra]
    assert found.problems == []


@pytest.mark.parametrize(
    ("own", "shown"), [("other", '"other"'), (1, "1"), (True, "true"), (["a"], '["a"]')]
)
def test_an_id_that_is_not_the_key(own: Any, shown: str) -> None:
    """The key is the id; the row's own is in extras, with a problem."""
    found = chunk({"a": {"id": own, "n": 1, "s": "x"}, "b": {"id": "b", "n": 2, "s": "y"}})
    assert found.extras == [{"id": own}, None]
    assert found.problems == [RowProblem("a", "id", "id_mismatch", shown)]


def test_an_id_that_is_the_key_in_another_form() -> None:
    """A shared text that reads as the key is the key."""
    found = chunk({"a": {"id": Text("a"), "n": 1, "s": "x"}})
    assert (found.extras, found.problems) == ([None], [])


@pytest.mark.parametrize(
    ("row", "shown"),
    [("text", "text"), (5, 5), (True, True), ([1, "x"], [1, "x"]), (b"\0", "AA==")],
)
def test_a_row_that_is_no_map_keeps_its_place(row: Any, shown: Any) -> None:
    """Nulls in its columns, its JSON in extras, problem `not_a_row`."""
    found = chunk({"a": {"id": "a", "n": 1, "s": "x"}, "b": row})
    assert found.columns == [[1, None], ["x", None]]
    assert found.extras == [None, [shown]]
    assert [(p.row_id, p.field, p.kind) for p in found.problems] == [("b", None, "not_a_row")]


def test_a_row_that_is_an_array() -> None:
    """A shared one is shown as JSON too."""
    found = chunk({"a": Array([1, Text("x")])})
    assert found.extras == [[[1, "x"]]]


def test_a_row_that_is_null() -> None:
    """It exists, so it is shown as null."""
    (found,) = chunks_of(update(definition=DEFINED, tables={"t": Map({"a": None})}), "t")
    assert found.extras == [[None]]
    assert [problem.kind for problem in found.problems] == ["not_a_row"]


def test_what_nests_too_deep_is_left_out_and_told() -> None:
    """In a column, in extras, as a row; the rest of the row is kept."""
    found = chunk({"a": {"n": 1, "s": deep()}, "b": {"n": 2, "other": deep()}, "c": deep()})
    assert found.columns == [[1, 2, None], [None, None, None]]
    assert found.extras == [None, {"other": None}, [None]]
    assert {(p.row_id, p.field, p.kind) for p in found.problems} == {
        ("a", "s", "too_deep"),
        ("b", "other", "too_deep"),
        ("c", None, "not_a_row"),
        ("c", None, "too_deep"),
    }


def test_long_details_are_cut() -> None:
    """The detail is a short example."""
    found = chunk({"a": "x" * 1000})
    assert found.problems[0].detail is not None
    assert len(found.problems[0].detail) < 250


def test_fields_of_an_undeclared_table_are_those_of_any_row() -> None:
    """Collected from all rows, each in a column, none in extras."""
    rows = {"a": {"p": 1}, "b": {"q": "x", "id": "b"}, "c": "no row"}
    found = chunk(rows, definition={})
    assert found.columns == [[1, None, None], [None, "x", None]]
    assert found.extras == [None, None, ["no row"]]


def test_many_rows_come_in_chunks() -> None:
    """Full ones, and a last one with the rest; the walk may be started again."""
    rows = {f"r{number:05}": {"n": number, "s": ""} for number in range(ROWS_PER_BLOCK + 1)}
    found = chunks_of(update(definition=DEFINED, tables=tables(t=rows)), "t")
    assert [len(chunk.ids) for chunk in found] == [ROWS_PER_BLOCK, 1]
    assert found[1].columns[0] == [ROWS_PER_BLOCK]


def test_plain_rows_are_sorted_too() -> None:
    """A table held as plain entries, as keyed arrays are."""
    rows = of_dict({"b": 1, "": 2, "a": 3})
    assert list(rows.keys) == ["", "a", "b"]
    assert [rows.fetch(key) for key in rows.keys] == [2, 3, 1]
