"""The structs of a Yjs V1 update, read in Python, for files that must not meet the decoder.

What lies beside the documents comes from peers as well, and a file that ends a process or does
not decode still has something to say: who wrote it, into which roots, how far it is whole. The
format is Yjs's: UpdateEncoderV1, ``writeStructs``, ``writeDeleteSet``; lib0's encoding.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from sidecar.yjs.encoding import CutShortError, read_varuint, utf16_units

Id = tuple[int, int]
"""Client and clock."""

Ranges = dict[int, list[tuple[int, int]]]
"""Client -> clock and length of each range."""

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOC, SKIP = range(11)
"""Yjs's content references: what a struct holds."""
HAS_ORIGIN, HAS_RIGHT, HAS_KEY = 0x80, 0x40, 0x20
"""Flags beside the reference."""
NAMED_TYPES = (3, 5)
"""XML elements and hooks carry their tag."""
_LAST_TYPE = 6
_SAFE_BITS = 53
_LONG = 5
"""Bytes of most client ids, which are 32 random bits: by them they are known again."""

_KIND = 0x1F
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
        data: The update.
        has_bigint: It has passed a BigInt, which the decoder writes in fewer bytes.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        """Begin at the front of an update, or at a place where something begins."""
        self.at: int = at
        self.has_bigint = False
        self.data = data
        self._clients: dict[bytes, int] = {}

    def structs(self) -> Iterator[Struct]:
        """Read all structs, grouped by client, without those that stand for a gap.

        Raises:
            ValueError: The update ends or makes no sense; what was given before does.
        """
        for _, structs in self.sections():
            for found, _ in structs:
                if found.kind != SKIP:
                    yield found

    def sections(self) -> Iterator[tuple[int, Iterator[tuple[Struct, int]]]]:
        """Read all structs, client by client, each with the end of its content.

        A section must be read before the next one is asked for.

        Raises:
            ValueError: As ``structs``.
        """
        for _ in range(self.number()):
            count, client, clock = self.number(), self.number(), self.number()
            yield client, self._section(count, client, clock)

    def _section(self, count: int, client: int, clock: int) -> Iterator[tuple[Struct, int]]:
        for _ in range(count):
            found = self.struct(client, clock)
            clock += found.length
            yield found, self.at

    def deleted(self) -> Ranges:
        """Read the delete set, which follows the structs.

        Raises:
            ValueError: The update ends or makes no sense.
        """
        ranges: Ranges = {}
        for _ in range(self.number()):
            client = self.number()
            flat = self._numbers(2 * self.number())
            ranges.setdefault(client, []).extend(zip(flat[::2], flat[1::2], strict=True))
        return ranges

    def state_vector(self) -> dict[int, int]:
        """Read a state vector, which follows the delete set in a snapshot.

        Raises:
            ValueError: The bytes end or make no sense.
        """
        vector: dict[int, int] = {}
        for _ in range(self.number()):
            client = self.number()
            vector[client] = self.number()
        return vector

    def number(self) -> int:
        """Read one unsigned number.

        Raises:
            ValueError: The update ends, or no Yjs can write such a number.
        """
        data, at = self.data, self.at
        try:
            first = data[at]
            if first < 0x80:  # most are
                self.at = at + 1
                return first
            second = data[at + 1]
            if second < 0x80:
                self.at = at + 2
                return first & 0x7F | second << 7
        except IndexError:
            pass
        value, self.at = read_varuint(self.data, self.at)
        if value >> _SAFE_BITS:
            message = "a number is larger than JavaScript has them"
            raise ValueError(message)
        return value

    def _numbers(self, count: int) -> list[int]:
        """Read some unsigned numbers: a document of many edits has 100,000 of them at its end."""
        data, at = self.data, self.at
        found: list[int] = []
        add = found.append
        try:
            for _ in range(count):
                first = data[at]
                if first < 0x80:
                    at += 1
                    add(first)
                    continue
                second, third = data[at + 1], data[at + 2]
                if second < 0x80:
                    at += 2
                    add(first & 0x7F | second << 7)
                elif third < 0x80:
                    at += 3
                    add(first & 0x7F | (second & 0x7F) << 7 | third << 14)
                else:
                    self.at = at
                    add(self.number())
                    at = self.at
        except IndexError:  # near the end
            self.at = at
            return found + [self.number() for _ in range(count - len(found))]
        self.at = at
        return found

    def integer(self) -> int:
        """Read one signed number.

        Raises:
            ValueError: The update ends.
        """
        value, self.at = _varint(self.data, self.at)
        return value

    def text(self) -> str:
        """Read one text.

        Raises:
            ValueError: The update ends, or this is no UTF-8.
        """
        return self.blob().decode()

    def blob(self) -> bytes:
        """Read bytes behind their length.

        Raises:
            ValueError: The update ends.
        """
        return self.take(self.number())

    def byte(self) -> int:
        """Read one byte.

        Raises:
            ValueError: The update ends.
        """
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """Read so many bytes.

        Raises:
            ValueError: The update ends.
        """
        start = self.at
        self.at = end = start + count
        data = self.data
        if end > len(data):
            self.at = start
            raise CutShortError(f"the update ends after {len(data)} bytes, inside a struct")
        return data[start:end]

    def pass_any(self) -> None:  # noqa: C901 - one loop, written for speed
        """Pass over one value of lib0's ``writeAny``, however deep it nests.

        Most of what is not a plain struct is JSON, so this is written for speed: 0.5 us a node.
        """
        data, at = self.data, self.at
        outside: list[tuple[int, bool]] = []
        left, is_object = 1, False  # values to come in this container, whether each has a key
        try:
            while left or outside:
                if not left:
                    left, is_object = outside.pop()
                    continue
                left -= 1
                if is_object:
                    at = _behind_text(data, at)
                tag, at = data[at], at + 1
                if tag == _TEXT:
                    at = _behind_text(data, at)
                elif tag == _BYTES:
                    at = _behind_bytes(data, at)
                elif tag == _INTEGER:
                    while data[at] & 0x80:
                        at += 1
                    at += 1
                elif tag in _WIDTHS:
                    at += _WIDTHS[tag]
                    self.has_bigint |= tag == _BIGINT
                elif tag in _CONTAINERS:
                    outside.append((left, is_object))
                    left, at = read_varuint(data, at)
                    is_object = tag == _OBJECT
                else:
                    message = f"there is no value with the tag {tag}"
                    raise ValueError(message)
        except IndexError:
            at = len(data) + 1
        self.take(at - self.at)

    def elements(self, kind: int) -> list[bytes]:
        """Read the content of an item of kind ``ANY`` or ``JSON``, element by element.

        Raises:
            ValueError: The update ends or makes no sense.
        """
        found: list[bytes] = []
        for _ in range(self.number()):
            start = self.at
            self.blob() if kind == JSON else self.pass_any()
            found.append(self.data[start : self.at])
        return found

    def struct(
        self,
        client: int,
        clock: int,
        *,
        end: int | None = None,
        known: bytes = b"",
        elements: int = 0,
    ) -> Struct:
        """Read one struct.

        Args:
            client: Who wrote it.
            clock: Of its first element.
            end: Where a list of plain values ends, if that is known.
            known: Bytes of as many elements that such a list may begin with: they are not read.
            elements: How many these are.

        Raises:
            ValueError: The update ends or makes no sense.
        """
        info = self.byte()
        kind = info & _KIND
        if kind in {GC, SKIP}:
            at = self.at
            return Struct(client, clock, self.number(), kind, None, None, None, None, at)
        left = self._id() if info & HAS_ORIGIN else None
        right = self._id() if info & HAS_RIGHT else None
        parent: str | Id | None = None
        key: str | None = None
        if left is None and right is None:
            parent = self.text() if self.number() == 1 else self._id()
            key = self.text() if info & HAS_KEY else None
        at = self.at
        if kind == ANY and (end or known):
            length = self._list(end, known, elements)
        else:
            length = self._content(kind)
        return Struct(client, clock, length, kind, left, right, parent, key, at)

    def _list(self, end: int | None, known: bytes, elements: int) -> int:
        """Pass over a list of plain values of which the end or the beginning is known."""
        count = self.number()
        if end is not None:
            self.at = end
            return count
        left = count
        if elements <= count and self.data.startswith(known, self.at):
            self.at += len(known)
            left -= elements
        for _ in range(left):
            self.pass_any()
        return count

    def _content(self, kind: int) -> int:
        """Pass over the content of an item and return its length in elements."""
        if kind == STRING:
            return utf16_units(self.text())
        if kind == DELETED:
            return self.number()
        if kind in {JSON, ANY}:
            count = self.number()
            passes = self._pass_text if kind == JSON else self.pass_any
            for _ in range(count):
                passes()
            return count
        if kind == BINARY:
            self.blob()
        elif kind == EMBED:
            self._pass_text()
        elif kind == FORMAT:
            self._pass_text()
            self._pass_text()
        elif kind == TYPE:
            self._pass_type()
        elif kind == DOC:
            self._pass_text()
            self.pass_any()
        else:
            message = f"there is no content of kind {kind}"
            raise ValueError(message)
        return 1

    def _pass_type(self) -> None:
        kind = self.number()
        if kind in NAMED_TYPES:
            self._pass_text()
        elif kind > _LAST_TYPE:
            message = f"there is no shared type {kind}"
            raise ValueError(message)

    def _id(self) -> Id:
        at = self.at
        seen = self.data[at : at + _LONG]
        client = self._clients.get(seen)
        if client is None:
            client = self.number()
            if self.at - at == _LONG:
                self._clients[seen] = client
        else:
            self.at = at + _LONG
        return client, self.number()

    def _pass_text(self) -> None:
        text = self.blob()
        if not text.isascii():
            text.decode()


