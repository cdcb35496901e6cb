"""Values as JavaScript prints them: numbers in their shortest form, and canonical JSON of them.

Yjs prints values with ``String`` and ``JSON.stringify``, so a number has the same text in XML and
in JSON cells. Pure: values in, text out.
"""

from typing import Any

import msgspec

from sidecar.model import EXACT_INTEGER

_FIXED_UNTIL = 21
"""Most digits before the decimal point; JavaScript writes larger numbers with an exponent."""
_FIXED_FROM = -6
"""Position of the decimal point from which downwards it does so for small numbers."""
_SMALL = 1e-5
"""Below this, down to 1e-6, msgspec writes an exponent and JavaScript does not."""


class JsonNumber(float):
    """A float inside JSON that msgspec would print in another form than JavaScript."""


def json_number(value: float) -> float:
    """Return a finite JavaScript number in its canonical form for JSON.

    Returns:
        An int when it is integral and exact, else a float that ``dump_json`` prints as
        JavaScript does.
    """
    if value.is_integer():
        exact = -EXACT_INTEGER <= value <= EXACT_INTEGER
        return int(value) if exact else JsonNumber(value)
    return JsonNumber(value) if -_SMALL < value < _SMALL else value


def dump_json(value: Any) -> str:
    """Write canonical JSON: keys sorted, no spaces, text as it is, numbers as JavaScript's.

    Args:
        value: null, booleans, text, integers, ``json_number`` of others, and containers of them.
    """
    return _encode(value).decode()


def number_text(value: float) -> str:
    """Print a number as JavaScript does (ECMAScript, Number::toString).

    Args:
        value: A JavaScript number as float, or a BigInt as int, whose digits are all printed.
    """
    if isinstance(value, int):
        return str(value)
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    text = repr(value)
    sign = "-" if text.startswith("-") and value else ""
    if text.endswith("inf"):
        return f"{sign}Infinity"
    mantissa, _, exponent = text.removeprefix("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    leading = len(whole + fraction) - len((whole + fraction).lstrip("0"))
    digits = (whole + fraction).strip("0")
    return sign + _placed(digits, point - leading) if digits else "0"


def _placed(digits: str, point: int) -> str:
    """Write digits with the decimal point behind the first ``point`` of them."""
    if len(digits) <= point <= _FIXED_UNTIL:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _FIXED_UNTIL:
        return f"{digits[:point]}.{digits[point:]}"
    if _FIXED_FROM < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+}"


def _raw_number(value: Any) -> msgspec.Raw:
    if not isinstance(value, JsonNumber):
        message = f"{type(value).__name__} is no JSON"
        raise TypeError(message)
    return msgspec.Raw(number_text(value).encode())


_encode = msgspec.json.Encoder(order="sorted", enc_hook=_raw_number).encode
