"""A document through pycrdt's public API: what ``verify`` checks mirrors against.

Nothing here is shared with the walk that builds mirrors (values, walk, layouts, definitions): it
is slow, plain, and states the rules of docs/format.md in words of its own.
"""

import binascii
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pycrdt

from sidecar.document.public_api import entries
from sidecar.model import EXACT_INTEGER, JSON_DEPTH, Cell
from sidecar.reference.aside import Aside
from sidecar.reference.roots import RawRow, RawTable
from sidecar.reference.tables import raw_tables
from sidecar.reference.values import Displaced, NoMap, PlainRow, PlainTable, TooDeep
from sidecar.reference.xml import DeepError, XmlPrinter, text_of

_TOO_DEEP = TooDeep()
_TEXTS = (pycrdt.Text, pycrdt.XmlElement, pycrdt.XmlFragment, pycrdt.XmlText)


def read_reference(
    data: bytes, chosen: Sequence[str] = (), columns: Mapping[str, Sequence[str]] | None = None
) -> list[PlainTable]:
    """Read all tables of a document.

    Args:
        data: One Yjs V1 update.
        chosen: What is shown beside the known layouts, as in ``Options.tables``.
        columns: Those that tables named by patterns have had, as in ``Options.columns``.

    Returns:
        The tables in no particular order. Their rows can be walked as long as they are held.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    aside = Aside(data)
    return [
        PlainTable(
            name=table.name,
            layout=table.layout,
            definition=as_json(table.definition, aside),
            is_defined=table.is_defined,
            added=table.added,
            kept=tuple((columns or {}).get(table.place, ())),
            rows=_walk(table, aside),
        )
        for table in raw_tables(data, chosen)
    ]


def _walk(table: RawTable, aside: Aside) -> Callable[[], Iterator[tuple[str, PlainRow]]]:
    def walk() -> Iterator[tuple[str, PlainRow]]:
        for key in sorted(table.rows):
            with table.doc.transaction():
                row = _row(table.rows[key], aside)
            yield key, row

    return walk


def _row(row: Any, aside: Aside) -> PlainRow:
    if isinstance(row, RawRow):
        fields = {field: _cell(value, aside) for field, value in entries(row.fields).items()}
        cells = {**fields, **{column: _cell(value, aside) for column, value in row.added.items()}}
        return Displaced(cells, {name: fields[name] for name in fields.keys() & row.added})
    if isinstance(row, (pycrdt.Map, dict)):
        return {field: _cell(value, aside) for field, value in entries(row).items()}
    return NoMap(as_json(row, aside))


def _cell(value: Any, aside: Aside) -> Cell:
    if isinstance(value, float) and not math.isfinite(value):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return _json(value, aside)
    except DeepError:
        return _TOO_DEEP


def as_json(value: Any, aside: Aside) -> Cell:
    """Give a value as JSON.stringify would, None where it nests too deep."""
    try:
        return _json(value, aside)
    except DeepError:
        return None


def _json(value: Any, aside: Aside, depth: int = 0) -> Cell:
    """Give a value as JSON.stringify would: no NaN, no infinities, integral floats as integers."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (*_TEXTS, pycrdt.Doc)):
        return _text(value, aside)
    if isinstance(value, float):
        return _number(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    if depth == JSON_DEPTH:
        raise DeepError
    if isinstance(value, (pycrdt.Map, dict)):
        return {key: _json(item, aside, depth + 1) for key, item in entries(value).items()}
    held: Any = value
    elements: list[Any] = aside.elements(held) if isinstance(value, pycrdt.Array) else held
    return [_json(item, aside, depth + 1) for item in elements]


def _text(value: Any, aside: Aside) -> str:
    if isinstance(value, pycrdt.Doc):
        return value.guid
    return text_of(value) if isinstance(value, pycrdt.Text) else XmlPrinter(aside).node(value)


def _number(value: float) -> float:
    return int(value) if value.is_integer() and abs(value) <= EXACT_INTEGER else value
