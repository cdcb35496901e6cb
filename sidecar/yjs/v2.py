"""V2 updates (``encodeStateAsUpdateV2``) to V1, struct by struct.

The format is Yjs's UpdateEncoderV2: a feature byte, nine buffers that hold one kind of number or
text each, run-length encoded, and a rest. Every buffer must be read to its end: that is the proof
that an update is whole, which V1 does not give.
"""

from sidecar.yjs.any_json import any_to_json
from sidecar.yjs.encoding import read_varuint, write_bytes, write_varuint
from sidecar.yjs.update import (
    ANY,
    BINARY,
    DELETED,
    DOC,
    EMBED,
    FORMAT,
    GC,
    HAS_KEY,
    HAS_ORIGIN,
    HAS_RIGHT,
    JSON,
    NAMED_TYPES,
    SKIP,
    STRING,
    TYPE,
    UpdateReader,
)

_KIND = 0x1F
_SIGN, _MORE = 0x40, 0x80
_FEATURES = b"\0"


def to_v1(data: bytes) -> tuple[bytes, int]:
    """Convert an update.

    Returns:
        The V1 update, and where the V2 update ended in the data.

    Raises:
        ValueError: It is cut, or none.
    """
    return _Converter(data).convert()


class _Buffer:
    """One buffer of numbers."""

    __slots__ = ("at", "count", "data", "value")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.count = 0
        self.value = 0

    @property
    def is_done(self) -> bool:
        return self.at == len(self.data) and self.count <= 0

    def unsigned(self) -> int:
        value, self.at = read_varuint(self.data, self.at)
        return value

    def signed(self) -> tuple[int, bool]:
        """Read a number and whether it has a sign, which 0 may have too."""
        first = self.byte()
        value = first & 0x3F
        if first & _MORE:
            value |= self.unsigned() << 6
        return value, bool(first & _SIGN)

    def byte(self) -> int:
        if self.at >= len(self.data):
            message = "a buffer of the V2 update ends too early"
            raise ValueError(message)
        self.at += 1
        return self.data[self.at - 1]


class _Counted(_Buffer):
    """lib0's UintOptRleDecoder: a number, or with a sign a number that repeats."""

    __slots__ = ()

    def read(self) -> int:
        if not self.count:
            self.value, repeats = self.signed()
            self.count = self.unsigned() + 2 if repeats else 1
        self.count -= 1
        return self.value


