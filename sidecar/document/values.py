"""CRDT values to cells: one canonical form for whatever a document holds, without side effects.

The walk uses the objects of pycrdt's extension, not its public wrappers, which cost three to five
times the decode. That is private API: pyproject pins the minor version and
tests/unit/document/test_values.py notices a change.
"""

import binascii
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TypeGuard

import msgspec

from sidecar.document.extension import (
    Array,
    Doc,
    Map,
    Text,
    Transaction,
    XmlElement,
    XmlFragment,
    XmlText,
)
from sidecar.document.lifted import offered
from sidecar.document.xml import TooDeepError, render
from sidecar.javascript import JsonNumber, json_number
from sidecar.model import EXACT_INTEGER, JSON_DEPTH, Cell

Unshown = Callable[[int, TooDeepError], None]
"""Called with the value that cannot be shown, and why."""

_AS_IS = frozenset((str, bool, type(None)))
_INT64 = 2**63
_EXACT = EXACT_INTEGER


def number(value: float) -> float:
    """Give a JavaScript number its one form: int when integral and exact, else float."""
    if value.is_integer() and -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return int(value)
    return value


def column(values: Sequence[Any], txn: Transaction, unshown: Unshown) -> list[Cell]:
    """Make one column of raw values into cells.

    Columns of one kind are the rule, so the kinds are found first and the common ones are done
    without a call per cell; the result is the same as ``cell`` for each.

    Args:
        values: What the walk found.
        txn: The transaction of the walk.
        unshown: Called with the index of each value that cannot be shown; its cell is None.
    """
    kinds = set(map(type, values))
    if kinds <= _AS_IS:
        return list(values)
    if kinds == {float} and (whole := _integers(values)) is not None:
        return whole
    if kinds <= _AS_IS | {float}:
        return [  # ``number``, without a call for each
            int(value)
            if type(value) is float and value.is_integer() and -_EXACT <= value <= _EXACT
            else value
            for value in values
        ]
    if kinds == {list} and set(map(type, chain.from_iterable(values))) <= _AS_IS:
        return list(values)
    return [_guarded(value, txn, unshown, index) for index, value in enumerate(values)]


def _integers(values: Sequence[float]) -> list[Cell] | None:
    """Give numbers as ``number`` does where all are integral and exact, else None.

    Most columns of numbers are; a call for each value costs three times as much.
    """
    if not values[0].is_integer():
        return None
    try:
        found = list(map(int, values))
    except (OverflowError, ValueError):  # infinities and NaN
        return None
    is_exact = found == values and min(found) >= -_EXACT and max(found) <= _EXACT
    return [*found] if is_exact else None


def cell(value: Any, txn: Transaction) -> Cell:
    """Make one raw value into a cell.

    Returns:
        None, bool, int within int64, float, str, bytes, or a list or dict of ``plain`` values.

    Raises:
        TooDeepError: It nests deeper than ``JSON_DEPTH``.
    """
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (bytearray, bytes)):
        return bytes(value)
    return plain(value, txn)


def plain(value: Any, txn: Transaction, depth: int = 0) -> Cell:
    """Make a value into canonical JSON: what ``JSON.stringify`` shows, and bytes as base64.

    Raises:
        TooDeepError: It nests deeper than ``JSON_DEPTH``.
    """
    leaf = _LEAVES.get(value.__class__)
    if leaf is not None:
        return leaf(value, txn)
    if depth == JSON_DEPTH:
        raise TooDeepError
    return _container(value, txn, depth + 1)


def entries(value: Map, txn: Transaction) -> Iterable[tuple[str, Any]]:
    """Give the entries of a map in the order of its keys; what is damaged is None."""
    get = value.get
    for key in sorted(value.keys(txn)):
        try:
            yield key, get(txn, key)
        except ValueError:  # named, and not held
            yield key, None


def items(value: Array, txn: Transaction) -> list[Any]:
    """Give the elements of an array."""
    return _items(value, txn)[0]


def _items(value: Array, txn: Transaction) -> tuple[list[Any], Transaction]:
    """Give the elements of an array, and the transaction that they are read with.

    By index costs the square of the length once edits have split an array.
    """
    size, lifting = value.len(txn), offered()
    found = lifting.of_array(value, txn, size) if lifting else None
    if found is not None:
        return found
    get = value.get
    return [get(txn, index) for index in range(size)], txn


def _container(value: Any, txn: Transaction, depth: int) -> Cell:
    if type(value) in (dict, list):
        text = _to_json(value)
        if text.count(b"[") + text.count(b"{") <= JSON_DEPTH + 1 - depth:
            return _of_json(text)
    if isinstance(value, Array):
        value, txn = _items(value, txn)
    if _is_list(value):
        return [plain(item, txn, depth) for item in value]
    pairs = entries(value, txn) if isinstance(value, Map) else sorted(value.items())
    return {key: plain(item, txn, depth) for key, item in pairs}


def _to_json(value: Any) -> bytes:
    """Write plain JSON, which holds no shared types: sorted, bytes as base64, NaN as null.

    Reading it back gives the canonical value three times as fast as a walk over its nodes.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise TooDeepError from None


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _guarded(value: Any, txn: Transaction, unshown: Unshown, index: int) -> Cell:
    try:
        return cell(value, txn)
    except TooDeepError as error:
        unshown(index, error)
        return None


def _itself(value: Any, _txn: Transaction) -> Cell:
    return value


def _finite(value: float, _txn: Transaction) -> Cell:
    return json_number(value) if -_INFINITY < value < _INFINITY else None


def _integer(value: int, _txn: Transaction) -> Cell:
    return value if -_INT64 <= value < _INT64 else JsonNumber(value)


def _base64(value: bytes, _txn: Transaction) -> Cell:
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def _text(value: Any, txn: Transaction) -> Cell:
    return value.get_string(txn)


def _guid(value: Doc, _txn: Transaction) -> Cell:
    return value.guid()


_encode = msgspec.json.Encoder(order="sorted").encode
_of_json = msgspec.json.Decoder(float_hook=lambda text: json_number(float(text))).decode
_INFINITY = float("inf")
_LEAVES: dict[type, Callable[[Any, Transaction], Cell]] = {
    str: _itself,
    bool: _itself,
    type(None): _itself,
    float: _finite,
    int: _integer,
    bytes: _base64,
    bytearray: _base64,
    Text: _text,
    XmlElement: render,
    XmlFragment: render,
    XmlText: render,
    Doc: _guid,
}
