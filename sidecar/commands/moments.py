"""Parses moments: Unix milliseconds, ISO 8601, a day, or ``yesterday``."""

import os
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

_UNIX_MS = re.compile(r"[0-9]{1,15}")
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
WHAT = "Unix milliseconds, ISO 8601 such as 2026-01-31T09:30, or yesterday"
_ENDS = {"now": timedelta(0), "yesterday": timedelta(days=1)}


def unix_ms(text: str, now: datetime | None = None) -> int:
    """Return a moment in Unix milliseconds, for ``add_argument``.

    Args:
        text: The moment. Without a time zone it is local time; a day alone means its end,
            ``yesterday`` 24 hours ago.
        now: The present time, for tests.

    Raises:
        ArgumentTypeError: The text is not a moment.
    """
    if text.isascii() and _UNIX_MS.fullmatch(text):
        return int(text)
    try:
        if text.casefold() in _ENDS:
            moment = (now or datetime.now(UTC)) - _ENDS[text.casefold()]
        else:
            moment = datetime.fromisoformat(text)
            if _DAY.fullmatch(text):
                moment += timedelta(days=1, milliseconds=-1)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        message = f"{text!r} is not a moment; give {WHAT}"
        raise ArgumentTypeError(message) from None


def moment_of(argument: str) -> tuple[str, int | None]:
    """Split DOC@MOMENT into path and moment; an existing path is not split.

    Raises:
        ArgumentTypeError: DOC exists, and the text after @ is not a moment.
    """
    path, at, text = argument.rpartition("@")
    if not at or not path or os.path.lexists(argument):
        return argument, None
    try:
        return path, unix_ms(text)
    except ArgumentTypeError:
        if os.path.lexists(path):
            raise
        return argument, None
