"""Reads mirrors in the words of the expectations, and compares them cell by cell."""

import sqlite3
from collections.abc import Mapping

from tests.fidelity.expect.shapes import Expected, Line, Table


def read(connection: sqlite3.Connection) -> Expected:
    """Read a whole mirror in the words of the expectations.

    ``unaccounted`` says something of the file and not of what it holds, so it is left out.
    """
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        )
        if not name.startswith(("_mirror", "sqlite_")) or name in _user_tables(connection)
    ]
    lines: list[Line] = connection.execute(
        "SELECT table_name, field, kind, rows, row_id FROM _mirror_problems"
        " WHERE kind <> 'unaccounted'"
    ).fetchall()
    return Expected({name: read_table(connection, name) for name in names}, tuple(lines))


def read_table(connection: sqlite3.Connection, name: str) -> Table:
    """Read one table in the order in which its rows are stored."""
    shape = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
    columns = tuple(
        f"{name} {kind or '-'}{'!' if full else ''}" for _, name, kind, full, *_ in shape
    )
    rows = connection.execute(f"SELECT * FROM {quoted(name)}").fetchall()
    return Table(columns, tuple(rows))


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def sorted_lines(lines: tuple[Line, ...]) -> list[Line]:
    """Order problem lines for comparison; NULL sorts first."""
    return sorted(lines, key=lambda line: [str(part or "") for part in line])


def assert_same(seen: Expected, wanted: Expected) -> None:
    """Compare a mirror with what it must hold: tables, columns, rows with storage classes."""
    assert sorted(seen.tables) == sorted(wanted.tables)
    for name, table in wanted.tables.items():
        assert seen.tables[name].columns == table.columns, name
        assert_rows(name, seen.tables[name], table)
    assert sorted_lines(seen.problems) == sorted_lines(wanted.problems)


def assert_rows(name: str, seen: Table, wanted: Table) -> None:
    """Compare rows cell by cell, so that a difference in a wide table can be read."""
    assert [row[0] for row in seen.rows] == [row[0] for row in wanted.rows], name
    for seen_row, wanted_row in zip(seen.rows, wanted.rows, strict=True):
        for column, got, cell in zip(wanted.columns, seen_row, wanted_row, strict=True):
            place = (name, wanted_row[0], column)
            kinds = (type(got), str if isinstance(cell, str) else type(cell))
            assert kinds[0] is kinds[1], (*place, got, cell)
            assert cell == got, (*place, "differs")


def json_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Give table and column of everything that promises JSON."""
    return connection.execute(
        "SELECT table_name, name FROM _mirror_columns WHERE type IN ('tags', 'json')"
        " UNION ALL SELECT name, '_extra' FROM _mirror_tables"
    ).fetchall()


def walk_json(connection: sqlite3.Connection, table: str, column: str) -> None:
    """Have SQLite walk the JSON of every row; it raises where a cell is none."""
    cell = f"{quoted(table)}.{quoted(column)}"
    connection.execute(f"SELECT count(*) FROM {quoted(table)}, json_each({cell})").fetchall()


def facts(connection: sqlite3.Connection) -> Mapping[str, str]:
    """Read the lines of ``_mirror``."""
    return dict(connection.execute("SELECT key, value FROM _mirror"))


def _user_tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM _mirror_tables")}
