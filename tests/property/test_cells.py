"""Every cell round-trips through SQLite: what comes back, with ``_extra``, is what went in."""

import base64
import json
import math
import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.digests import Piece
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import create_table, plan
from sidecar.mirror.summaries import columns_of, problems_of_table
from sidecar.model import Block, FieldDefinition, Table, TableDefinition

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats().filter(lambda value: not (value.is_integer() and abs(value) <= 2**53))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMERALS = st.text("0123456789+-.eE \t", max_size=8)
PLAIN = st.one_of(st.none(), st.booleans(), INT64, FLOATS.filter(math.isfinite), TEXT)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
CONTAINERS = st.one_of(st.lists(JSON, max_size=3), st.dictionaries(TEXT, JSON, max_size=3))
CELLS = st.one_of(PLAIN, FLOATS, NUMERALS, st.binary(max_size=8), CONTAINERS)

KINDS = ("text", "ytext", "integer", "real", "boolean", "date", "tags", "json", "unheard of", None)
UNDECLARED = "undeclared"


def stored(kind: str | None, cells: list[Any]) -> tuple[str, list[tuple[Any, Any]], set[str]]:
    """Write cells into one column and read them back.

    Returns:
        The declared SQLite type, what SQLite gives for cell and ``_extra``, the problems.
    """
    field = FieldDefinition("c", kind, nullable=True)
    definition = None if kind == UNDECLARED else TableDefinition((field,), {})
    (schema,) = plan([Table("t", "maps", definition, ("c",), lambda: iter(()))])
    writer = RowWriter(schema)
    ids = [f"r{number:03}" for number in range(len(cells))]
    piece = Piece(Block(ids, [cells], [None] * len(ids), []), begins=True)
    rows = list(zip(*writer.columns(piece)[:-1], strict=True))
    summaries = writer.summaries()
    ((declared, _),) = columns_of(schema, summaries)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(create_table("t", [("c", declared, False)]))
        connection.executemany("INSERT INTO t VALUES (?,?,?)", rows)
        found = connection.execute("SELECT c, _extra FROM t ORDER BY id").fetchall()
    return declared, found, {problem.kind for problem in problems_of_table(schema, summaries)}


def same(cell: Any, other: Any) -> bool:
    """Compare as SQL would: 1, 1.0 and true are alike, and -0.0 is 0."""
    if isinstance(cell, float) and isinstance(other, int):
        other = float(other)  # JavaScript prints the shortest digits, and zeros behind them
    return bool(cell == other) and isinstance(cell, str) == isinstance(other, str)


def alike(cell: Any, other: Any) -> bool:
    """Compare two JSON values."""
    if isinstance(cell, list):
        return len(cell) == len(other) and all(map(alike, cell, other))
    if isinstance(cell, dict):
        return cell.keys() == other.keys() and all(alike(cell[key], other[key]) for key in cell)
    return same(cell, other)


def recovered(kind: str | None, cell: Any, shown: Any, extra: str | None) -> bool:
    """Tell whether a cell can be had again from what the mirror holds."""
    if extra is not None and (kept := json.loads(extra)["c"]) is not None:
        return same(cell, kept)
    if isinstance(cell, float) and not math.isfinite(cell):
        return shown is None or shown in (cell, str(cell).title())
    if isinstance(cell, bytes):
        return bool(shown == cell or shown == json.dumps(base64.b64encode(cell).decode()))
    if isinstance(cell, (list, dict)) or (kind in ("tags", "json") and cell is not None):
        return alike(cell, json.loads(shown))
    return same(cell, shown)


@given(st.sampled_from([*KINDS, UNDECLARED]), st.lists(CELLS, min_size=1, max_size=5))
@example("integer", ["007", " 7 ", "1e3", "0x10", 2**63 - 1, 2.5])
@example("real", [2**63 - 1, "1.50", True, math.inf])
@example("text", [7, 1.5, True, [1, {"a": None}], math.inf, -math.inf])
@example(UNDECLARED, [2**63 - 1, 0.5])
def test_nothing_is_lost(kind: str | None, cells: list[Any]) -> None:
    """In a column of any kind, beside cells of any kind."""
    _, found, _ = stored(kind, cells)
    for cell, (shown, extra) in zip(cells, found, strict=True):
        assert recovered(kind, cell, shown, extra), (cell, shown, extra)


@given(st.sampled_from(["tags", "json"]), st.lists(CELLS, min_size=1, max_size=5))
def test_json_columns_hold_json(kind: str, cells: list[Any]) -> None:
    """In every row that is not null, so that SQLite's JSON functions work on all of them."""
    _, found, _ = stored(kind, cells)
    with closing(sqlite3.connect(":memory:")) as connection:
        for shown, _ in found:
            assert (
                shown is None or connection.execute("SELECT json_valid(?)", [shown]).fetchone()[0]
            )


@given(st.sampled_from(KINDS), st.lists(CELLS, min_size=1, max_size=5))
def test_what_is_changed_is_told(kind: str | None, cells: list[Any]) -> None:
    """Without a problem every cell is in its column as it was, and `_extra` is empty."""
    _, found, problems = stored(kind, cells)
    if problems:
        return
    for cell, (shown, extra) in zip(cells, found, strict=True):
        assert extra is None
        assert recovered(kind, cell, shown, None)


@given(st.lists(st.one_of(INT64, FLOATS), min_size=1, max_size=5))
def test_undeclared_numbers_keep_their_digits(cells: list[Any]) -> None:
    """REAL where it can hold all of them, and no type where it cannot."""
    declared, found, _ = stored(UNDECLARED, cells)
    numbers = [cell for cell in cells if not (isinstance(cell, float) and math.isnan(cell))]
    assert [shown for shown, _ in found if shown is not None] == numbers
    assert declared in ("INTEGER", "REAL", "")