_BIGINT, _INTEGER, _OBJECT, _TEXT, _BYTES = 122, 125, 118, 119, 116
_CONTAINERS = (117, _OBJECT)
_WIDTHS = {120: 0, 121: 0, _BIGINT: 8, 123: 8, 124: 4, 126: 0, 127: 0}
"""Bytes behind each tag of lib0: true, false, int64, float64, float32, null, undefined."""


def _behind_text(data: bytes, at: int) -> int:
    size = data[at]
    if size < 0x80:  # most are
        at += 1
    else:
        size, at = read_varuint(data, at)
    end = at + size
    text = data[at:end]
    if not text.isascii() and end <= len(data):  # else it is cut, which the caller sees
        text.decode()  # Yjs refuses an update with a text that is none
    return end


def _behind_bytes(data: bytes, at: int) -> int:
    size, at = read_varuint(data, at)
    return at + size


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
    if tag == 119:  # text
        size, at = read_varuint(data, at)
        return data[at : at + size].decode("utf-8", "replace")
    if tag == 125:  # integer
        return _varint(data, at)[0]
    forms = {122: _INT64, 123: _FLOAT64, 124: _FLOAT32}
    if tag in forms:
        return forms[tag].unpack_from(data, at)[0]
    return {120: True, 121: False}.get(tag)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a lib0 signed integer: sign and six bits, then seven bits a byte."""
    if at >= len(data):
        raise CutShortError("a variable-length integer does not end")
    first = data[at]
    value, at = first & 0x3F, at + 1
    if first & 0x80:
        rest, at = read_varuint(data, at)
        value |= rest << 6
    return (-value if first & 0x40 else value), at
