"""Cells to SQLite values: every kind of cell in every kind of column, and its problem."""

import math
from typing import Any

import pytest

from sidecar.digests import Piece
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import ROWID_STEP, plan
from sidecar.mirror.summaries import Problems, Summary, columns_of, problems_of_table
from sidecar.model import Block, FieldDefinition, Problem, RowProblem, Table, TableDefinition

INF = math.inf
LARGE = 2**63 - 1

Row = tuple[Any, ...]


def writer(*kinds: str | None, nullable: bool = True, declared: bool = True) -> RowWriter:
    """Return a writer for a table of columns c0, c1 ... of these kinds."""
    names = tuple(f"c{number}" for number in range(len(kinds)))
    fields = tuple(
        FieldDefinition(name, kind, nullable) for name, kind in zip(names, kinds, strict=True)
    )
    definition = TableDefinition(fields, {}) if declared else None
    (schema,) = plan([Table("t", "maps", definition, names, lambda: iter(()))])
    return RowWriter(schema)


def chunk(*columns: list[Any], extras: list[Any] | None = None) -> Block:
    """Return a chunk of rows r0, r1 ... with these columns."""
    ids = [f"r{number}" for number in range(len(columns[0]))]
    return Block(ids, list(columns), extras or [None] * len(ids), [])


def convert(rows: RowWriter, given: Block, *, begins: bool = True) -> list[Row]:
    """Write rows of one chunk, and return them without their rowids."""
    return list(zip(*rows.columns(Piece(given, begins))[:-1], strict=True))


def lines(rows: RowWriter) -> list[Problem]:
    """Return the problems of the table as in the mirror."""
    return problems_of_table(rows.schema, rows.summaries())


def one(kind: str | None, cell: Any, *, declared: bool = True) -> tuple[Any, str | None, Any]:
    """Write one cell; return what SQLite gets, the kind of problem, and ``_extra``."""
    rows = writer(kind, declared=declared)
    ((_, stored, extra),) = convert(rows, chunk([cell]))
    told = [problem.kind for problem in lines(rows)]
    assert len(told) <= 1
    return stored, told[0] if told else None, extra


TEXTS = ("text", "ytext", "richtext", "select", "date", "id", "unheard of", None)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, (None, None, None)),
        ("", ("", None, None)),
        ("007", ("007", None, None)),
        (7, (7, "kind", '{"c0":7}')),
        (1.5, (1.5, "kind", '{"c0":1.5}')),
        (True, (True, "kind", '{"c0":true}')),
        (b"\xff", (b"\xff", "kind", None)),
        ([1, {"b": 1, "a": 2}], ('[1,{"a":2,"b":1}]', "kind", None)),
        (math.nan, (None, "not_finite", None)),
        (INF, (INF, "kind", '{"c0":null}')),
    ],
)
def test_text_columns(kind: str | None, cell: Any, expected: tuple[Any, ...]) -> None:
    """Texts as they are; for a value that SQLite converts to text, `_extra` has the original."""
    assert one(kind, cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, (None, None, None)),
        (7, (7, None, None)),
        (-LARGE, (-LARGE, None, None)),
        (3.5, (3.5, "kind", None)),
        (INF, (INF, "kind", None)),
        (math.nan, (None, "not_finite", None)),
        (True, (True, "kind", None)),
        ("seven", ("seven", "kind", None)),
        ("", ("", "kind", None)),
        ("007", ("007", "kind", '{"c0":"007"}')),
        (" 7\n", (" 7\n", "kind", '{"c0":" 7\\n"}')),
        ("1e3", ("1e3", "kind", '{"c0":"1e3"}')),
        ("12\0 and more", ("12\0 and more", "kind", '{"c0":"12\\u0000 and more"}')),
        (" 1e2\n\0", (" 1e2\n\0", "kind", '{"c0":" 1e2\\n\\u0000"}')),
        ("twelve\0", ("twelve\0", "kind", None)),
        ("\x0012", ("\x0012", "kind", None)),
        ("0x10", ("0x10", "kind", None)),
        ("1_000", ("1_000", "kind", None)),
        ("infinity", ("infinity", "kind", None)),
        ("1" * 300_000 + "x", ("1" * 300_000 + "x", "kind", None)),
        ([], ("[]", "kind", None)),
        (b"7", (b"7", "kind", None)),
    ],
)
def test_integer_columns(cell: Any, expected: tuple[Any, ...]) -> None:
    """For a text that SQLite would convert to a number, `_extra` has the original."""
    assert one("integer", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, (None, None, None)),
        (1.5, (1.5, None, None)),
        (7, (7, None, None)),
        (INF, (INF, None, None)),
        (-INF, (-INF, None, None)),
        (math.nan, (None, "not_finite", None)),
        (LARGE, (LARGE, "kind", f'{{"c0":{LARGE}}}')),
        (2**60, (2**60, None, None)),
        (False, (False, "kind", None)),
        ("1.5", ("1.5", "kind", '{"c0":"1.5"}')),
        ("1.5\0x", ("1.5\0x", "kind", '{"c0":"1.5\\u0000x"}')),
        ({}, ("{}", "kind", None)),
    ],
)
def test_real_columns(cell: Any, expected: tuple[Any, ...]) -> None:
    """An integer that a float cannot hold keeps its digits in `_extra`."""
    assert one("real", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, (None, None, None)),
        (True, (True, None, None)),
        (1, (1, "kind", None)),
        (0.5, (0.5, "kind", None)),
        ("true", ("true", "kind", None)),
        ("1", ("1", "kind", '{"c0":"1"}')),
        ("1\0", ("1\0", "kind", '{"c0":"1\\u0000"}')),
        (math.nan, (None, "not_finite", None)),
    ],
)
def test_boolean_columns(cell: Any, expected: tuple[Any, ...]) -> None:
    """Other values are a problem."""
    assert one("boolean", cell) == expected


