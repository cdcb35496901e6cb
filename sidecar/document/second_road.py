"""A document through pycrdt's public API: the second road, by which ``verify`` checks the first.

Nothing here is shared with the walk that builds mirrors (values, walk, layouts, definitions): it
is slow, plain, and says SPEC's sections 2 and 3 in words of its own.
"""

import base64
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import msgspec
import pycrdt

from sidecar.document.public import decoder_errors, open_update
from sidecar.model import EXACT_INTEGER, JSON_DEPTH, Cell
from sidecar.plain import NoMap, PlainRow, PlainTable, TooDeep, as_map

_TOO_DEEP = TooDeep()
_TEXTS = (pycrdt.Text, pycrdt.XmlElement, pycrdt.XmlFragment, pycrdt.XmlText)
_ARRAYS = "table:"
_Rows = dict[str, Any]


class _TooDeepError(Exception):
    """A value nests deeper than is shown."""


def read_plainly(data: bytes) -> list[PlainTable]:
    """Read all tables of a document.

    Args:
        data: One Yjs V1 update.

    Returns:
        The tables in no particular order. Their rows can be walked as long as they are held.

    Raises:
        DocumentUnavailableError: ``undecodable``.
    """
    doc = open_update(data)
    with decoder_errors():
        return [*_maps(doc), *_arrays(doc, data)]


def _maps(doc: pycrdt.Doc[Any]) -> Iterator[PlainTable]:
    definitions: _Rows = {}
    for root in ("schema", "definition"):
        definitions |= _entries(_entries(doc.get(root, type=pycrdt.Map)).get("tables"))
    found = _entries(doc.get("tables", type=pycrdt.Map))
    for name in definitions.keys() | found.keys():
        value = found.get(name, {})
        odd = not isinstance(value, (pycrdt.Map, dict))
        if name in definitions or odd or _entries(value):
            yield PlainTable(
                name=name,
                is_keyed_array=False,
                definition=_json_or_null(definitions.get(name)),
                rows=_walk(doc, _entries(value)),
            )


def _arrays(doc: pycrdt.Doc[Any], data: bytes) -> Iterator[PlainTable]:
    names = [name for name in doc.keys() if name.startswith(_ARRAYS)]  # noqa: SIM118 - no dict
    if not names:
        return
    # Indexing an array costs the square of its length; its first change event tells all of it.
    again: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    entries: dict[str, list[Any]] = {}
    observed = [again.get(name, type=pycrdt.Array) for name in names]
    for name, array in zip(names, observed, strict=True):
        array.observe(_inserted(entries.setdefault(name, [])))
    again.apply_update(data)
    for name in names:
        if entries[name]:
            yield PlainTable(
                name=name[len(_ARRAYS) :],
                is_keyed_array=True,
                definition=None,
                rows=_walk(again, _newest(entries[name])),
            )


def _inserted(entries: list[Any]) -> Callable[[pycrdt.ArrayEvent], None]:
    def note(event: pycrdt.ArrayEvent) -> None:
        for change in event.delta:  # type: ignore[attr-defined]
            entries.extend(change.get("insert", ()))

    return note


def _newest(entries: list[Any]) -> _Rows:
    """Give the value of each key's entry with the highest ts, the later one on a tie."""
    best: dict[str, tuple[float, Any]] = {}
    for entry in map(_entries, entries):
        key, ts = entry.get("key"), entry.get("ts")
        if not isinstance(key, str) or isinstance(ts, bool) or not isinstance(ts, (int, float)):
            continue
        if math.isnan(ts) or (key in best and best[key][0] > ts):
            continue
        best[key] = (ts, entry.get("val"))
    return {key: value for key, (_, value) in best.items()}


def _walk(doc: pycrdt.Doc[Any], rows: _Rows) -> Callable[[], Iterator[tuple[str, PlainRow]]]:
    def walk() -> Iterator[tuple[str, PlainRow]]:
        for key in sorted(rows):
            with doc.transaction():
                row = _row(rows[key])
            yield key, row

    return walk


def _row(row: Any) -> PlainRow:
    if isinstance(row, (pycrdt.Map, dict)):
        return {field: _cell(value) for field, value in _entries(row).items()}
    return NoMap(_json_or_null(row))


def _entries(value: Any) -> _Rows:
    """Give the entries of a map or object; anything else has none."""
    if not _is_map(value):
        return as_map(value)
    with value.doc.transaction():
        return {key: _get(value, key) for key in value.keys()}  # noqa: SIM118 - no dict


def _is_map(value: Any) -> TypeGuard[pycrdt.Map[Any]]:
    return isinstance(value, pycrdt.Map)


def _get(value: pycrdt.Map[Any], key: str) -> Any:
    try:
        return value[key]
    except (KeyError, ValueError):  # damaged: named, and not held
        return None


def _cell(value: Any) -> Cell:
    if isinstance(value, float) and not math.isfinite(value):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return _json(value)
    except _TooDeepError:
        return _TOO_DEEP


def _json_or_null(value: Any) -> Cell:
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
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (*_TEXTS, pycrdt.Doc)):
        return _text(value)
    if depth == JSON_DEPTH:
        raise _TooDeepError
    if isinstance(value, (pycrdt.Map, dict)):
        return {key: _json(item, depth + 1) for key, item in _entries(value).items()}
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
    inner = "".join(_xml(child, depth + 1) for child in node.children)
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
