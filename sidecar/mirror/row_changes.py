"""Which rows of a table differ between two mirrors: by their chunks first, then by their cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import apsw

from sidecar.mirror.catalog import ROOTS
from sidecar.mirror.identifiers import quote
from sidecar.mirror.sqlite_files import READER_BUSY_MS, uri_of
from sidecar.model import MOST_FIELDS, RowChanges, RowIds

MOST_IDS = 1000
"""Most ids that are reported of one table, over all three lists."""
_ARGUMENTS = 100
"""Of one call of ``coalesce``; SQLite takes 127 in older versions."""

_OTHER: tuple[str, int] = ("", 0)

_Chunks = dict[str, tuple[str, int]]
"""The first id of each chunk: its digest and its rows."""


def changes_of(added: Iterable[str], changed: Iterable[str], removed: Iterable[str]) -> RowChanges:
    """Give what is told of rows with these ids."""
    found, both = _Found(), set(changed)
    found.add(both.union(added), both.union(removed))
    return found.result()


def row_changes(
    old: str, new: str, tables: Sequence[str], known: Mapping[str, RowChanges]
) -> dict[str, RowChanges] | None:
    """Compare the rows of some tables of two mirrors.

    A row is changed when a stored cell differs; a column that one side lacks counts as NULL.

    Args:
        old: Path of the mirror in place, which can be believed.
        new: Path of the one that will replace it.
        tables: Names of tables of the new one, which the old one may lack.
        known: What is known of some tables: they are not compared.

    Returns:
        What changed in each; None where one of the two could not be read, which a build may do
        without.
    """
    if known.keys() >= set(tables):
        return {table: known[table] for table in tables}
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(":memory:", flags=flags)
    with suppress(apsw.Error):
        connection.set_busy_timeout(READER_BUSY_MS)
        for name, path, locks in (("old", old, ""), ("new", new, "&nolock=1")):
            connection.execute(f"ATTACH ? AS {name}", (f"{uri_of(path)}?mode=ro{locks}",))
        return {table: known.get(table) or _compare(connection, table) for table in tables}
    return None


def _compare(connection: apsw.Connection, table: str) -> RowChanges:
    if table == ROOTS:
        return _compare_roots(connection)
    found = _Found()
    before: _Chunks = _chunks(connection, "old", table)
    after = _chunks(connection, "new", table)
    columns = [_definition(connection, side, table) for side in ("old", "new")]
    if columns[0] != columns[1] or len(columns[0]) >= MOST_FIELDS:
        before = dict.fromkeys(before.keys(), _OTHER)
    selects = _selects(connection, table)
    for start, end in _ranges(before, after):
        found.add(*(_ids(connection, select, start, end) for select in selects))
    return found.result()


class _Found:
    """Rows that differ, as many of their ids as are reported."""

    def __init__(self) -> None:
        self._numbers = [0, 0, 0]
        self._ids: tuple[list[str], ...] = ([], [], [])

    def add(self, ahead: set[str], behind: set[str]) -> None:
        """Take in the rows that only the new mirror has so, and those that only the old one has."""
        kinds = (ahead - behind, ahead & behind, behind - ahead)
        for kind, ids in enumerate(kinds):
            self._numbers[kind] += len(ids)
            if len(self._ids[kind]) < MOST_IDS:
                self._ids[kind].extend(sorted(ids))

    def result(self) -> RowChanges:
        """Give the numbers, and the ids in order, of added rows first."""
        room = MOST_IDS
        reported: list[tuple[str, ...]] = []
        for ids in self._ids:
            reported.append(tuple(ids[:room]))
            room -= len(reported[-1])
        is_cut = sum(self._numbers) > MOST_IDS
        return RowChanges(
            added=self._numbers[0],
            changed=self._numbers[1],
            removed=self._numbers[2],
            ids=RowIds(reported[0], reported[1], reported[2], is_cut),
        )


def _chunks(connection: apsw.Connection, side: str, table: str) -> _Chunks:
    sql = f"SELECT first_id, digest, rows FROM {side}._mirror_chunks WHERE table_name = ?"
    rows: Any = connection.execute(sql, (table,))
    return {first: (digest, count) for first, digest, count in rows}


def _definition(connection: apsw.Connection, side: str, table: str) -> list[Any]:
    """Give what decides how cells are stored, which digests of rows do not cover."""
    lines: Any = connection.execute(
        f"SELECT name, source, type FROM {side}._mirror_columns WHERE table_name = ?"
        " ORDER BY position",
        (table,),
    )
    return list(lines)


def _ranges(before: _Chunks, after: _Chunks) -> Iterator[tuple[str, str | None]]:
    """Give the ranges of ids in which the two differ: from an id, up to another one or the end.

    None is longer than a chunk, so that what is compared at a time stays small.
    """
    bounds = sorted(before.keys() | after.keys())
    open_in: dict[str, bool] = {"before": False, "after": False}
    for index, start in enumerate(bounds):
        same = start in before and before.get(start) == after.get(start)
        if start in before:
            open_in["before"] = not same
        if start in after:
            open_in["after"] = not same
        if open_in["before"] or open_in["after"]:
            yield start, bounds[index + 1] if index + 1 < len(bounds) else None


def _selects(connection: apsw.Connection, table: str) -> tuple[str, str]:
    """Write the queries for the rows that one side has and the other has not, so."""
    columns = [_columns(connection, side, table) for side in ("new", "old")]
    shared = [name for name in columns[0] if name in set(columns[1])]
    sides: list[str] = []
    for side, own in zip(("new", "old"), columns, strict=True):
        names = [quote(name) for name in shared or ["id"]]
        lone = [quote(name) for name in own if name not in set(shared)]
        if len(shared) < max(map(len, columns)):  # else there may be no room for one more
            names.append(_any_of(lone, side))
        where = "WHERE id >= :start AND (:end IS NULL OR id < :end)"
        sides.append(f"SELECT {','.join(names)} FROM {side}.{quote(table)} {where}")
    new, old = sides if columns[0] and columns[1] else (sides[0], "")
    if not old:  # the old mirror has no such table
        return f"SELECT id FROM ({new})", "SELECT 1 WHERE 0 AND (:start, :end) IS NULL"
    return f"SELECT id FROM ({new} EXCEPT {old})", f"SELECT id FROM ({old} EXCEPT {new})"


def _any_of(columns: Sequence[str], side: str) -> str:
    """Write an expression that says whether one of the columns that the other side lacks is set."""
    if not columns:
        return "NULL"
    groups = [columns[n : n + _ARGUMENTS] for n in range(0, len(columns), _ARGUMENTS)]
    values = [f"coalesce({','.join(group)}, NULL)" for group in groups]
    return f"CASE WHEN coalesce({','.join(values)}, NULL) IS NOT NULL THEN '{side}' END"


def _columns(connection: apsw.Connection, side: str, table: str) -> list[str]:
    rows: Any = connection.execute(f"PRAGMA {side}.table_info({quote(table)})")
    return [name for _, name, *_ in rows]


def _ids(connection: apsw.Connection, select: str, start: str, end: str | None) -> set[str]:
    rows: Any = connection.execute(select, {"start": start, "end": end})
    return {row_id for (row_id,) in rows}


def _compare_roots(connection: apsw.Connection) -> RowChanges:
    found = _Found()
    sql = "SELECT name, digest FROM {}._mirror_roots WHERE digest IS NOT NULL"
    new, old = (set(connection.execute(sql.format(side))) for side in ("new", "old"))
    names = ({str(name) for name, _ in side} for side in (new - old, old - new))
    found.add(*names)
    return found.result()
