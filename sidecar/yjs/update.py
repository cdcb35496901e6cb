"""The structs of a Yjs V1 update, read in Python, for files that must not meet the decoder.

What lies beside the documents comes from peers as well, and a file that ends a process or does
not decode still has something to say: who wrote it, into which roots, how far it is whole. The
format is Yjs's: UpdateEncoderV1, ``writeStructs``, ``writeDeleteSet``; lib0's encoding.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from sidecar.yjs.encoding import read_varuint

Id = tuple[int, int]
"""Client and clock."""

Ranges = dict[int, list[tuple[int, int]]]
"""Client -> clock and length of each range."""

GC, DELETED, STRING, EMBED, FORMAT, TYPE, ANY, DOC = 0, 1, 4, 5, 6, 7, 8, 9
_JSON, _BINARY, _SKIP = 2, 3, 10
_NAMED_TYPES = (3, 5)
"""XML elements and hooks carry their tag."""
_LAST_TYPE = 6
_SAFE_BITS = 53

_HAS_ORIGIN, _HAS_RIGHT, _HAS_KEY, _KIND = 0x80, 0x40, 0x20, 0x1F
_FLOAT32, _FLOAT64, _INT64 = struct.Struct(">f"), struct.Struct(">d"), struct.Struct(">q")


class Struct(NamedTuple):
    """One struct: an item, or what is left of collected ones.

    Attributes:
        client: Who wrote it.
        clock: Of its first element.
        length: Elements, each with a clock.
        kind: ``GC`` and the others: Yjs's content references.
        left: What it was written behind, None at the front.
        right: What it was written before, None at the end.
        parent: Name of a root, or the id of a type; None where it is the origin's.
        key: In a map; None where it is the origin's, or where the parent is no map.
        at: Where its content begins in the update.
    """

    client: int
    clock: int
    length: int
    kind: int
    left: Id | None
    right: Id | None
    parent: str | Id | None
    key: str | None
    at: int


class UpdateReader:
    """Reads one update from front to back.

    Attributes:
        at: How far it has read, in bytes.
    """

    def __init__(self, data: bytes) -> None:
        """Begin at the front of an update."""
        self.at = 0
        self._data = data

    def structs(self) -> Iterator[Struct]:
        """Read all structs, grouped by client.

        Raises:
            ValueError: The update ends or makes no sense; what was given before does.
        """
        for _ in range(self._varuint()):
            count, client, clock = self._varuint(), self._varuint(), self._varuint()
            for _ in range(count):
                found = self._struct(client, clock)
                clock += found.length
                if found.kind != _SKIP:
                    yield found

    def deleted(self) -> Ranges:
        """Read the delete set, which follows the structs.

        Raises:
            ValueError: The update ends or makes no sense.
        """
        ranges: Ranges = {}
        for _ in range(self._varuint()):
            client = self._varuint()
            found = ranges.setdefault(client, [])
            for _ in range(self._varuint()):
                found.append((self._varuint(), self._varuint()))
        return ranges

    def state_vector(self) -> dict[int, int]:
        """Read a state vector, which follows the delete set in a snapshot.

        Raises:
            ValueError: The bytes end or make no sense.
        """
        vector: dict[int, int] = {}
        for _ in range(self._varuint()):
            client = self._varuint()
            vector[client] = self._varuint()
        return vector

    def _struct(self, client: int, clock: int) -> Struct:
        info = self._byte()
        kind = info & _KIND
        if kind in {GC, _SKIP}:
            at = self.at
            return Struct(client, clock, self._varuint(), kind, None, None, None, None, at)
        left = self._id() if info & _HAS_ORIGIN else None
        right = self._id() if info & _HAS_RIGHT else None
        parent: str | Id | None = None
        key: str | None = None
        if left is None and right is None:
            parent = self._text() if self._varuint() == 1 else self._id()
            key = self._text() if info & _HAS_KEY else None
        at = self.at
        length = self._content(kind)
        return Struct(client, clock, length, kind, left, right, parent, key, at)

    def _content(self, kind: int) -> int:
        """Pass over the content of an item and return its length in elements."""
        if kind == DELETED:
            return self._varuint()
        if kind == STRING:
            return _utf16_units(self._bytes())
        if kind in {_JSON, ANY}:
            count = self._varuint()
            for _ in range(count):
                self._bytes() if kind == _JSON else self._pass_any()
            return count
        if kind in {_BINARY, EMBED}:
            self._bytes()
        elif kind == FORMAT:
            self._bytes()
            self._bytes()
        elif kind == TYPE:
            self._pass_type()
        elif kind == DOC:
            self._bytes()
            self._pass_any()
        else:
            message = f"there is no content of kind {kind}"
            raise ValueError(message)
        return 1

    def _pass_type(self) -> None:
        kind = self._varuint()
        if kind in _NAMED_TYPES:
            self._bytes()
        elif kind > _LAST_TYPE:
            message = f"there is no shared type {kind}"
            raise ValueError(message)

    def _pass_any(self) -> None:
        """Pass over one value of lib0's ``writeAny``, however deep it nests."""
        open_containers: list[list[int]] = [[1, 0]]  # values to come, whether each has a key
        while open_containers:
            left = open_containers[-1]
            if not left[0]:
                open_containers.pop()
                continue
            left[0] -= 1
            if left[1]:
                self._bytes()
            tag = self._byte()
            if tag in {117, 118}:
                open_containers.append([self._varuint(), tag == 118])  # noqa: PLR2004 - object
            else:
                self._pass_scalar(tag)

    def _pass_scalar(self, tag: int) -> None:
        if tag in {116, 119}:
            self._bytes()
        elif tag == 125:  # noqa: PLR2004 - lib0's tag of an integer
            while self._byte() & 0x80:
                pass
        elif tag in _WIDTHS:
            self._take(_WIDTHS[tag])
        else:
            message = f"there is no value with the tag {tag}"
            raise ValueError(message)

    def _varuint(self) -> int:
        at = self.at
        if at < len(self._data) and (byte := self._data[at]) < 0x80:  # noqa: PLR2004 - most are
            self.at = at + 1
            return byte
        value, self.at = read_varuint(self._data, self.at)
        if value >> _SAFE_BITS:
            message = "a number is larger than JavaScript has them"
            raise ValueError(message)
        return value

    def _id(self) -> Id:
        return self._varuint(), self._varuint()

    def _text(self) -> str:
        return self._bytes().decode("utf-8", "replace")

    def _bytes(self) -> bytes:
        return self._take(self._varuint())

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, count: int) -> bytes:
        start, self.at = self.at, self.at + count
        if self.at > len(self._data):
            self.at = start
            message = f"the update ends after {len(self._data)} bytes, inside a struct"
            raise ValueError(message)
        return self._data[start : self.at]


