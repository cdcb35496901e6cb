"""Tables that fit a terminal: how wide text is, and what gives way where room is short. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

GAP = 2
ELLIPSIS = "…"
_VARIATION_16 = "\ufe0f"
_EMOJI_MODIFIERS = range(0x1F3FB, 0x1F400)
_ZERO = frozenset(("Mn", "Me", "Cf"))
_ROOMY = 17
"""To this width columns are shortened before others are given up: enough to tell UUIDs apart."""


class TextColumn(NamedTuple):
    """One column of a table.

    Attributes:
        header: Its name.
        is_number: Whether it stands to the right. Numbers are never shortened.
        in_middle: Whether it is shortened in the middle: ids and paths differ at both ends.
        folds: Whether its cells take several lines instead of being shortened.
        rank: 0 stays; of the others the highest is given up first.
        least: The narrowest it may be.
    """

    header: str
    is_number: bool = False
    in_middle: bool = False
    folds: bool = False
    rank: int = 0
    least: int = 8


class Fit(NamedTuple):
    """How a table fits: the width of each column, None for those that are given up."""

    widths: tuple[int | None, ...]


def width_of(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        _width(char, following) for char, following in zip(text, text[1:] + " ", strict=True)
    )


def _width(char: str, following: str) -> int:
    if char.isascii():
        return 1
    import unicodedata  # a megabyte of tables, for what is not ASCII alone

    if unicodedata.category(char) in _ZERO or ord(char) in _EMOJI_MODIFIERS:
        return 0
    wide = following == _VARIATION_16 or unicodedata.east_asian_width(char) in "WF"
    return 2 if wide else 1


def shorten(text: str, width: int, *, in_middle: bool = False) -> str:
    """Cut a text to a width, with an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    room = width - 1
    if room <= 0:
        return ELLIPSIS[:width]
    tail = room // 2 if in_middle else 0
    end = _start(text[::-1], tail)[::-1]
    return _start(text, room - width_of(end)) + ELLIPSIS + end


def _start(text: str, width: int) -> str:
    """Give as much of the start of a text as fits, never part of a character."""
    used = 0
    for at, (char, following) in enumerate(zip(text, text[1:] + " ", strict=True)):
        used += _width(char, following)
        if used > width:
            return text[:at]
    return text


def fold(text: str, width: int) -> list[str]:
    """Part a text into lines of at most a width, between words where that can be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width_of(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        while width_of(word) > width:
            piece = _start(word, width) or word[0]
            lines.append(piece)
            word = word[len(piece) :]  # noqa: PLW2901 - what is left of it
        line = word
    return [*lines, line] if line or not lines else lines


def fit(columns: Sequence[TextColumn], natural: Sequence[int], total: int) -> Fit:
    """Find a width for each column so that a line has room.

    Wide columns are shortened first, though not beyond what can be read; then columns are given
    up by rank; then the rest are shortened as far as they may be.

    Args:
        columns: All of them.
        natural: The width that each would take.
        total: The width of the terminal.
    """
    kept = [n for n in range(len(columns)) if natural[n]]
    ranked = sorted((n for n in kept if columns[n].rank), key=lambda n: -columns[n].rank)
    while True:
        roomy = {n: max(columns[n].least, min(natural[n], _ROOMY)) for n in kept}
        widths = _shrunk(columns, natural, kept, roomy, total)
        if _sum(widths) <= total or not ranked:
            break
        kept.remove(ranked.pop(0))
    if _sum(widths) > total:
        least = {n: columns[n].least for n in kept}
        widths = _shrunk(columns, natural, kept, least, total)
    return Fit(tuple(widths.get(n) for n in range(len(columns))))


def _shrunk(
    columns: Sequence[TextColumn],
    natural: Sequence[int],
    kept: Sequence[int],
    least: dict[int, int],
    total: int,
) -> dict[int, int]:
    """Take from the widest columns until the line fits or none can give more."""
    widths = {n: natural[n] for n in kept}
    while (surplus := _sum(widths) - total) > 0:
        giving = [n for n in kept if not columns[n].is_number and widths[n] > least[n]]
        if not giving:
            break
        widest = max(widths[n] for n in giving)
        group = [n for n in giving if widths[n] == widest]
        below = [widths[n] for n in giving if widths[n] < widest]
        floor = max([*below, *(least[n] for n in group)])
        step = max(1, min(widest - floor, surplus // len(group)))
        for n in group[:surplus]:
            widths[n] -= step
    return widths


def _sum(widths: dict[int, int]) -> int:
    return sum(widths.values()) + GAP * max(0, len(widths) - 1)
