"""A document through pycrdt's public API: what ``verify`` checks mirrors against.

Nothing here is shared with the walk that builds mirrors (values, walk, layouts, definitions): it
is slow, plain, and states the rules of docs/format.md in words of its own.
"""

import binascii
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import entries
from sidecar.model import EXACT_INTEGER, JSON_DEPTH, Cell, as_map
from sidecar.reference.roots import RawRow, RawTable
from sidecar.reference.tables import raw_tables
from sidecar.reference.values import Displaced, NoMap, PlainRow, PlainTable, TooDeep

_TOO_DEEP = TooDeep()
_TEXTS = (pycrdt.Text, pycrdt.XmlElement, pycrdt.XmlFragment, pycrdt.XmlText)


class _TooDeepError(Exception):
    """A value nests deeper than is shown."""


def read_reference(data: bytes, chosen: Sequence[str] = ()) -> list[PlainTable]:
    """Read all tables of a document.

    Args:
        data: One Yjs V1 update.
        chosen: What is shown beside the known layouts, as in ``Options.tables``.

    Returns:
        The tables in no particular order. Their rows can be walked as long as they are held.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    return [
        PlainTable(
            name=table.name,
            layout=table.layout,
            definition=as_json(table.definition),
            is_defined=table.is_defined,
            added=table.added,
            rows=_walk(table),
        )
        for table in raw_tables(data, chosen)
    ]


def _walk(table: RawTable) -> Callable[[], Iterator[tuple[str, PlainRow]]]:
    def walk() -> Iterator[tuple[str, PlainRow]]:
        for key in sorted(table.rows):
            with table.doc.transaction():
                row = _row(table.rows[key])
            yield key, row

    return walk


def _row(row: Any) -> PlainRow:
    if isinstance(row, RawRow):
        fields = {field: _cell(value) for field, value in entries(row.fields).items()}
        cells = {**fields, **{column: _cell(value) for column, value in row.added.items()}}
        return Displaced(cells, {name: fields[name] for name in fields.keys() & row.added})
    if isinstance(row, (pycrdt.Map, dict)):
        return {field: _cell(value) for field, value in entries(row).items()}
    return NoMap(as_json(row))


def _cell(value: Any) -> Cell:
    if isinstance(value, float) and not math.isfinite(value):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return _json(value)
    except _TooDeepError:
        return _TOO_DEEP


def as_json(value: Any) -> Cell:
    """Give a value as JSON.stringify would, None where it nests too deep."""
    try:
        return _json(value)
    except _TooDeepError:
        return None


def _json(value: Any, depth: int = 0) -> Cell:
    """Give a value as JSON.stringify would: no NaN, no infinities, integral floats as integers."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return _number(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, (*_TEXTS, pycrdt.Doc)):
        return _text(value)
    if depth == JSON_DEPTH:
        raise _TooDeepError
    if isinstance(value, (pycrdt.Map, dict)):
        return {key: _json(item, depth + 1) for key, item in entries(value).items()}
    return [_json(item, depth + 1) for item in value]


def _number(value: float) -> float:
    return int(value) if value.is_integer() and abs(value) <= EXACT_INTEGER else value


def _text(value: Any) -> str:
    if isinstance(value, pycrdt.Doc):
        return value.guid
    if isinstance(value, pycrdt.Text):
        return "".join(piece for piece, _ in value.diff() if isinstance(piece, str))
    return _xml(value)


def _xml(node: Any, depth: int = 0) -> str:
    """Write XML as Yjs does: tags in lower case, attributes and formats by name, no escaping."""
    if isinstance(node, pycrdt.XmlText):
        pieces = [_formatted(text, formats or {}) for text, formats in node.diff()]
        return "".join(pieces)
    if depth == JSON_DEPTH:
        raise _TooDeepError
    inner = "".join([_xml(child, depth + 1) for child in node.children])
    if isinstance(node, pycrdt.XmlFragment):
        return inner
    tag = str(node.tag).lower()
    return f"<{tag}{_attributes(dict(node.attributes))}>{inner}</{tag}>"


def _formatted(piece: Any, formats: dict[str, Any]) -> str:
    text: str = piece if isinstance(piece, str) else ""
    if not text:  # an embed
        return ""
    for name in sorted(formats, reverse=True):
        text = f"<{name}{_attributes(as_map(formats[name]))}>{text}</{name}>"
    return text


def _attributes(attributes: dict[str, Any]) -> str:
    return "".join(f' {name}="{_string(attributes[name])}"' for name in sorted(attributes))


def _string(value: Any) -> str:
    """Give an attribute as JavaScript's String() shows a number, a text or a boolean."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(_json(value), order="sorted").decode()
