"""Full-text indexes over a mirror's text columns: FTS5 with external content."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext

import apsw

from sidecar.mirror.catalog import Built
from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.schema import Column, rowid_of
from sidecar.model import Problem

ALL = ("*",)
Only = Callable[[Collection[str]], AbstractContextManager[None]]
_BATCH = 20
"""Indexes that are made together."""
_TEXT_TYPES = frozenset(("text", "ytext", "richtext"))
_MOST_COLUMNS = 1990
"""SQLite 3.54 refuses more than 1992, older versions more than 1993."""
_RESERVED_COLUMNS = ("rank", "rowid")
TOKENIZER = '"unicode61 remove_diacritics 2"'
"""FTS5's default tokenizer, except that letters with two diacritics also match their base letter:
Vietnamese has many of them."""
_SHADOWS = ("", "_data", "_idx", "_docsize", "_config", "_content")


def create_indexes(
    connection: apsw.Connection,
    tables: Sequence[Built],
    wanted: tuple[str, ...],
    only: Only | None = None,
) -> tuple[dict[str, str], list[Problem]]:
    """Create and fill the index ``TABLE_fts`` of each table that has columns to index.

    Args:
        connection: Inside the transaction that builds the mirror.
        tables: All tables, filled.
        wanted: TABLE.FIELD names, ``ALL`` for every text column, or nothing.
        only: Has SQLite know only some tables for a while, where there are many: making an index
            reads all of ``sqlite_schema`` several times (1,600 of them took 150 s).

    Returns:
        The name of the index by table, and a problem ``fts`` for each column that FTS5 refuses.
    """
    taken = {fold(built.name) for built in tables}
    indexes: dict[str, str] = {}
    problems = _unknown(tables, wanted)
    made: list[tuple[str, Built, Sequence[Column]]] = []
    for built in tables:
        columns = [column for column in built.columns if _is_wanted(built, *column, wanted)]
        usable, refused = _split(built, columns)
        problems += refused
        if usable:
            # FTS5 refuses a column with the index's name; a join with such a column is ambiguous
            fields = {fold(column.name) for column, _, _ in built.columns}
            name = _index_name(built.name, taken | fields)
            indexes[built.name] = name
            taken.update(fold(name + shadow) for shadow in _SHADOWS)
            made.append((name, built, usable))
    for start in range(0, len(made), _BATCH):
        batch = made[start : start + _BATCH]
        with only({built.name for _, built, _ in batch}) if only else nullcontext():
            for one in batch:
                _create(connection, *one)
            connection.execute("SAVEPOINT fts; RELEASE fts")  # FTS5 writes what it has in memory
    return indexes, problems


def _is_wanted(
    built: Built, column: Column, declared: str, _nullable: object, wanted: tuple[str, ...]
) -> bool:
    if wanted == ALL:
        return column.type in _TEXT_TYPES if column.field else declared == "TEXT"
    return bool(_spellings(built, column) & set(wanted))


def _spellings(built: Built, column: Column) -> set[str]:
    return {f"{built.name}.{column.name}", f"{built.table.name}.{column.source}"}


def _unknown(tables: Sequence[Built], wanted: tuple[str, ...]) -> list[Problem]:
    if wanted == ALL:
        return []
    known: set[str] = set()
    for built in tables:
        for column, _, _ in built.columns:
            known |= _spellings(built, column)
    return [
        Problem(None, None, "fts", detail=f"there is no column {name}")
        for name in wanted
        if name not in known
    ]


def _split(
    built: Built, columns: Sequence[tuple[Column, str, bool]]
) -> tuple[list[Column], list[Problem]]:
    """Return the columns that FTS5 accepts, and a problem for each one that it refuses."""
    usable: list[Column] = []
    problems: list[Problem] = []
    for column, _, _ in columns:
        reason = _reason(built, column, len(usable))
        if reason is None:
            usable.append(column)
        else:
            problems.append(Problem(built.name, column.source, "fts", detail=reason))
    return usable, problems


def _reason(built: Built, column: Column, before: int) -> str | None:
    if not built.name:
        return "FTS5 cannot index a table without a name"
    if _rowid(built) is None:
        return "the table has columns called rowid, _rowid_ and oid"
    if fold(column.name) in _RESERVED_COLUMNS:
        return "FTS5 reserves this column name"
    if not column.name:
        return "FTS5 cannot index a column without a name"
    return None if before < _MOST_COLUMNS else f"FTS5 takes {_MOST_COLUMNS} columns"


def _rowid(built: Built) -> str | None:
    return rowid_of(column.name for column, _, _ in built.columns)


def _index_name(table: str, taken: set[str]) -> str:
    base = f"{table}_fts"
    if fold(base).startswith("sqlite_"):  # a table named sqlite
        base = "_" + base
    name, number = base, 2
    while any(fold(name + shadow) in taken for shadow in _SHADOWS):
        name = f"{base}_{number}"
        number += 1
    return name


def _create(
    connection: apsw.Connection, name: str, built: Built, columns: Sequence[Column]
) -> None:
    shown = ", ".join(quote(column.name) for column in columns)
    # double quotes: Datasette looks for them to find the index of a table
    content, rowid = quote(built.name), _rowid(built) or ""
    connection.execute(
        f"CREATE VIRTUAL TABLE {quote(name)} USING fts5"
        f"({shown}, content={content}, content_rowid={_literal(rowid)}, tokenize={TOKENIZER})"
    )
    connection.execute(f"INSERT INTO {quote(name)}({quote(name)}) VALUES ('rebuild')")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
