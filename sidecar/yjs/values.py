"""Values of lib0's ``writeAny`` in Python, to be compared; and two encodings of one update.

The decoder writes some values otherwise than Yjs does: BigInts as the shortest number, -0 as 0,
keys of objects and clients of the delete set in an order of its own, and options of sub-documents
that Yjs leaves out.
"""

import struct
from typing import Any

from sidecar.yjs.update import Ranges, UpdateReader

_FLOAT32, _FLOAT64, _INT64 = struct.Struct(">f"), struct.Struct(">d"), struct.Struct(">q")
_FORMS = {122: (_INT64, 8), 123: (_FLOAT64, 8), 124: (_FLOAT32, 4)}
_CONSTANTS = {120: True, 121: False, 126: None, 127: "undefined"}
_LEVELS = 100
_SUB_DOCUMENT = {"gc": True, "encoding": 1, "shouldLoad": False, "autoLoad": False}
"""What the decoder adds to the options of a sub-document."""

_BACK = 4096
"""Bytes before a difference in which the object with it may begin."""
_STARTS = 40
"""Beginnings that are tried for one difference."""
_MOST_DIFFERENCES = 20_000
"""More of them are not explained: reading all structs is cheaper."""
_DELETIONS_BACK = 16
_BLOCK = 1 << 16


def end_of_same(data: bytes, again: bytes) -> int | None:
    """Tell where an update ends in a file, from what the decoder makes of it.

    Args:
        data: The file.
        again: The document that the decoder read from it, encoded again: the same structs in the
            same order.

    Returns:
        The end, up to which both say the same; None where they differ, or where they differ
        in spelling too often to compare quickly.
    """
    at, other = 0, 0
    for _ in range(_MOST_DIFFERENCES):
        same = _same_bytes(data, at, again, other)
        at, other = at + same, other + same
        if other == len(again):
            return at
        ends = _same_value(data, at, again, other) or _same_deletions(data, at, again, other)
        if ends is None:
            return None
        at, other = ends
        if other == len(again):
            return at
    return None


def _same_bytes(data: bytes, at: int, again: bytes, other: int) -> int:
    """Count the bytes that are equal from two places on."""
    start, size = at, 64
    most = min(len(data) - at, len(again) - other)
    while size:
        size = min(size, most - (at - start))
        if data[at : at + size] == again[other : other + size]:
            at, other = at + size, other + size
            if at - start == most:
                break
            size = min(2 * size, _BLOCK)
        else:
            most = min(most, at - start + size - 1)
            size //= 2
    return at - start


def _same_value(data: bytes, at: int, again: bytes, other: int) -> tuple[int, int] | None:
    """Find a value that is the same in both, written otherwise; return where it ends in both."""
    for back in _starts(data, at):
        if again[other - back : other - back + 1] not in _TAGS or back > other:
            continue
        try:
            value, end = _read(data, at - back)
            again_value, again_end = _read(again, other - back)
        except (ValueError, IndexError, struct.error):
            continue
        if end > at and again_end > other and _equal(value, again_value):
            return end, again_end
    return None


def _starts(data: bytes, at: int) -> list[int]:
    """Give distances back to where the value with a difference may begin."""
    found = [0, 1, 2]
    start = at
    for _ in range(_STARTS):
        start = data.rfind(b"v", max(0, at - _BACK), start)
        if start < 0:
            break
        found.append(at - start)
    return found


_TAGS = frozenset(bytes((tag,)) for tag in range(116, 128))


def _equal(value: Any, again: Any) -> bool:
    if value == again:
        return True
    is_object = isinstance(value, dict) and isinstance(again, dict)
    return is_object and {**_SUB_DOCUMENT, **value} == again


def _same_deletions(data: bytes, at: int, again: bytes, other: int) -> tuple[int, int] | None:
    """Find the delete set around a difference; both must say the same to the end."""
    for back in range(min(at, other, _DELETIONS_BACK) + 1):
        try:
            found, end = _deletions(data, at - back)
            again_found, again_end = _deletions(again, other - back)
        except ValueError:
            continue
        if again_end == len(again) and found == again_found:
            return end, again_end
    return None


def _deletions(data: bytes, at: int) -> tuple[Ranges, int]:
    reader = UpdateReader(data)
    reader.at = at
    return reader.deleted(), reader.at


def _read(data: bytes, at: int, depth: int = 0) -> tuple[Any, int]:
    """Read one value; NaN as a text, so that it equals itself."""
    tag, at = data[at], at + 1
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], at
    if tag in _FORMS:
        form, size = _FORMS[tag]
        value = float(form.unpack_from(data, at)[0])  # as the decoder writes a BigInt
        return (value if value == value else "nan"), at + size  # noqa: PLR0124 - NaN
    reader = UpdateReader(data)
    reader.at = at
    if tag in {116, 119}:
        return reader.blob(), reader.at
    if tag == 125:  # an integer
        return reader.integer(), reader.at
    if tag not in {117, 118} or depth == _LEVELS:
        message = f"there is no value with the tag {tag}"
        raise ValueError(message)
    return _container(reader, depth, data, is_object=tag == 118)


def _container(
    reader: UpdateReader, depth: int, data: bytes, *, is_object: bool
) -> tuple[Any, int]:
    count = reader.number()
    found: list[Any] = []
    for _ in range(count):
        key = reader.text() if is_object else None
        value, reader.at = _read(data, reader.at, depth + 1)
        found.append((key, value))
    if is_object:
        return dict(found), reader.at
    return [value for _, value in found], reader.at
