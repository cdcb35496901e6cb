"""Numbers in embeds and formats: which of them the decoder misreads, and as what."""

import random
import struct
from math import isfinite

import pytest
from pycrdt import Doc, Text

from sidecar.javascript import number_text
from sidecar.yjs.encoding import write_bytes, write_varuint
from sidecar.yjs.json_numbers import is_extreme, may_be_misread, misread

_INT64_DIGITS = 19
"""Integers of more are refused by the decoder, and rewritten before it reads them."""
_FORMAT = b"\x06"


def _update(texts: list[str], kind: int = 5) -> bytes:
    """Write a text ``x`` with an embed of each JSON text, or formats around nothing."""
    name = write_bytes(b"f") if bytes((kind,)) == _FORMAT else b""
    structs = [
        (bytes((kind, 1)) + write_bytes(b"x") if not at else _behind(at - 1, kind))
        + name
        + write_bytes(text.encode())
        for at, text in enumerate(texts)
    ]
    return b"\1" + write_varuint(len(structs)) + b"\1\0" + b"".join(structs) + b"\0"


def _behind(clock: int, kind: int) -> bytes:
    return bytes((kind | 0x80, 1)) + write_varuint(clock)


def _numbers(count: int) -> list[str]:
    draw = random.Random(5)  # noqa: S311 - the same numbers every time
    found: list[str] = []
    while len(found) < count:
        scale = float(f"1e{draw.randint(-22, 22)}")
        value = draw.choice((struct.unpack("d", draw.randbytes(8))[0], draw.random() * scale))
        text = number_text(value)
        if isfinite(value) and len(text.lstrip("-")) - ("." in text) < _INT64_DIGITS:
            found.append(text)
    return found


def test_what_is_misread_is_known_to_the_bit() -> None:
    """The canary: 2,000 numbers through the decoder. A new pycrdt may read them otherwise."""
    texts = _numbers(2000)
    data = _update(texts)
    doc: Doc[Text] = Doc()
    doc["x"] = text = Text()
    doc.apply_update(data)
    read = [float(str(piece)) for piece, _ in text.diff()]
    expected = {was: float(t) for was, t in zip(read, texts, strict=True) if was != float(t)}
    assert misread(data) == expected
    assert len(expected) > 100


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("100.00000000000001", 100.0),
        ('{"a":[100.00000000000001]}', 100.0),
        ('"100.00000000000001"', None),
        ('{"100.00000000000001":1}', None),
        ("100.5", None),
        ("0", None),
        ("1e400", None),
        ("12", None),
    ],
)
@pytest.mark.parametrize("kind", [5, 6])
def test_numbers_and_no_texts_of_digits(text: str, read: float | None, kind: int) -> None:
    """Wherever they stand in the JSON of an embed or a format."""
    expected = {} if read is None else {read: 100.00000000000001}
    assert misread(_update([text, "1"], kind)) == expected


def test_only_long_or_extreme_numbers_are_looked_for() -> None:
    """A look at every struct costs five times the decode."""
    assert may_be_misread(b"width 33.333333333333336")
    assert not may_be_misread(b"at 1768294800000, 0.5 of 1234567890123456")
    assert [is_extreme(value) for value in (0.0, 1e21, 1e-7, -3e300, 5.0, 0.1)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
