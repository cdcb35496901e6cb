"""Text for people. Nothing that documents hold reaches a terminal unescaped."""

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, and invisible ones that turn or hide what stands around them."""


_NO_TERMINAL = 80


class Habits:
    """What holds for the whole of one command, set once before it runs.

    Attributes:
        color: ``auto``, ``always`` or ``never``.
        is_quiet: Only what is wrong, or was asked for, is said.
        lines: What takes lines that are drawn over and over out of the way of others.
    """

    color = "auto"
    is_quiet = False
    lines: ClassVar[list[Callable[[], None]]] = []


HABITS = Habits()


def escape(text: str) -> str:
    """Return text in which whatever could steer a terminal is written as an escape sequence."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def complain(message: str) -> None:
    """Write one line to stderr; when nobody reads it, that is no failure."""
    with suppress(OSError):
        _write(sys.stderr, f"epicenter-sidecar: {escape(message)}\n")


def say(line: str) -> None:
    """Write one line, already escaped, to stdout."""
    _write(sys.stdout, line + "\n")


def has_color() -> bool:
    """Tell whether stdout is a terminal that takes colours."""
    if HABITS.color != "auto":
        return HABITS.color == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and is_capable()


def terminal_width() -> int:
    """Return how wide the terminal is, as COLUMNS says or stdout does; 80 where neither does."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or _NO_TERMINAL
    except OSError:
        return _NO_TERMINAL


def plural(count: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_capable() -> bool:
    """Tell whether the terminal, if there is one, can do more than print."""
    return os.environ.get("TERM") != "dumb"


def _write(stream: "object", text: str) -> None:
    for hide in HABITS.lines:
        hide()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe)  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]
