"""lib0's numbers, and what a file is that is no V1 update. Bytes in, values out."""

from sidecar.errors import DocumentUnavailableError, DocumentUnusableError


class CutShortError(ValueError):
    """An update ends before all of it was read."""


_MAGIC = {
    b"SQLite format 3\0": "a SQLite database",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b\x08\x00": "a gzip file",
    b"\x1f\x8b\x08\x08": "a gzip file",
    b"%PDF-": "a PDF file",
    b"\x7fELF": "a program",
}


_TEXT_BYTES = 256
_V2_BUFFERS = 9
"""A V2 update is a feature byte 0, nine length-prefixed buffers and a rest."""


def refuse_foreign(data: bytes) -> None:
    """Refuse what would decode without an error to an empty document, and is none.

    Raises:
        DocumentUnavailableError: ``torn``: nothing but zeros, as after a crash of the machine.
        DocumentUnusableError: ``foreign``.
    """
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise DocumentUnusableError("foreign", f"the file is {what}, no Yjs update")
    if data[0] != 0 or len(data) <= 2:  # two zeros are an empty document
        return
    if not any(data):
        raise DocumentUnavailableError("torn", f"the file is {len(data)} zero bytes")


def looks_like_text(data: bytes) -> bool:
    """Tell whether a file begins as a text does; in an update the first clock of a client is 0."""
    try:
        start = data[:_TEXT_BYTES].decode()
    except UnicodeDecodeError as error:
        if error.start < _TEXT_BYTES - 4 or error.reason != "unexpected end of data":
            return False
        start = data[: error.start].decode()
    return bool(start) and all(char.isprintable() or char in "\t\r\n" for char in start)


def is_v2(data: bytes) -> bool:
    """Tell whether bytes have the frame of a V2 update (lib0 encoding, Yjs UpdateEncoderV2)."""
    if not data or data[0] != 0:
        return False
    position = 1
    for _ in range(_V2_BUFFERS):
        try:
            size, position = read_varuint(data, position)
        except ValueError:
            return False
        position += size
        if position > len(data):
            return False
    return position < len(data)


def read_varuint(data: bytes, position: int) -> tuple[int, int]:
    """Read one lib0 variable-length unsigned integer.

    Returns:
        The value and the position behind it.

    Raises:
        ValueError: The data end inside the number, or it has more than 64 bits.
    """
    value = shift = 0
    while position < len(data) and shift < 64:  # bits
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # the continuation bit
            return value, position
        shift += 7
    if position == len(data):
        raise CutShortError("a variable-length integer does not end")
    message = "a variable-length integer does not end within 64 bits"
    raise ValueError(message)


def write_varuint(value: int) -> bytes:
    """Write one lib0 variable-length unsigned integer."""
    if value < 0x80:  # the continuation bit
        return _ONE_BYTE[value]
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def write_bytes(data: bytes) -> bytes:
    """Write bytes, or a text in UTF-8, behind their length."""
    return write_varuint(len(data)) + data


_ONE_BYTE = tuple(bytes((value,)) for value in range(0x80))


def utf16_units(text: str) -> int:
    """Count a text as JavaScript does."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def decode_state_vector(data: bytes) -> dict[int, int]:
    """Decode a state vector, client -> clock (Yjs V1 encoding)."""
    count, position = read_varuint(data, 0)
    vector: dict[int, int] = {}
    for _ in range(count):
        client, position = read_varuint(data, position)
        vector[client], position = read_varuint(data, position)
    return vector
