"""Text for people. All text from documents is escaped before it reaches a terminal."""

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import ClassVar

from sidecar.commands.layout import EMOJI, fold

_CURSIVE = "\u0620-\u08ff\u0900-\u0dff\ufb50-\ufdff\ufe70-\ufefc"
_NO_TERMINAL = 80


class Habits:
    """Output settings of the whole command, set once before it runs.

    Attributes:
        color: ``auto``, ``always`` or ``never``.
        is_quiet: Only errors and requested output are printed.
        lines: Clears progress lines before other output.
    """

    color = "auto"
    is_quiet = False
    lines: ClassVar[list[Callable[[], None]]] = []


HABITS = Habits()


def escape(text: str) -> str:
    """Return text with every character that could control a terminal replaced by an escape."""
    if text.isascii() and text.isprintable():
        return text
    return _unsafe().sub(lambda found: found.group().encode("unicode_escape").decode(), text)


@cache
def _unsafe() -> re.Pattern[str]:
    """Return the pattern of control characters, and invisible ones that reorder or hide text.

    Two of those are part of how words are written and pictures are put together: they are left
    between letters of Arabic and Indian scripts, and the second one between emoji.
    """
    return re.compile(
        "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
        "\ud800-\udfff\U000e0000-\U000e007f]"
        f"|(?<![{_CURSIVE}])\u200c|\u200c(?![{_CURSIVE}])"
        f"|(?<![{EMOJI}\ufe0f{_CURSIVE}])\u200d|\u200d(?![{EMOJI}{_CURSIVE}])"
    )


def complain(message: str) -> None:
    """Write one line to stderr, on a terminal as several; a closed stderr is ignored."""
    with suppress(OSError):
        text = f"epicenter-sidecar: {escape(message)}"
        if sys.stderr.isatty():
            text = "\n".join(fold(text, terminal_width(2)))
        _write(sys.stderr, text + "\n")


def say(line: str) -> None:
    """Write one line, already escaped, to stdout."""
    _write(sys.stdout, line + "\n")


def has_color() -> bool:
    """Return whether stdout is a terminal with colours."""
    if HABITS.color != "auto":
        return HABITS.color == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and is_capable()


def terminal_width(descriptor: int = 1) -> int:
    """Return the width of the terminal, from COLUMNS or stdout; 80 if neither has one."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(descriptor).columns or _NO_TERMINAL
    except OSError:
        return _NO_TERMINAL


def folding_width() -> int | None:
    """Return the width at which lines are folded; None if stdout is no terminal."""
    return terminal_width() if sys.stdout.isatty() else None


def folded(text: str, indent: int, width: int | None) -> list[str]:
    """Return a text, escaped, in lines that leave room for an indent.

    Args:
        text: It.
        indent: Columns that are not for the text.
        width: Of the terminal. Where that is None or too narrow nothing is folded.
    """
    clean = escape(text)
    return [clean] if width is None or width < 2 * indent else fold(clean, width - indent)


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_capable() -> bool:
    """Return whether the terminal can move its cursor (``TERM`` is not ``dumb``)."""
    return os.environ.get("TERM") != "dumb"


def _write(stream: "object", text: str) -> None:
    for hide in HABITS.lines:
        hide()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe)  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]
