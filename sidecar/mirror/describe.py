"""Reads the descriptions of tables and columns from a mirror's catalog, for people and prompts."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import apsw
import msgspec

from sidecar.errors import MirrorDamagedError
from sidecar.files import shown
from sidecar.mirror.identifiers import quote
from sidecar.mirror.sqlite_files import open_reader
from sidecar.reports import SchemaColumn, SchemaTable, cell_to_json

_LONGEST_SAMPLE = 80
_MOST_EXTRA = 12


@contextmanager
def reading(path: str) -> Generator[apsw.Connection]:
    """Open a mirror for reading.

    Raises:
        MirrorDamagedError: It does not exist, or is not whole.
    """
    if not os.path.lexists(path):
        message = f"{shown(path)} is not there; run sync to build it"
        raise MirrorDamagedError("gone", message)
    with reading_of(path):
        connection = open_reader(path)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def reading_of(path: str) -> Generator[None]:
    """Turn SQLite's errors into one that names the mirror.

    Raises:
        MirrorDamagedError: It does not exist, or is not whole.
    """
    try:
        yield
    except (apsw.Error, UnicodeDecodeError) as error:
        message = f"{shown(path)} cannot be read ({error}); run sync to build it again"
        raise MirrorDamagedError("internal", message) from error


def read_tables(path: str, samples: int | None = None) -> tuple[SchemaTable, ...]:
    """Read tables and columns from the catalog.

    Args:
        path: A mirror.
        samples: How many different values to show of each column, None for no samples at all.

    Raises:
        MirrorDamagedError: It has no catalog that can be read.
    """
    with reading(path) as connection:
        return tuple(
            msgspec.structs.replace(table, extra=_extra(connection, table.name))
            for table in tables_of(connection, samples)
        )


def count_problems(path: str) -> int:
    """Count the lines of a mirror's list of problems, 0 when it cannot be read."""
    return sum(kinds_of_problems(path).values())


def kinds_of_problems(path: str) -> dict[str, int]:
    """Count the lines of each kind in a mirror's list of problems; none when it cannot be read."""
    try:
        with reading(path) as connection:
            found: Any = connection.execute(
                "SELECT kind, count(*) FROM _mirror_problems GROUP BY kind"
            )
            return dict(found)
    except MirrorDamagedError:
        return {}


def tables_of(connection: apsw.Connection, samples: int | None) -> tuple[SchemaTable, ...]:
    """Read tables and columns from the catalog of an open mirror; see ``read_tables``."""
    tables: Any = connection.execute(
        "SELECT name, label, description, rows, (SELECT count(*) FROM _mirror_problems AS p"
        " WHERE p.table_name = t.name) FROM _mirror_tables AS t ORDER BY name"
    )
    text = connection.execute("SELECT value FROM _mirror WHERE key = 'fts_indexes'").get
    indexes: dict[str, str] = _json(text) or {}
    return tuple(
        SchemaTable(
            name=name,
            label=label,
            description=description,
            rows=rows,
            columns=_columns(connection, name, samples),
            index=indexes.get(name),
            indexed=_indexed(connection, indexes.get(name)),
            problems=problems,
        )
        for name, label, description, rows, problems in list(tables)
    )


def _indexed(connection: apsw.Connection, index: str | None) -> tuple[str, ...]:
    if index is None:
        return ()
    columns: Any = connection.execute(f"PRAGMA table_info({quote(index)})")
    return tuple(name for _, name, *_ in columns)


def _extra(connection: apsw.Connection, table: str) -> tuple[str, ...]:
    """Return the most common fields in ``_extra``; rows that are not maps have none."""
    name = quote(table)
    rows: Any = connection.execute(
        f"SELECT e.key FROM {name} AS t, temp.json_each(t._extra) AS e"
        " WHERE t._extra IS NOT NULL AND json_valid(t._extra) AND json_type(t._extra) = 'object'"
        " GROUP BY e.key ORDER BY count(*) DESC, e.key LIMIT ?",
        (_MOST_EXTRA,),
    )
    return tuple(key for (key,) in rows)


def _columns(
    connection: apsw.Connection, table: str, samples: int | None
) -> tuple[SchemaColumn, ...]:
    columns: Any = connection.execute(
        "SELECT name, type, sqlite_type, nullable, label, description, options"
        " FROM _mirror_columns WHERE table_name = ? ORDER BY position",
        (table,),
    )
    found = [
        SchemaColumn(
            name=name,
            type=kind,
            sqlite_type=sqlite_type,
            nullable=bool(nullable),
            label=label,
            description=description,
            options=_json(options),
        )
        for name, kind, sqlite_type, nullable, label, description, options in columns
    ]
    if samples is None:
        return tuple(found)
    return tuple(
        msgspec.structs.replace(column, samples=_samples(connection, table, column.name, samples))
        for column in found
    )


def _samples(connection: apsw.Connection, table: str, column: str, most: int) -> tuple[Any, ...]:
    """Return the first distinct values of a column; long texts and blobs are cut."""
    name = quote(column)
    rows: Any = connection.execute(
        f"SELECT DISTINCT CASE WHEN typeof({name}) IN ('text', 'blob')"
        f" THEN substr({name}, 1, {_LONGEST_SAMPLE}) ELSE {name} END"
        f" FROM {quote(table)} WHERE {name} IS NOT NULL LIMIT ?",
        (most,),
    )
    return tuple(cell_to_json(value) for (value,) in rows)


def _json(text: str | None) -> Any:
    """Return the value of JSON text; None for other text, which other programs may write."""
    try:
        return None if text is None else msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