class _Differences(_Buffer):
    """lib0's IntDiffOptRleDecoder: differences, each of which may repeat."""

    __slots__ = ("step",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.step = 0

    def read(self) -> int:
        if not self.count:
            value, is_negative = self.signed()
            value = -value if is_negative else value
            self.step = value >> 1
            self.count = self.unsigned() + 2 if value & 1 else 1
        self.value += self.step
        self.count -= 1
        return self.value


class _Repeated(_Buffer):
    """lib0's RleDecoder of bytes: each with a count, the last one for ever."""

    __slots__ = ()

    def read(self) -> int:
        if not self.count:
            self.value = self.byte()
            self.count = self.unsigned() + 1 if self.at < len(self.data) else -1
        self.count -= 1
        return self.value


class _Texts:
    """lib0's StringDecoder: one long text and the lengths of its parts in UTF-16 units."""

    def __init__(self, data: bytes) -> None:
        reader = UpdateReader(data)
        text = reader.text()  # never nothing: an empty text has its length
        self._lengths = _Counted(data[reader.at :])
        self._ascii = text.encode() if text.isascii() else None
        self._units = b"" if text.isascii() else text.encode("utf-16-le")
        self._size = len(text) if text.isascii() else len(self._units) // 2
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == self._size and self._lengths.is_done

    def read(self) -> bytes:
        """Read the next text, in UTF-8."""
        start, self._at = self._at, self._at + self._lengths.read()
        if self._at > self._size:
            message = "the texts of the V2 update end too early"
            raise ValueError(message)
        if self._ascii is not None:
            return self._ascii[start : self._at]
        return self._units[2 * start : 2 * self._at].decode("utf-16-le", "replace").encode()


class _Converter:
    def __init__(self, data: bytes) -> None:
        if not data.startswith(_FEATURES):
            message = "this is no V2 update"
            raise ValueError(message)
        rest = UpdateReader(data)
        rest.at = 1
        self._key_clocks = _Differences(rest.blob())
        self._clients = _Counted(rest.blob())
        self._left_clocks = _Differences(rest.blob())
        self._right_clocks = _Differences(rest.blob())
        self._infos = _Repeated(rest.blob())
        self._texts = _Texts(rest.blob())
        self._parent_infos = _Repeated(rest.blob())
        self._type_refs = _Counted(rest.blob())
        self._lengths = _Counted(rest.blob())
        self._rest = rest
        self._keys: list[bytes] = []

    def convert(self) -> tuple[bytes, int]:
        rest = self._rest
        sections = rest.number()
        written = [write_varuint(sections)]
        for _ in range(sections):
            count = rest.number()
            written += (
                write_varuint(count),
                write_varuint(self._clients.read()),
                write_varuint(rest.number()),
            )
            for _ in range(count):
                self._struct(written)
        self._deletes(written)
        buffers = (
            self._key_clocks,
            self._clients,
            self._left_clocks,
            self._right_clocks,
            self._infos,
            self._texts,
            self._parent_infos,
            self._type_refs,
            self._lengths,
        )
        if not all(buffer.is_done for buffer in buffers):
            message = "the V2 update holds more than its structs make use of"
            raise ValueError(message)
        return b"".join(written), rest.at

    def _struct(self, written: list[bytes]) -> None:
        info = self._infos.read()
        kind = info & _KIND
        written.append(bytes((info,)))
        if kind in {GC, SKIP}:
            length = self._lengths.read() if kind == GC else self._rest.number()
            written.append(write_varuint(length))
            return
        if info & HAS_ORIGIN:
            written.append(self._id(self._left_clocks))
        if info & HAS_RIGHT:
            written.append(self._id(self._right_clocks))
        if not info & (HAS_ORIGIN | HAS_RIGHT):
            if self._parent_infos.read() == 1:
                written += (b"\1", write_bytes(self._texts.read()))
            else:
                written += (b"\0", self._id(self._left_clocks))
            if info & HAS_KEY:
                written.append(write_bytes(self._texts.read()))
        self._content(kind, written)

    def _id(self, clocks: _Differences) -> bytes:
        client, clock = self._clients.read(), clocks.read()
        if clock < 0:
            message = "a clock of the V2 update is negative"
            raise ValueError(message)
        return write_varuint(client) + write_varuint(clock)

    def _content(self, kind: int, written: list[bytes]) -> None:  # noqa: C901 - one case a kind
        if kind == ANY:
            self._values(self._lengths.read(), written)
        elif kind == STRING:
            written.append(write_bytes(self._texts.read()))
        elif kind == TYPE:
            reference = self._type_refs.read()
            written.append(write_varuint(reference))
            if reference in NAMED_TYPES:
                written.append(write_bytes(self._key()))
        elif kind == DELETED:
            written.append(write_varuint(self._lengths.read()))
        elif kind == BINARY:
            written.append(write_bytes(self._rest.blob()))
        elif kind == EMBED:
            written.append(self._json())
        elif kind == FORMAT:
            written += (write_bytes(self._key()), self._json())
        elif kind == DOC:
            written += (write_bytes(self._texts.read()), self._any())
        elif kind == JSON:
            count = self._lengths.read()
            written.append(write_varuint(count))
            written += [write_bytes(self._texts.read()) for _ in range(count)]
        else:
            message = f"there is no content of kind {kind}"
            raise ValueError(message)

    def _values(self, count: int, written: list[bytes]) -> None:
        rest = self._rest
        start = rest.at
        for _ in range(count):
            rest.pass_any()
        written += (write_varuint(count), rest.data[start : rest.at])

    def _any(self) -> bytes:
        start = self._rest.at
        self._rest.pass_any()
        return self._rest.data[start : self._rest.at]

    def _json(self) -> bytes:
        """Read a value that V1 writes as JSON."""
        return write_bytes(any_to_json(self._any()).encode())

    def _key(self) -> bytes:
        """Read a name of a format or an element, which may refer to one before."""
        clock = self._key_clocks.read()
        if not 0 <= clock < len(self._keys):
            self._keys.append(self._texts.read())
            return self._keys[-1]
        return self._keys[clock]

    def _deletes(self, written: list[bytes]) -> None:
        rest = self._rest
        clients = rest.number()
        written.append(write_varuint(clients))
        for _ in range(clients):
            client, count, clock = rest.number(), rest.number(), 0
            written += (write_varuint(client), write_varuint(count))
            for _ in range(count):
                clock += rest.number()
                length = rest.number() + 1
                written += (write_varuint(clock), write_varuint(length))
                clock += length
