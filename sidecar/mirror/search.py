"""Full-text search in the indexes of a mirror."""

import secrets
from collections.abc import Sequence
from functools import partial
from heapq import nsmallest
from typing import Any, NamedTuple

import apsw
import msgspec

from sidecar.errors import UsageError
from sidecar.mirror.describe import reading
from sidecar.mirror.identifiers import quote
from sidecar.mirror.schema import rowid_of
from sidecar.mirror.words import Words, apart, condition, excerpt, matching, pattern_of

_TOKENS = 16


class Match(msgspec.Struct, frozen=True):
    """A row that was found; see ``reports.Hit``."""

    table: str
    id: str
    column: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    rank: float


def indexes(path: str) -> dict[str, str]:
    """Return the name of the full-text index of each table that has one.

    Raises:
        MirrorDamagedError: The mirror does not exist, or is not whole.
    """
    with reading(path) as connection:
        return _indexes(connection)


def search(path: str, words: Words, most: int) -> list[Match]:
    """Find rows in all indexed columns of a mirror.

    Args:
        path: A mirror.
        words: What the rows must contain.
        most: How many rows of each table to return, the best first.

    Raises:
        MirrorDamagedError: The mirror does not exist, or is not whole.
        UsageError: The query is not valid, or names columns that no index has.
    """
    found: list[Match] = []
    refused: list[apsw.SQLError] = []
    with reading(path) as connection:
        named = _indexes(connection)
        for table, index in named.items():
            try:
                found += _search(_index(connection, table, index), words, most)
            except apsw.SQLError as error:
                if words.syntax is None:
                    raise
                refused.append(error)
    if refused and len(refused) == len(named):
        message = (
            f"{words.syntax!r} is not a valid FTS5 query: {refused[0]}; "
            "without --fts-syntax it is searched as plain words"
        )
        raise UsageError(message)
    return found


class _Index(NamedTuple):
    """One table with its index and the indexed columns."""

    connection: apsw.Connection
    table: str
    name: str
    columns: list[str]


def _index(connection: apsw.Connection, table: str, name: str) -> _Index:
    return _Index(connection, table, name, _columns(connection, name))


def _indexes(connection: apsw.Connection) -> dict[str, str]:
    text = connection.execute("SELECT value FROM _mirror WHERE key = 'fts_indexes'").get
    return msgspec.json.decode(text or "{}", type=dict[str, str])


def _search(index: _Index, words: Words, most: int) -> list[Match]:
    if words.pieces and not words.known:
        return _holding(index, words.pieces, most)
    found = _matching(index, words, most)
    return [_with_pieces(index, one, words.pieces) for one in found] if words.pieces else found


def _matching(index: _Index, words: Words, most: int) -> list[Match]:
    """Find rows by the index; keep those that contain all pieces."""
    start, end = _marks()
    name, source = quote(index.name), quote(index.table)
    snippets = ", ".join(
        f"snippet({name}, {number}, :start, :end, '…', {_TOKENS})"
        for number in range(len(index.columns))
    )
    holds, patterns = condition(source, index.columns, words.pieces)
    sql = (
        f"SELECT {source}.id, {name}.rank, {snippets} FROM {name}"
        f" JOIN {source} ON {source}.{_rowid(index.connection, index.table)} = {name}.rowid"
        f" WHERE {name}.{name} MATCH :match AND {holds} ORDER BY {name}.rank LIMIT :most"
    )
    match = words.syntax
    if match is None:
        match = matching(words.known, partial(_vocabulary, index))
    values = {"start": start, "end": end, "match": match, "most": most, **patterns}
    rows: Any = index.connection.execute(sql, values)
    return [
        Match(index.table, row_id, *_best(index.columns, texts, start, end), rank)
        for row_id, rank, *texts in rows
    ]


def _vocabulary(index: _Index, text: str) -> list[str]:
    """Return the words of an index that contain a text."""
    name = _literal(index.name)
    index.connection.execute(
        "DROP TABLE IF EXISTS temp._words;"
        f" CREATE VIRTUAL TABLE temp._words USING fts5vocab(main, {name}, row)"
    )
    sql = "SELECT term FROM temp._words WHERE instr(term, ?1) AND term <> ?1"
    rows: Any = index.connection.execute(sql, (text,))
    return [term for (term,) in rows]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _holding(index: _Index, pieces: Sequence[str], most: int) -> list[Match]:
    """Find rows without the index; the more often it contains the pieces, the better its rank."""
    source = quote(index.table)
    holds, patterns = condition(source, index.columns, pieces)
    texts = ", ".join(f"{source}.{quote(column)}" for column in index.columns)
    sql = f"SELECT {source}.id, {texts} FROM {source} WHERE {holds}"
    rows: Any = index.connection.execute(sql, patterns)
    found = (_held(index, row_id, cells, pieces) for row_id, *cells in rows)
    return nsmallest(most, found, key=lambda one: (one.rank, one.id))


def _held(index: _Index, row_id: str, cells: Sequence[Any], pieces: Sequence[str]) -> Match:
    """Return a match with the column in which the pieces occur most often."""
    wanted = pattern_of(pieces)
    texts = [str(cell or "") for cell in cells]
    counts = [sum(1 for _ in wanted.finditer(text)) for text in texts]
    number = max(range(len(texts)), key=lambda n: (counts[n], -n))
    snippet, marks = excerpt(texts[number], wanted)
    rank = -float(sum(counts))
    return Match(index.table, row_id, index.columns[number], snippet, marks, rank)


def _with_pieces(index: _Index, found: Match, pieces: Sequence[str]) -> Match:
    """Mark the pieces in a match of the index; use another snippet if this one contains none."""
    hits = {(hit.start(), hit.end()) for hit in pattern_of(pieces).finditer(found.snippet)}
    if hits:
        return msgspec.structs.replace(found, marks=apart({*found.marks, *hits}))
    texts = ", ".join(map(quote, index.columns))
    sql = f"SELECT {texts} FROM {quote(index.table)} WHERE id = ?"
    cells: Any = next(index.connection.execute(sql, (found.id,)))
    return msgspec.structs.replace(_held(index, found.id, cells, pieces), rank=found.rank)


def _best(
    columns: list[str], texts: list[str | None], start: str, end: str
) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    """Return the column with the most hits, its snippet, and the positions of the hits in it."""
    number = max(range(len(texts)), key=lambda n: ((texts[n] or "").count(start), -n))
    plain, *marked = (texts[number] or "").split(start)
    marks: list[tuple[int, int]] = []
    for piece in marked:
        hit, _, rest = piece.partition(end)
        marks.append((len(plain), len(plain) + len(hit)))
        plain += hit + rest
    return columns[number], plain, tuple(marks)


def _marks() -> tuple[str, str]:
    """Return two random texts as marks, which no document can contain."""
    secret = secrets.token_hex(8)
    return f"<{secret}>", f"</{secret}>"


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    columns: Any = connection.execute(f"PRAGMA table_info({quote(table)})")
    return [name for _, name, *_ in columns]


def _rowid(connection: apsw.Connection, table: str) -> str:
    return rowid_of(_columns(connection, table)) or ""