@pytest.mark.parametrize(
    ("cell", "shown", "is_tags"),
    [
        (None, None, True),
        ([], "[]", True),
        (["a", "ü"], '["a","ü"]', True),
        ("text", '"text"', False),
        ("", '""', False),
        (7, "7", False),
        (True, "true", False),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}', False),
    ],
)
def test_json_columns(cell: Any, shown: str | None, *, is_tags: bool) -> None:
    """Valid JSON text in every cell; tags that are not lists are a problem."""
    assert one("json", cell) == (shown, None, None)
    assert one("tags", cell) == (shown, None if is_tags else "kind", None)


@pytest.mark.parametrize("kind", ["json", "tags"])
def test_what_json_has_no_word_for(kind: str) -> None:
    """Bytes as base64; NaN and infinities as null."""
    assert one(kind, b"\0") == ('"AA=="', "kind", None)
    for cell in (math.nan, INF, -INF):
        assert one(kind, cell) == (None, "not_finite", None)


@pytest.mark.parametrize(
    ("cell", "shown", "problem"),
    [
        (None, None, None),
        ("007", "007", None),
        (7, 7, None),
        (True, True, None),
        (b"\0", b"\0", None),
        ([1], "[1]", None),
        (INF, INF, None),
        (math.nan, None, "not_finite"),
    ],
)
def test_undeclared_columns(cell: Any, shown: Any, problem: str | None) -> None:
    """Without a declared kind there is no problem."""
    assert one(None, cell, declared=False) == (shown, problem, None)


def test_missing_values_are_counted_where_one_was_promised() -> None:
    """Absent, null and not finite values; the first row is named, and the column is nullable."""
    rows = writer("text", "real", nullable=False)
    convert(rows, chunk(["x", None, None], [1.5, 2, math.nan]))
    assert rows.nullable == [True, True]
    assert lines(rows) == [
        Problem("t", "c0", "missing", 2, "r1", None),
        Problem("t", "c1", "missing", 1, "r2", None),
        Problem("t", "c1", "not_finite", 1, "r2", "real holds nan"),
    ]


def test_full_columns_are_not_nullable() -> None:
    """Every row has a value."""
    rows = writer("text", "integer", nullable=False)
    assert convert(rows, chunk(["x", "y"], [1, 2])) == [
        ("r0", "x", 1, None),
        ("r1", "y", 2, None),
    ]
    assert rows.nullable == [False, False]
    assert lines(rows) == []


def test_kinds_are_collected_over_all_chunks() -> None:
    """For the types of columns that nobody declared."""
    rows = writer(None, None, declared=False)
    convert(rows, chunk([1, None], ["x", "y"]))
    convert(rows, chunk([0.5, LARGE], ["x", b"y"]))
    assert rows.summaries() == [
        Summary(fields=("c0", "c1"), kinds={"c0": ("integer",), "c1": ("text",)}, nulls=("c0",)),
        Summary(("c0", "c1"), kinds={"c0": ("integer", "real", "wide"), "c1": ("bytes", "text")}),
    ]
    assert columns_of(rows.schema, rows.summaries()) == [("", True), ("", True)]
    assert rows.rows == 4


def test_rows_that_are_walked_apart_may_be_of_one_chunk() -> None:
    """Then they have one summary; positions continue, with free numbers between two rows."""
    rows = writer("integer")
    first = list(zip(*rows.columns(Piece(chunk([1, "x"]), begins=True)), strict=True))
    second = list(zip(*rows.columns(Piece(chunk([None]), begins=False)), strict=True))
    assert [row[-1] for row in (*first, *second)] == [ROWID_STEP, 2 * ROWID_STEP, 3 * ROWID_STEP]
    (summary,) = rows.summaries()
    assert summary == Summary(
        kinds={"c0": ("integer", "text")},
        nulls=("c0",),
        problems=(("c0", "kind", 1, "r1", 'integer holds "x"'),),
    )


