"""Reads mirrors into Python values, with the standard library's SQLite and none of our code."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Cell = None | int | float | str | bytes


class Column(NamedTuple):
    """One column as SQLite declares it."""

    name: str
    type: str
    not_null: bool


class MirrorTable(NamedTuple):
    """One of the user's tables: its columns and its rows in id order, cells in column order."""

    columns: list[Column]
    rows: list[tuple[Cell, ...]]


@contextmanager
def open_mirror(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a mirror read-only, so that looking never changes it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def query(path: Path, sql: str, *parameters: Cell) -> list[tuple[Any, ...]]:
    """Return the rows of one query over the mirror at ``path``."""
    with open_mirror(path) as connection:
        return connection.execute(sql, parameters).fetchall()


def read_tables(path: Path) -> dict[str, MirrorTable]:
    """Return every table of the user's by its name in the mirror, in one reader's view."""
    with open_mirror(path) as connection:
        connection.execute("BEGIN")
        names = connection.execute("SELECT name FROM _mirror_tables ORDER BY name").fetchall()
        return {name: _read_table(connection, name) for (name,) in names}


def read_problems(path: Path) -> set[tuple[str | None, str | None, str, int, str | None]]:
    """Return (table, field, kind, rows, first row's id) of every problem."""
    sql = "SELECT table_name, field, kind, rows, row_id FROM _mirror_problems"
    return {(table, field, kind, rows, row) for table, field, kind, rows, row in query(path, sql)}


def as_told(cell: Any) -> Cell:
    """Return the SQLite value of a cell as ``scripts/js/expected.js`` writes it."""
    if not isinstance(cell, dict):
        assert cell is None or isinstance(cell, str)
        return cell
    ((kind, text),) = cell.items()
    if kind == "i":
        return int(text)
    return float(text) if kind == "r" else base64.b64decode(text)


def told_tables(expected: dict[str, Any]) -> dict[str, MirrorTable]:
    """Return the tables that JavaScript expects, in the form of ``read_tables``."""
    return {
        name: MirrorTable(
            [
                Column("id", "TEXT", not_null=True),
                *(Column(c["name"], c["type"], c["notNull"]) for c in table["columns"]),
                Column("_extra", "TEXT", not_null=False),
            ],
            [tuple(as_told(cell) for cell in row) for row in table["rows"]],
        )
        for name, table in expected["tables"].items()
    }


def assert_holds(mirror: Path, expected: dict[str, Any]) -> None:
    """Compare a mirror with what JavaScript expects: columns, and each cell in type and value."""
    actual, told = read_tables(mirror), told_tables(expected)
    assert list(actual) == sorted(told, key=lambda name: name.encode())
    for name, table in told.items():
        assert actual[name].columns == table.columns, name
        assert _typed(actual[name].rows) == _typed(table.rows), name


def _typed(rows: list[tuple[Cell, ...]]) -> list[list[tuple[str, Cell]]]:
    """Pair each cell with its type's name: in Python 1 equals 1.0, in a mirror it does not."""
    return [[(type(cell).__name__, cell) for cell in row] for row in rows]


def _read_table(connection: sqlite3.Connection, name: str) -> MirrorTable:
    quoted = '"' + name.replace('"', '""') + '"'
    columns = [
        Column(column, kind, bool(not_null))
        for _, column, kind, not_null, _, _ in connection.execute(f"PRAGMA table_info({quoted})")
    ]
    rows = connection.execute(f"SELECT * FROM {quoted} ORDER BY id").fetchall()
    return MirrorTable(columns, rows)
