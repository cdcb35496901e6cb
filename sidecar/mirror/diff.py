"""Differences between two mirrors: tables, rows and cells."""

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from sidecar.mirror.describe import reading, reading_of
from sidecar.mirror.identifiers import quote
from sidecar.mirror.state import read_mirror
from sidecar.reports import CellDifference, RowDifference, TableDifference, cell_to_json

Row = tuple[str, dict[str, Any]]
"""A row's id and its cells by column."""


def differences(a: str, b: str) -> list[TableDifference]:
    """Compare two mirrors.

    Args:
        a: Path of the earlier mirror.
        b: Path of the later mirror.

    Returns:
        The tables that differ, by name.

    Raises:
        MirrorDamagedError: One of them cannot be read.
    """
    with reading(a) as first, reading(b) as second:
        one, other = _Side(a, first), _Side(b, second)
        found: list[TableDifference] = []
        for name in sorted(one.digests.keys() | other.digests.keys()):
            if name in one.digests and name in other.digests:
                found += _compare(name, one, other)
            elif name in one.digests:
                found.append(TableDifference(name, "removed", False, (), one.ids(name), ()))  # noqa: FBT003
            else:
                found.append(TableDifference(name, "added", False, other.ids(name), (), ()))  # noqa: FBT003
        return found


def row_values(mirror: str, table: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the cells of some rows of a mirror, as JSON, without those that are NULL.

    Raises:
        MirrorDamagedError: The mirror cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    with reading(mirror) as connection:
        side = _Side(mirror, connection)
        columns = side.columns(table) if ids else []
        sql = f"SELECT * FROM {quote(table)} WHERE id = ?"
        for row_id in ids:
            for row in side.query(sql, row_id):
                cells = zip(columns[1:], row[1:], strict=True)
                found[row_id] = {
                    name: cell_to_json(cell) for name, cell in cells if cell is not None
                }
    return found


class _Side:
    """One of the two mirrors.

    Attributes:
        digests: Of each table, by name.
        is_sound: Whether the mirror is as it was built, so that its digests hold.
    """

    def __init__(self, path: str, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self.digests: dict[str, str] = dict(self.query("SELECT name, digest FROM _mirror_tables"))
        self.is_sound = read_mirror(path).fault is None

    def ids(self, table: str) -> tuple[str, ...]:
        """Return the ids of all rows."""
        sql = f"SELECT id FROM {quote(table)} ORDER BY id"
        return tuple(row_id for (row_id,) in self.query(sql))

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return [name for _, name, *_ in self.query(f"PRAGMA table_info({quote(table)})")]

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows in id order."""
        columns = self.columns(table)
        for row in self.query(f"SELECT * FROM {quote(table)} ORDER BY id"):
            cells = dict(zip(columns, row, strict=True))
            yield cells["id"], cells

    def definition(self, table: str) -> list[tuple[Any, ...]]:
        """Return the catalog's part of a table's definition; empty if the table has none.

        A missing value makes a required column nullable. That is undone here, because the
        definition is the same.
        """
        about = list(
            self.query(
                "SELECT label, description, icon FROM _mirror_tables WHERE name = ? AND declared",
                table,
            )
        )
        columns = self.query(
            "SELECT source, type, label, description, icon, options, nullable AND NOT EXISTS ("
            "  SELECT 1 FROM _mirror_problems p"
            "  WHERE p.table_name = c.table_name AND p.field = c.source AND p.kind = 'missing'"
            ") FROM _mirror_columns c WHERE table_name = ? ORDER BY source",
            table,
        )
        return [*about, *columns] if about else []

    def query(self, sql: str, *parameters: str) -> Iterator[Any]:
        """Run a query.

        Raises:
            MirrorDamagedError: This side cannot be read; the message names it.
        """
        with reading_of(self._path):
            yield from self._connection.execute(sql, parameters)


def _compare(name: str, one: _Side, other: _Side) -> list[TableDifference]:
    """Compare a table that both sides have; returns an empty list when it is equal."""
    same_digest = one.digests[name] == other.digests[name]
    if same_digest and one.is_sound and other.is_sound:
        return []
    added, removed, changed = _compare_rows(one.rows(name), other.rows(name))
    before, after = one.definition(name), other.definition(name)
    rows_differ = bool(added or removed or changed)
    # parts of a definition that the catalog has not, such as defaults, only change the digest
    redefined = before != after or bool(after and not same_digest and not rows_differ)
    if not rows_differ and not redefined:
        return []
    return [TableDifference(name, "changed", redefined, added, removed, changed)]


def _compare_rows(
    ones: Iterator[Row], others: Iterator[Row]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[RowDifference, ...]]:
    added: list[str] = []
    removed: list[str] = []
    changed: list[RowDifference] = []
    for a, b in _pairs(ones, others):
        if b is None:
            removed.append(a[0] if a else "")
        elif a is None:
            added.append(b[0])
        elif cells := _compare_cells(a[1], b[1]):
            changed.append(RowDifference(a[0], cells))
    return tuple(added), tuple(removed), tuple(changed)


def _pairs(ones: Iterator[Row], others: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Yield the rows with the same id in pairs; None where a side has no such row."""
    a, b = next(ones, None), next(others, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            yield a, None
            a = next(ones, None)
        elif a is None or b[0] < a[0]:
            yield None, b
            b = next(others, None)
        else:
            yield a, b
            a, b = next(ones, None), next(others, None)


def _compare_cells(a: dict[str, Any], b: dict[str, Any]) -> tuple[CellDifference, ...]:
    """Return the columns whose cells differ. 7 and 7.0 are equal, as in the document."""
    return tuple(
        CellDifference(name, cell_to_json(a.get(name)), cell_to_json(b.get(name)))
        for name in dict.fromkeys((*a, *b))
        if a.get(name) != b.get(name)
    )