def test_fields_with_values_are_noted_of_undeclared_tables() -> None:
    """Of each chunk for itself; null in all of its rows is none."""
    rows = writer(None, None, declared=False)
    convert(rows, chunk([1, None], ["x", None]))
    convert(rows, chunk([1, None], [None, None]))
    assert [summary.fields for summary in rows.summaries()] == [("c0", "c1"), ("c0",)]


def test_extras_and_originals_stand_together() -> None:
    """Fields without a column, and originals of converted cells, in one object."""
    rows = writer("integer")
    extras = [{"b": [1], "a": None}, ["not a row"], None]
    written = convert(rows, chunk(["7", None, "8"], extras=extras))
    assert [row[-1] for row in written] == [
        '{"a":null,"b":[1],"c0":"7"}',
        '"not a row"',
        '{"c0":"8"}',
    ]


def test_problems_of_the_walk_are_counted_too() -> None:
    """One line for each field and kind, however many rows."""
    rows = writer("text")
    found = [RowProblem(f"r{n}", "c0", "too_deep", "deep") for n in range(3)]
    given = chunk([None, None, None])
    convert(rows, Block(given.ids, given.columns, given.extras, found))
    assert lines(rows) == [Problem("t", "c0", "too_deep", 3, "r0", "deep")]


def test_fields_past_the_limit_go_to_extra() -> None:
    """Each gets a problem with its name and number of rows."""
    names = tuple(f"f{number:04}" for number in range(2000))
    (schema,) = plan([Table("t", "maps", None, names, lambda: iter(()))])
    rows = RowWriter(schema)
    columns = [["x", None] for _ in names]
    first, second = convert(rows, chunk(*columns))
    assert (first[-1], second[-1]) == ('{"f1998":"x","f1999":"x"}', None)
    assert [(p.field, p.kind, p.rows, p.row_id) for p in lines(rows)] == [
        ("f1998", "too_many", 1, "r0"),
        ("f1999", "too_many", 1, "r0"),
    ]


def test_lines_are_sorted_and_no_field_is_not_an_empty_name() -> None:
    """Those of the whole row first; the empty text is a valid field name."""
    problems = Problems()
    problems.add("", "missing", "r0", None)
    problems.add(None, "not_a_row", "r1", "text", rows=5)
    problems.add("", "kind", "r2", None)
    assert problems.counted() == [
        (None, "not_a_row", 5, "r1", "text"),
        ("", "kind", 1, "r2", None),
        ("", "missing", 1, "r0", None),
    ]


def test_details_are_short() -> None:
    """A long value is cut."""
    rows = writer("integer")
    convert(rows, chunk(["x" * 1000]))
    (problem,) = lines(rows)
    assert problem.detail is not None
    assert len(problem.detail) < 250


@pytest.mark.parametrize(
    ("cells", "limit", "left_out"),
    [
        (("a" * 50, "b" * 40), 200, ()),
        (("a" * 50, "b" * 40), 160, (0,)),
        (("a" * 40, "b" * 50), 160, (1,)),
        (("ä" * 30, "b" * 50), 180, (0,)),
        ((b"a" * 300, "b" * 300), 180, (0, 1)),
    ],
)
def test_a_row_that_is_too_large_loses_its_largest_cells(
    cells: tuple[Any, ...], limit: int, left_out: tuple[int, ...]
) -> None:
    """As many as necessary, measured in SQLite's bytes; each gets a problem."""
    rows = writer("text", "json", nullable=False)
    convert(rows, chunk(["x"], [[1]]))
    row = rows.fit(("r0", *cells, None), limit)
    assert row == ("r0", *(None if i in left_out else cell for i, cell in enumerate(cells)), None)
    assert rows.nullable == [index in left_out for index in range(2)]
    told = [(line.field, line.kind) for line in lines(rows)]
    kinds = ("missing", "too_large")
    assert told == [(f"c{index}", kind) for index in sorted(left_out) for kind in kinds]


def test_what_has_no_column_may_be_too_large_as_well() -> None:
    """Then the problem is the row's, without a field."""
    rows = writer("text")
    convert(rows, chunk(["x"]))
    assert rows.fit(("r0", "short", "x" * 300), 200) == ("r0", "short", None)
    (line,) = lines(rows)
    assert (line.field, line.kind, line.row_id) == (None, "too_large", "r0")
    assert line.detail == "300 bytes, more than SQLite accepts in one row"
