"""Fits tables into a terminal: the width of text, and which columns are shortened. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

GAP = 2
LONGEST_ID = 20
"""Letters of an id in a line that holds more; a UUID has 36, which is half of a line."""
ELLIPSIS = "…"
EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
"""Pictures and the arrows and signs between them, for a set in a pattern."""
JOINER = "\u200d"
"""Makes one picture of the two around it."""
_VARIATION_16 = "\ufe0f"
_EMOJI_MODIFIERS = range(0x1F3FB, 0x1F400)
_JAMO = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))
"""Vowels and final consonants of Korean syllables that are written in parts."""
_ZERO = frozenset(("Mn", "Me", "Cf"))
_SOFT_HYPHEN = "\xad"
"""A format character that terminals show."""
_ROOMY = 17
"""Columns are shortened to this width before others are left out: UUIDs still differ."""
_COMFORTABLE = 20


class TextColumn(NamedTuple):
    """One column of a table.

    Attributes:
        header: Its name.
        is_number: Whether it is aligned to the right. Numbers are never shortened.
        in_middle: Whether it is shortened in the middle: ids and paths differ at both ends.
        folds: Whether its cells take several lines instead of being shortened.
        rank: 0 is always shown; of the others the highest rank is left out first.
        least: Its smallest width.
        roomy: The width to which it is shortened before columns are left out.
        is_extra: Whether it is left out before others get less than ``_COMFORTABLE``.
    """

    header: str
    is_number: bool = False
    in_middle: bool = False
    folds: bool = False
    rank: int = 0
    least: int = 8
    roomy: int = _ROOMY
    is_extra: bool = False


class Fit(NamedTuple):
    """The width of each column of a table, None for columns that are left out."""

    widths: tuple[int | None, ...]


def width_of(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(width for _, width in _clusters(text))


def doubt_of(text: str) -> int:
    """Return how many cells more a terminal may take that does not join emoji to one picture."""
    if text.isascii():
        return 0
    apart = sum(2 if ord(char) in _EMOJI_MODIFIERS else _width(char) for char in text)
    return max(0, apart - width_of(text))


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield what is drawn together, and its width: a character, and what joins or changes it."""
    start, width, is_joined = 0, 0, False
    for at, char in enumerate(text):
        own = _width(char)
        if char == _VARIATION_16 and width:
            width = 2
        elif own and not (is_joined and re.match(f"[{EMOJI}]", char)):
            if at:
                yield text[start:at], width
            start, width = at, own
        is_joined = char == JOINER
    if text:
        yield text[start:], width


def _width(char: str) -> int:
    if char.isascii():
        return 1
    import unicodedata  # a megabyte of tables, only needed for text that is not ASCII

    code = ord(char)
    if code in _EMOJI_MODIFIERS or any(code in jamo for jamo in _JAMO):
        return 0
    if unicodedata.category(char) in _ZERO and char != _SOFT_HYPHEN:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int, *, in_middle: bool = False) -> str:
    """Cut a text to a width, with an ellipsis where text was cut."""
    if width_of(text) <= width:
        return text
    room = width - 1
    if room <= 0:
        return ELLIPSIS[:width]
    clusters = list(_clusters(text))
    end = "".join(reversed(_start(clusters[::-1], room // 2 if in_middle else 0)))
    return "".join(_start(clusters, room - width_of(end))) + ELLIPSIS + end


def _start(clusters: Iterable[tuple[str, int]], width: int) -> list[str]:
    """Return as many as fit, never part of one."""
    taken: list[str] = []
    for cluster, own in clusters:
        width -= own
        if width < 0:
            break
        taken.append(cluster)
    return taken


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
            piece = "".join(_start(_clusters(word), width)) or word[0]
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
        floor = _COMFORTABLE if any(columns[n].is_extra for n in ranked) else 0
        roomy = {
            n: max(columns[n].least, min(natural[n], max(floor, columns[n].roomy))) for n in kept
        }
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
