"""The JSON texts of an update as the decoder takes them: it is stricter than ``JSON.parse``."""

import json
import re
import struct
from math import isfinite
from typing import Any

from sidecar.model import as_map, is_list
from sidecar.yjs.encoding import write_bytes, write_varuint

LEVELS = 127
"""Deepest JSON that the decoder takes; ``JSON.parse`` knows no such limit."""
_VALUE_LEVELS = 600
"""Deepest JSON of a value that is kept. What is shown ends before (``JSON_DEPTH``)."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_WIDE = re.compile(r"[0-9]{19}|[eE]\+?[0-9]{3}")
"""Numbers that the decoder may refuse."""
_SAFE_DIGITS = 16
_SMALL = 1 << 31
"""Integers below are written as such, as lib0 writes them."""
_FLOAT64 = struct.Struct(">d")
_TOKEN = re.compile(r'[\s]+|"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[\[\]{},:]')
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|"
    r"(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def repair(text: str) -> tuple[str, bool]:
    """Write JSON so that the decoder takes it.

    Half a surrogate pair becomes U+FFFD, as it does wherever text is written. What nests deeper
    than ``LEVELS`` becomes what JavaScript makes of it in a text, so that XML reads the same.
    Integers past int64 become floats, which they are in JavaScript.

    Returns:
        The JSON, and whether anything in it had to be repaired.

    Raises:
        ValueError: ``JSON.parse`` would refuse it.
    """
    repaired = _flatten(_without_halves(text), LEVELS)
    value = _parse(repaired)
    if _WIDE.search(repaired):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")), repaired != text
    return repaired, repaired != text


def to_any(text: str) -> tuple[bytes, bool]:
    """Write an element of Yjs's old ``ContentJSON`` as lib0's ``writeAny`` writes its value.

    Returns:
        The bytes, and whether something in it had to be repaired.

    Raises:
        ValueError: ``JSON.parse`` would refuse it.
    """
    if text == "undefined":
        return b"\x7f", False
    whole = _without_halves(text)
    written = bytearray()
    _write(_parse(_flatten(whole, _VALUE_LEVELS)), written)
    return bytes(written), whole != text


def text_to_any(text: str) -> bytes:
    """Write a text as lib0's ``writeAny`` does."""
    return b"\x77" + write_bytes(text.encode())


def _without_halves(text: str) -> str:
    if "\\u" not in text:
        return text
    return _ESCAPE.sub(lambda found: REPLACEMENT if found["half"] else found[0], text)


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_number, parse_float=_number)
    except RecursionError:
        message = "the JSON nests too deep"
        raise ValueError(message) from None


def _number(text: str) -> float | None:
    """Read a number; None for one that no float can hold, as ``JSON.stringify`` writes it."""
    if len(text) < _SAFE_DIGITS and text.lstrip("-").isdigit():
        return int(text)
    value = float(text)
    return value if isfinite(value) else None


def _refuse(constant: str) -> Any:
    message = f"{constant} is no JSON"
    raise ValueError(message)


def _flatten(text: str, levels: int) -> str:
    """Replace what nests deeper by its text in JavaScript, without recursion."""
    if text.count("[") + text.count("{") <= levels:
        return text
    written: list[str] = []
    inner: list[str] = []  # the texts of what lies in an array that is too deep
    opened: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            message = f"this is no JSON at character {at}"
            raise ValueError(message)
        token, at = found[0], found.end()
        is_deep = len(opened) > levels or (len(opened) == levels and token in ("[", "{"))
        if token in ("[", "{"):
            opened.append(token)
        elif token in ("]", "}") and (not opened or opened.pop() + token not in ("[]", "{}")):
            message = "the brackets do not match"
            raise ValueError(message)
        if not is_deep:
            written.append(token)
        elif len(opened) > levels:
            inner.append(token)
        else:
            written.append(json.dumps(_shown([*inner, token]), ensure_ascii=False))
            inner.clear()
    return "".join(written)


def _shown(tokens: list[str]) -> str:
    """Give what JavaScript makes of a value in a text: elements joined, objects named."""
    if tokens[0] == "{":
        return "[object Object]"
    shown: list[str] = []
    depth = 0  # in objects, whose content does not show
    for token in tokens:
        if token == "{":  # noqa: S105 - a bracket
            shown += [] if depth else ["[object Object]"]
            depth += 1
        elif token == "}":  # noqa: S105
            depth -= 1
        elif not depth and token not in ("[", "]", "null") and not token.isspace():
            shown.append(json.loads(token) if token[0] == '"' else token)
    return "".join(shown)


def _write(value: Any, written: bytearray) -> None:
    if value is None:
        written.append(126)
    elif isinstance(value, bool):
        written.append(120 if value else 121)
    elif isinstance(value, str):
        written += text_to_any(value)
    elif is_list(value):
        written.append(117)
        written += write_varuint(len(value))
        for item in value:
            _write(item, written)
    elif isinstance(value, dict):
        entries = as_map(value)
        written.append(118)
        written += write_varuint(len(entries))
        for key, item in entries.items():
            written += write_bytes(key.encode())
            _write(item, written)
    else:
        _write_number(value, written)


def _write_number(value: float, written: bytearray) -> None:
    if isinstance(value, int) and -_SMALL < value < _SMALL:
        written.append(125)
        rest, sign = abs(value), 0x40 if value < 0 else 0
        first, rest = rest & 0x3F, rest >> 6
        written.append(first | sign | (0x80 if rest else 0))
        if rest:
            written += write_varuint(rest)
        return
    written.append(123)
    written += _FLOAT64.pack(value)
