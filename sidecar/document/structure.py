"""A second reading of an update's bytes: where it ends, and whether Yjs would take all of it.

yrs is more lenient than Yjs: it drops what refers to nothing and shows what lies past a gap, where
Yjs throws or keeps back. So when the decoder's result does not account for a file, the bytes are
read here, struct by struct (Yjs, UpdateDecoderV1). In Python that takes three times as long as
the decoder, which is why it is not asked about every document.
"""

from sidecar.document.reading import read_varuint

_GC, _SKIP = 0, 10
_DELETED, _JSON, _BINARY, _STRING, _EMBED, _FORMAT, _TYPE, _ANY, _DOC = range(1, 10)
_KIND_BITS, _ORIGIN, _RIGHT_ORIGIN, _KEY = 0x1F, 0x80, 0x40, 0x20
_NAMED_TYPES, _LAST_TYPE = (3, 5), 6
_PARENT_IS_ROOT = 1
_ARRAY, _OBJECT, _INTEGER, _TEXT, _BYTES = 117, 118, 125, 119, 116
_FIXED = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
"""undefined, null, float32, float64, BigInt, false, true: bytes behind the tag."""
_SAFE_BITS = 53


def measure(data: bytes) -> int:
    """Find the end of the update that a file begins with.

    Raises:
        ValueError: It is cut, builds on something that it does not hold, or holds what no Yjs
            writes: Yjs would refuse it or keep part of it back.
    """
    reader = _Reader(data)
    for _ in range(reader.number()):
        reader.writer()
    for _ in range(reader.number()):
        reader.deletions()
    reader.settle()
    return reader.position


class _Reader:
    """A position in the bytes, what each writer holds, and what is referred to of it."""

    def __init__(self, data: bytes) -> None:
        self.position = 0
        self._data = data
        self._clocks: dict[int, int] = {}
        self._needed: dict[int, int] = {}

    def writer(self) -> None:
        """Read the structs of one client."""
        structs, client, clock = self.number(), self.number(), self.number()
        if clock or client in self._clocks:
            message = f"writer {client} does not begin at the beginning"
            raise ValueError(message)
        for _ in range(structs):
            clock += self._struct(client, clock)
        self._clocks[client] = clock

    def deletions(self) -> None:
        """Read the deleted ranges of one client."""
        client = self.number()
        for _ in range(self.number()):
            self._need(client, self.number() + self.number() - 1)

    def settle(self) -> None:
        """Check that everything referred to is there."""
        for client, clock in self._needed.items():
            if clock >= self._clocks.get(client, 0):
                message = f"it builds on {client}:{clock}, which it does not hold"
                raise ValueError(message)

    def number(self) -> int:
        """Read an unsigned integer."""
        value, self.position = read_varuint(self._data, self.position)
        if value >> _SAFE_BITS:
            message = "a number is too large"
            raise ValueError(message)
        return value

    def _struct(self, client: int, clock: int) -> int:
        """Read one struct and return its length in clock ticks."""
        info = self._byte()
        kind = info & _KIND_BITS
        if kind == _GC:
            return self._length()
        if kind == _SKIP:
            message = "it has a gap"
            raise ValueError(message)
        if info & _ORIGIN:
            self._reference(client, clock)
        if info & _RIGHT_ORIGIN:
            self._reference(client, clock)
        if not info & (_ORIGIN | _RIGHT_ORIGIN):
            if self.number() == _PARENT_IS_ROOT:
                self._bytes()
            else:
                self._reference(client, clock)
            if info & _KEY:
                self._bytes()
        return self._content(kind)

    def _content(self, kind: int) -> int:
        if kind == _STRING:
            text = self._bytes().decode()
            return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        if kind in (_DELETED, _JSON, _ANY):
            return self._list(kind)
        if kind == _TYPE:
            self._type()
        elif kind == _DOC:
            self._bytes()
            self._values(1)
        elif kind in (_BINARY, _EMBED, _FORMAT):
            self._bytes()
            if kind == _FORMAT:
                self._bytes()
        else:
            message = f"there is no content of kind {kind}"
            raise ValueError(message)
        return 1

    def _list(self, kind: int) -> int:
        length = self._length()
        if kind == _ANY:
            self._values(length)
        elif kind == _JSON:
            for _ in range(length):
                self._bytes()
        return length

    def _type(self) -> None:
        kind = self.number()
        if kind in _NAMED_TYPES:
            self._bytes()
        elif kind > _LAST_TYPE:
            message = f"there is no shared type {kind}"
            raise ValueError(message)

    def _values(self, count: int) -> None:
        """Read plain values; lists and objects are kept on a stack, as they may nest deep."""
        left, keyed = [count], [False]
        while left:
            if not left[-1]:
                left.pop()
                keyed.pop()
                continue
            left[-1] -= 1
            if keyed[-1]:
                self._bytes()
            tag = self._byte()
            if tag in (_ARRAY, _OBJECT):
                left.append(self.number())
                keyed.append(tag == _OBJECT)
            else:
                self._scalar(tag)

    def _scalar(self, tag: int) -> None:
        if tag in (_TEXT, _BYTES):
            self._bytes()
        elif tag == _INTEGER:
            while self._byte() & 0x80:
                pass
        elif tag in _FIXED:
            self._skip(_FIXED[tag])
        else:
            message = f"there is no value of kind {tag}"
            raise ValueError(message)

    def _reference(self, client: int, clock: int) -> None:
        other, needed = self.number(), self.number()
        if other == client and needed >= clock:
            message = f"{client}:{clock} builds on what comes later"
            raise ValueError(message)
        self._need(other, needed)

    def _need(self, client: int, clock: int) -> None:
        if clock > self._needed.get(client, -1):
            self._needed[client] = clock

    def _length(self) -> int:
        length = self.number()
        if not length:
            message = "a struct is empty"
            raise ValueError(message)
        return length

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self.position - 1]

    def _bytes(self) -> bytes:
        size = self.number()
        self._skip(size)
        return self._data[self.position - size : self.position]

    def _skip(self, count: int) -> None:
        self.position += count
        if self.position > len(self._data):
            message = "it is cut"
            raise ValueError(message)
