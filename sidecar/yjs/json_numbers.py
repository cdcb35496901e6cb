"""Numbers in the JSON of embeds and formats, of which the decoder gets the last digit wrong.

It takes a number's digits as one integer and multiplies or divides by a power of ten, and rounds
both times, so that 100.00000000000001 becomes 100. Of 3,000 random numbers one in five is misread.
Bytes in, numbers out.
"""

import re
from collections.abc import Iterator

from sidecar.yjs.update import EMBED, FORMAT, UpdateReader

_DIGITS = bytes(48 if byte in b"0123456789." else 32 for byte in range(256))
_LONG = b"0" * 17
"""Sixteen digits and a point: with fewer digits both roundings change nothing."""
_LARGEST, _SMALLEST = 1e21, 1e-6
"""JavaScript writes what is beyond with an exponent; only there the power of ten is large."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?')
_MOST = 2**64 - 1
_POWERS = 308
"""The largest power of ten that is a float."""


def may_be_misread(data: bytes) -> bool:
    """Tell whether an update may hold numbers of so many digits that they can be misread."""
    return _LONG in data.translate(_DIGITS)  # a tenth of what a pattern takes


def is_extreme(value: float) -> bool:
    """Tell a number that can be misread however few digits it has."""
    return value != 0 and not _SMALLEST <= abs(value) < _LARGEST


def misread(data: bytes) -> dict[float, float]:
    """Find the misread numbers of an update: as the decoder has them -> as they were written.

    Raises:
        ValueError: It is no whole update.
    """
    found: dict[float, float] = {}
    for text in _texts(data):
        for token in _TOKEN.finditer(text):
            if token[2] is None:  # a text
                continue
            read = _as_read(token)
            if read is not None and read != float(token[0]):
                found[read] = float(token[0])
    return found


def _texts(data: bytes) -> Iterator[str]:
    for item in UpdateReader(data).structs():
        if item.kind in {EMBED, FORMAT}:
            content = UpdateReader(data, item.at)
            if item.kind == FORMAT:
                content.blob()
            yield content.text()


def _as_read(token: re.Match[str]) -> float | None:
    """Read a number as the decoder does (``serde_json`` without ``float_roundtrip``)."""
    sign, whole, fraction, exponent = token.groups()
    digits, power = 0, int(exponent or 0)
    for at, digit in enumerate(whole + (fraction or "")):
        is_whole = at < len(whole)
        more = digits * 10 + int(digit)
        if more > _MOST:  # what comes behind is left out
            power += len(whole) - at if is_whole else 0
            break
        digits = more
        power -= not is_whole
    value = float(digits)
    while value and abs(power) > _POWERS:
        if power > 0:
            return None
        value /= 10.0**_POWERS
        power += _POWERS
    if value:
        value = value * float(f"1e{power}") if power >= 0 else value / float(f"1e{-power}")
    return -value if sign else value
