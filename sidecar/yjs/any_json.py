"""Values of lib0's ``writeAny`` as JSON, which is how V1 writes what V2 writes as values."""

import json
import struct
from math import isfinite

from sidecar.yjs.update import UpdateReader

_UNDEFINED, _NULL, _INTEGER, _BIGINT, _TEXT, _OBJECT, _ARRAY, _BYTES = (
    *(127, 126, 125, 122, 119, 118, 117),
    116,
)
_FLOATS = {123: (struct.Struct(">d"), 8), 124: (struct.Struct(">f"), 4)}
_WORDS = {120: "true", 121: "false", _NULL: "null", _UNDEFINED: "null"}


def any_to_json(data: bytes) -> str:
    """Write a value as ``JSON.stringify`` does, however deep it nests; BigInts by their digits.

    Raises:
        ValueError: The data end, or there is no such value.
    """
    reader = UpdateReader(data)
    written: list[str] = []
    outside: list[list[int]] = []  # values to come, whether each has a key, values written
    while True:
        while outside and not outside[-1][0]:
            written.append("}" if outside.pop()[1] else "]")
        if written and not outside:
            return "".join(written)
        if outside and not _begin(outside[-1], reader, written):
            continue
        tag = reader.byte()
        if tag in {_OBJECT, _ARRAY}:
            outside.append([reader.number(), tag == _OBJECT, 0])
            written.append("{" if tag == _OBJECT else "[")
        else:
            written.append(_scalar(tag, reader))


def _begin(container: list[int], reader: UpdateReader, written: list[str]) -> bool:
    """Write what stands before a value in a container; False where the value is left out."""
    container[0] -= 1
    key = _quoted(reader.text()) + ":" if container[1] else ""
    if key and reader.data[reader.at : reader.at + 1] == bytes((_UNDEFINED,)):
        reader.at += 1
        return False
    written.append(("," if container[2] else "") + key)
    container[2] += 1
    return True


def _scalar(tag: int, reader: UpdateReader) -> str:
    if tag == _TEXT:
        return _quoted(reader.text())
    if tag == _INTEGER:
        return str(reader.integer())
    if tag in _FLOATS:
        form, size = _FLOATS[tag]
        return _number(form.unpack(reader.take(size))[0])
    if tag == _BIGINT:
        return str(int.from_bytes(reader.take(8), signed=True))
    if tag == _BYTES:
        return json.dumps({str(at): byte for at, byte in enumerate(reader.blob())})
    if tag in _WORDS:
        return _WORDS[tag]
    message = f"there is no value with the tag {tag}"
    raise ValueError(message)


def _number(value: float) -> str:
    if not isfinite(value):
        return "null"
    if value.is_integer() and abs(value) < 1e21:  # JavaScript's own limit
        return str(int(value))
    return repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