_WIDTHS = {120: 0, 121: 0, 122: 8, 123: 8, 124: 4, 126: 0, 127: 0}
"""Bytes behind each tag of lib0: true, false, int64, float64, float32, null, undefined."""


def scalar(data: bytes, at: int) -> Any:
    """Read the first value of an item of kind ``ANY``.

    Args:
        data: The update.
        at: Where the item's content begins.

    Returns:
        None, bool, int, float or str; None for containers, bytes and undefined too.

    Raises:
        ValueError: The update ends.
    """
    _, at = read_varuint(data, at)
    tag, at = data[at], at + 1
    if tag == 119:  # noqa: PLR2004 - text
        size, at = read_varuint(data, at)
        return data[at : at + size].decode("utf-8", "replace")
    if tag == 125:  # noqa: PLR2004 - integer
        return _varint(data, at)
    forms = {122: _INT64, 123: _FLOAT64, 124: _FLOAT32}
    if tag in forms:
        return forms[tag].unpack_from(data, at)[0]
    return {120: True, 121: False}.get(tag)


def _varint(data: bytes, at: int) -> int:
    """Read a lib0 signed integer: sign and six bits, then seven bits a byte."""
    first = data[at]
    value = first & 0x3F
    if first & 0x80:
        rest, _ = read_varuint(data, at + 1)
        value |= rest << 6
    return -value if first & 0x40 else value


def _utf16_units(text: bytes) -> int:
    """Count a text as JavaScript does."""
    if text.isascii():
        return len(text)
    return len(text.decode().encode("utf-16-le")) // 2
