"""Fits tables into a terminal: the width of text, and which columns are shortened. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

GAP = 2
ELLIPSIS = "…"
_VARIATION_16 = "\ufe0f"
_EMOJI_MODIFIERS = range(0x1F3FB, 0x1F400)
_ZERO = frozenset(("Mn", "Me", "Cf"))
_ROOMY = 17
"""Columns are shortened to this width before others are left out: UUIDs still differ."""


class TextColumn(NamedTuple):
    """One column of a table.

    Attributes:
        header: Its name.
        is_number: Whether it is aligned to the right. Numbers are never shortened.
        in_middle: Whether it is shortened in the middle: ids and paths differ at both ends.
        folds: Whether its cells take several lines instead of being shortened.
        rank: 0 is always shown; of the others the highest rank is left out first.
        least: Its smallest width.
    """

    header: str
    is_number: bool = False
    in_middle: bool = False
    folds: bool = False
    rank: int = 0
    least: int = 8


class Fit(NamedTuple):
    """The width of each column of a table, None for columns that are left out."""

    widths: tuple[int | None, ...]


def width_of(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        _width(char, following) for char, following in zip(text, text[1:] + " ", strict=True)
    )


def _width(char: str, following: str) -> int:
    if char.isascii():
        return 1
    import unicodedata  # a megabyte of tables, only needed for text that is not ASCII

    if unicodedata.category(char) in _ZERO or ord(char) in _EMOJI_MODIFIERS:
        return 0
    wide = following == _VARIATION_16 or unicodedata.east_asian_width(char) in "WF"
    return 2 if wide else 1


def shorten(text: str, width: int, *, in_middle: bool = False) -> str:
    """Cut a text to a width, with an ellipsis where text was cut."""
    if width_of(text) <= width:
        return text
    room = width - 1
    if room <= 0:
        return ELLIPSIS[:width]
    tail = room // 2 if in_middle else 0
    end = _start(text[::-1], tail)[::-1]
    return _start(text, room - width_of(end)) + ELLIPSIS + end


def _start(text: str, width: int) -> str:
    """Return as much of the start of a text as fits, never part of a character."""
    used = 0
    for at, (char, following) in enumerate(zip(text, text[1:] + " ", strict=True)):
        used += _width(char, following)
        if used > width:
            return text[:at]
    return text


def fold(text: str, width: int) -> list[str]:
    """Split a text into lines of at most a width, between words where possible."""
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
            word = word[len(piece) :]  # noqa: PLW2901 - the rest of it
        line = word
    return [*lines, line] if line or not lines else lines


def fit(columns: Sequence[TextColumn], natural: Sequence[int], total: int) -> Fit:
    """Return a width for each column so that a line fits.

    Wide columns are shortened first, as long as they stay readable. Then columns are left out by
    rank. Then the others are shortened to their smallest width.

    Args:
        columns: All columns.
        natural: The full width of each column.
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
    """Shorten the widest columns until the line fits or all have their smallest width."""
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
