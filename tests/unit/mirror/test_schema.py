"""The tables and columns of a mirror, from the definitions."""

import sqlite3
from contextlib import closing

import pytest

from sidecar.mirror.schema import (
    Column,
    Kind,
    create_table,
    plan,
    sqlite_type,
)
from sidecar.model import MOST_FIELDS, FieldDefinition, Layout, Problem, Table, TableDefinition


def table(name: str, *fields: str, layout: Layout = "maps", declared: bool = False) -> Table:
    """Return a table with these fields, declared as texts or not at all."""
    definition = TableDefinition(tuple(FieldDefinition(f, "text") for f in fields), {})
    return Table(
        name=name,
        layout=layout,
        definition=definition if declared else None,
        fields=tuple(sorted(set(fields) - {"id"})),
        blocks=lambda: iter(()),
    )


def test_tables_are_planned_in_the_order_of_their_names_in_the_mirror() -> None:
    """Sorted by code point after renaming."""
    schemas = plan([table("b"), table("sqlite_a"), table("a")])
    assert [schema.name for schema in schemas] == ["_sqlite_a", "a", "b"]
    assert [schema.table.name for schema in schemas] == ["sqlite_a", "a", "b"]


def test_a_keyed_array_keeps_the_name_that_both_layouts_have() -> None:
    """The table of the map takes the next free one, problem `name`."""
    schemas = plan([table("t"), table("t", layout="keyed_arrays")])
    assert [(schema.name, schema.table.layout) for schema in schemas] == [
        ("t", "keyed_arrays"),
        ("t_2", "maps"),
    ]
    assert [schema.problems for schema in schemas] == [
        (),
        (Problem(None, None, "name", detail="t"),),
    ]


def test_columns_are_in_the_order_of_their_names() -> None:
    """Of their names in the mirror; `order` has the index of each one's cells."""
    (schema,) = plan([table("t", "B", "_extra", "a", "b", "id")])
    assert [column.name for column in schema.columns] == ["B", "_extra_2", "a", "b_2"]
    assert [schema.table.fields[index] for index in schema.order] == ["B", "_extra", "a", "b"]
    assert {problem.field for problem in schema.problems} == {"_extra", "b"}


def test_fields_past_the_limit_find_no_column() -> None:
    """SQLite's 2000 columns, `id` and `_extra` among them."""
    fields = [f"f{number:04}" for number in range(MOST_FIELDS + 3)]
    (schema,) = plan([table("t", *fields)])
    assert len(schema.columns) == MOST_FIELDS
    assert [schema.table.fields[index] for index in schema.surplus] == fields[-3:]


def column(kind: str | None, *, declared: bool = True, nullable: bool = False) -> Column:
    """Return a column of this declared kind."""
    return Column("c", "c", FieldDefinition("c", kind, nullable) if declared else None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *((kind, "TEXT") for kind in ("id", "text", "ytext", "richtext", "select", "date")),
        *((kind, "TEXT") for kind in ("tags", "json", "unheard of", None)),
        *(("integer", "INTEGER"), ("boolean", "INTEGER"), ("real", "REAL")),
    ],
)
def test_declared_types(kind: str | None, expected: str) -> None:
    """By the definition alone, whatever the cells are."""
    assert sqlite_type(column(kind), {"bytes"}) == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (set(), ""),
        ({"boolean"}, "INTEGER"),
        ({"integer"}, "INTEGER"),
        ({"integer", "wide"}, "INTEGER"),
        ({"real"}, "REAL"),
        ({"integer", "real"}, "REAL"),
        ({"integer", "real", "wide"}, ""),
        ({"boolean", "integer"}, ""),
        ({"text"}, "TEXT"),
        ({"json"}, "TEXT"),
        ({"text", "json"}, ""),
        ({"text", "integer"}, ""),
        ({"bytes"}, "BLOB"),
        ({"bytes", "text"}, ""),
    ],
)
def test_inferred_types(kinds: set[Kind], expected: str) -> None:
    """The common type of all cells, else none; nulls are ignored."""
    assert sqlite_type(column(None, declared=False), kinds) == expected


def test_required_columns() -> None:
    """Declared and not nullable."""
    assert column("text").required
    assert not column("text", nullable=True).required
    assert not column("text", declared=False).required


def test_the_statement_makes_the_table_it_says() -> None:
    """Types, NOT NULL, the key, and names that need quoting."""
    sql = create_table('a"b', [("x y", "INTEGER", True), ("", "", False), ("r", "REAL", False)])
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql)
        columns = connection.execute("SELECT * FROM pragma_table_info('a\"b')").fetchall()
    assert [(name, kind, full, key) for _, name, kind, full, _, key in columns] == [
        ("id", "TEXT", 1, 1),
        ("x y", "INTEGER", 1, 0),
        ("", "", 0, 0),
        ("r", "REAL", 0, 0),
        ("_extra", "TEXT", 0, 0),
    ]
