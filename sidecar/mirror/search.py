"""Full-text search over the indexes that a mirror was built with."""

import secrets
from typing import Any

import apsw
import msgspec

from sidecar.errors import UsageError
from sidecar.mirror.describe import reading
from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import EXTRA

_TOKENS = 16
_ROWIDS = ("rowid", "_rowid_", "oid")


class Match(msgspec.Struct, frozen=True):
    """A row that holds the words; see ``reports.Hit``."""

    table: str
    id: str
    column: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    rank: float


def literal(words: str) -> str:
    """Give the FTS5 query that takes words as they are: a row must hold all of them."""
    return " ".join('"' + word.replace('"', '""') + '"' for word in words.split())


def indexes(path: str) -> dict[str, str]:
    """Give the name of the full-text index of each table that has one.

    Raises:
        MirrorDamagedError: The mirror is not there, or not whole.
    """
    with reading(path) as connection:
        return _indexes(connection)


def search(path: str, query: str, most: int) -> list[Match]:
    """Find rows in all indexes of a mirror.

    Args:
        path: A mirror.
        query: In FTS5's syntax.
        most: How many rows of each table to give, the best first.

    Raises:
        MirrorDamagedError: The mirror is not there, or not whole.
        UsageError: The query is none, or asks for columns that no index has.
    """
    found: list[Match] = []
    refused: list[apsw.SQLError] = []
    with reading(path) as connection:
        named = _indexes(connection)
        for table, index in named.items():
            try:
                found += _search(connection, table, index, query, most)
            except apsw.SQLError as error:
                refused.append(error)
    if refused and len(refused) == len(named):
        message = (
            f"{query!r} is no query that FTS5 understands: {refused[0]}; "
            "without --fts-syntax the words are taken as they are"
        )
        raise UsageError(message)
    return found


def _indexes(connection: apsw.Connection) -> dict[str, str]:
    text = connection.execute("SELECT value FROM _mirror WHERE key = 'fts_indexes'").get
    return msgspec.json.decode(text or "{}", type=dict[str, str])


def _search(
    connection: apsw.Connection, table: str, index: str, query: str, most: int
) -> list[Match]:
    columns = _columns(connection, index)
    start, end = _marks()
    name, source = quote(index), quote(table)
    snippets = ", ".join(
        f"snippet({name}, {number}, ?1, ?2, '…', {_TOKENS})" for number in range(len(columns))
    )
    sql = (
        f"SELECT {source}.id, {name}.rank, {snippets} FROM {name}"  # noqa: S608 - quoted
        f" JOIN {source} ON {source}.{_rowid(connection, table)} = {name}.rowid"
        f" WHERE {name}.{name} MATCH ?3 ORDER BY {name}.rank LIMIT ?4"
    )
    rows: Any = connection.execute(sql, (start, end, query, most))
    return [
        Match(table, row_id, *_best(columns, texts, start, end), rank)
        for row_id, rank, *texts in rows
    ]


def _best(
    columns: list[str], texts: list[str | None], start: str, end: str
) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    """Give the column with the most hits, its snippet, and where in that the hits are."""
    number = max(range(len(texts)), key=lambda n: ((texts[n] or "").count(start), -n))
    plain, *marked = (texts[number] or "").split(start)
    marks: list[tuple[int, int]] = []
    for piece in marked:
        hit, _, rest = piece.partition(end)
        marks.append((len(plain), len(plain) + len(hit)))
        plain += hit + rest
    return columns[number], plain, tuple(marks)


def _marks() -> tuple[str, str]:
    """Make texts that no document holds, because nobody could know them before."""
    secret = secrets.token_hex(8)
    return f"<{secret}>", f"</{secret}>"


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    columns: Any = connection.execute(f"PRAGMA table_info({quote(table)})")
    return [name for _, name, *_ in columns]


def _rowid(connection: apsw.Connection, table: str) -> str:
    taken = {fold(name) for name in _columns(connection, table)} | {EXTRA}
    return next(name for name in _ROWIDS if name not in taken)
