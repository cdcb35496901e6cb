"""Splits a search into words for a full-text index and texts to look for in rows. Pure."""

import re
from collections.abc import Callable, Sequence
from unicodedata import category

import msgspec

from sidecar.mirror.identifiers import quote

Marks = tuple[tuple[int, int], ...]
"""Start and end of each hit in a text."""

_AROUND = 40
"""Characters on both sides of a hit, in snippets that FTS5 does not make."""
_LIKE = re.compile(r"[%_\\]")
_MOST_OR = 50
"""Most conditions in one pair of brackets: SQLite allows 1000 levels in an expression."""
_MOST_LONGER = 200
_UNSEEN = frozenset("SC")
"""Unicode categories that FTS5 skips: symbols such as emoji, and characters unknown to Python."""
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    "\U0001b000-\U0001b16f\U00020000-\U000323af]"
)
"""Scripts without spaces: Thai, Lao, Tibetan, Burmese, Khmer, Tai, Han, Kana, Bopomofo. Also
Hangul: it has spaces between words, but particles are attached to the end of a word."""


class Words(msgspec.Struct, frozen=True):
    """What a row must contain; all of it.

    Attributes:
        known: Words that FTS5's tokenizer also treats as words.
        pieces: Texts that a row must contain, ignoring the case of ASCII letters.
        syntax: A query in FTS5's own syntax, which a person wrote; None for words.
    """

    known: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    syntax: str | None = None


def literal(text: str) -> Words:
    """Split plain words; a row must contain all of them.

    FTS5's tokenizer splits a text at spaces and punctuation. A text in a script without spaces
    becomes one long word, and emoji are skipped; so both are searched in the text itself, which
    takes 30 ms for 65,000 rows. A trigram index would not find words of two characters, which most
    Chinese and Japanese words are, and it is three times as large as the text.
    """
    words = text.split()
    pieces = [word for word in words if _is_piece(word)]
    return Words(tuple(word for word in words if word not in pieces), tuple(pieces))


def matching(words: Sequence[str], vocabulary: Callable[[str], Sequence[str]]) -> str:
    """Return the FTS5 query for plain words.

    A word may also occur inside a script without spaces, as Python in 使用Python编程: there it is
    part of a longer word of the index.

    Args:
        words: As a person wrote them.
        vocabulary: Returns the words of the index that contain a text, which is in lower case.
    """
    parts: list[str] = []
    for word in words:
        lower = word.lower()
        longer = vocabulary(lower) if lower.isascii() and lower.isalnum() else ()
        around = re.compile(rf"(?<![a-z0-9]){re.escape(lower)}(?![a-z0-9])")
        same = [one for one in longer if _WITHOUT_BLANKS.search(one) and around.search(one)]
        parts.append("(" + " OR ".join(map(_phrase, [word, *same[:_MOST_LONGER]])) + ")")
    return " AND ".join(parts)


def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _is_piece(word: str) -> bool:
    """Return whether FTS5 could not find a word by its index."""
    kinds = {category(char)[0] for char in word if not char.isascii()}
    has_token = any(char.isalnum() for char in word)
    return not has_token or bool(kinds & _UNSEEN) or _WITHOUT_BLANKS.search(word) is not None


def pattern_of(pieces: Sequence[str]) -> re.Pattern[str]:
    """Return the pattern that finds pieces as SQLite's LIKE does."""
    return re.compile("|".join(map(re.escape, pieces)), re.IGNORECASE | re.ASCII)


def condition(
    source: str, columns: Sequence[str], pieces: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """Return the SQL condition that each piece occurs in one of the columns.

    Returns:
        The condition, true when there are no pieces, and its parameters by name.
    """
    conditions = ["1"]
    for number in range(len(pieces)):
        likes = [f"{source}.{quote(column)} LIKE :p{number} ESCAPE '\\'" for column in columns]
        groups = [likes[at : at + _MOST_OR] for at in range(0, len(likes), _MOST_OR)]
        conditions.append("(" + " OR ".join(f"({' OR '.join(group)})" for group in groups) + ")")
    patterns = {f"p{n}": f"%{_LIKE.sub(_escaped, piece)}%" for n, piece in enumerate(pieces)}
    return " AND ".join(conditions), patterns


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def apart(marks: set[tuple[int, int]]) -> Marks:
    """Sort marks and merge those that overlap."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return tuple(apart)


def excerpt(text: str, wanted: re.Pattern[str]) -> tuple[str, Marks]:
    """Return the text around the first hit, and the positions of the hits in it."""
    hit = wanted.search(text)
    at = hit.start() if hit else 0
    start, end = max(0, at - _AROUND), at + _AROUND
    end = max(end, hit.end() if hit else 0)
    before = "…" if start else ""
    snippet = before + text[start:end] + ("…" if end < len(text) else "")
    return snippet, tuple((found.start(), found.end()) for found in wanted.finditer(snippet))
