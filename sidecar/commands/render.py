"""Output of the reading commands: one JSON value, lines, or tables that fit the terminal."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from sidecar.commands.layout import (
    GAP,
    LONGEST_ID,
    TextColumn,
    doubt_of,
    fit,
    fold,
    shorten,
    width_of,
)
from sidecar.commands.terminal import escape, folded, folding_width, has_color, say, terminal_width
from sidecar.reports import DocumentFields

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "magenta": "35"}
"""No yellow and no cyan: many terminals show them so bright that they cannot be read on white."""
_LONGEST_HEADER = 20
_LONGEST_NAME = 60
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


class Styled(NamedTuple):
    """A text and its style on a terminal: words of ``_CODES``."""

    text: str
    style: str = ""


Piece = str | Styled


def print_json(value: object) -> None:
    """Print one JSON value in ASCII, which is safe for every terminal and encoding."""
    import json  # 2 ms, for those who want JSON

    fields = {"v": 1, **msgspec.to_builtins(value)}
    say(json.dumps(fields, separators=(",", ":")))


def print_table(
    headers: Sequence[str | TextColumn], rows: Iterable[Sequence[Piece]]
) -> tuple[str, ...]:
    """Print rows under headers, as wide as the terminal, or 80 characters without one.

    Args:
        headers: The columns; empty ones are left out.
        rows: Their cells, not yet escaped.

    Returns:
        The columns for which there was no room.
    """
    columns = [TextColumn(head) if isinstance(head, str) else head for head in headers]
    lines = [[_styled(piece) for piece in row] for row in rows]
    filled = [any(line[n].text for line in lines) or not lines for n in range(len(columns))]
    natural = [
        max(_header_width(column), *(width_of(line[n].text) for line in lines), 1)
        if is_filled
        else 0
        for n, (column, is_filled) in enumerate(zip(columns, filled, strict=True))
    ]
    doubt = max((sum(doubt_of(piece.text) for piece in line) for line in lines), default=0)
    widths = fit(columns, natural, terminal_width() - doubt).widths
    heads = [Styled(escape(column.header), "bold") for column in columns]
    for line in (heads, *lines):
        _print_row(columns, widths, line)
    return tuple(
        column.header
        for column, width, is_filled in zip(columns, widths, filled, strict=True)
        if width is None and is_filled
    )


def _header_width(column: TextColumn) -> int:
    """Return what a header takes; over numbers, which are never shortened, a long one is."""
    width = width_of(escape(column.header))
    return min(width, _LONGEST_HEADER) if column.is_number else width


def _print_row(
    columns: Sequence[TextColumn], widths: Sequence[int | None], line: Sequence[Styled]
) -> None:
    cells = [
        (_texts(column, width, piece.text), piece.style, width, column.is_number)
        for column, width, piece in zip(columns, widths, line, strict=True)
        if width is not None
    ]
    for number in range(max((len(texts) for texts, *_ in cells), default=0)):
        parts: list[str] = []
        for texts, style, width, is_number in cells:
            text = texts[number] if number < len(texts) else ""
            blanks = " " * (width - width_of(text))
            parts.append(blanks + paint(text, style) if is_number else paint(text, style) + blanks)
        say((" " * GAP).join(parts).rstrip())


def _texts(column: TextColumn, width: int, text: str) -> list[str]:
    if column.folds:
        return fold(text, width)
    return [shorten(text, width, in_middle=column.in_middle)]


def print_line(*pieces: Piece) -> None:
    """Print one line of pieces, not yet escaped."""
    say("".join(paint(*_styled(piece)) for piece in pieces))


def print_text(text: str, *, indent: str = "", style: str = "") -> None:
    """Print a sentence, not yet escaped; a terminal gets lines that end between words."""
    for line in folded(text, len(indent), folding_width()):
        say(indent + paint(line, style))


def print_hanging(text: str, *, indent: str, style: str = "") -> None:
    """Print a line, not yet escaped; what a terminal has no room for goes on below, indented."""
    own = text[: len(text) - len(text.lstrip())]
    for number, line in enumerate(folded(text.lstrip(), len(indent), folding_width())):
        say((indent if number else own) + paint(line, style))


def paint(text: str, style: str) -> str:
    """Return escaped text with its style, if stdout is a terminal with colours."""
    if not style or not text or not has_color():
        return text
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m"


def name_of(doc: DocumentFields) -> str:
    """Return a document's name for people: workspace and epoch if it has them, else its path."""
    if doc.workspace is None:
        return doc.path
    return doc.workspace if doc.epoch is None else f"{doc.workspace}/{doc.epoch}"


def short_name_of(doc: DocumentFields) -> str:
    """Return ``name_of``, with a long id shortened in the middle: for lines that hold more."""
    if doc.workspace is None:
        return doc.path
    workspace = shorten(doc.workspace, LONGEST_ID, in_middle=True)
    return workspace if doc.epoch is None else f"{workspace}/{doc.epoch}"


def titled(icon: str | None, name: str | None) -> str:
    """Return icon and name of a workspace, as far as it has them."""
    return " ".join(part for part in (icon, name) if part)


def called(doc: DocumentFields, name: str | None) -> str:
    """Return what a workspace is called, with its short id; the id alone where it has no name."""
    short = shorten(name or "", _LONGEST_NAME)
    return f"{short} ({short_name_of(doc)})" if name else short_name_of(doc)


def size(count: int) -> str:
    """Return a number of bytes as text for people."""
    if count < 1000:  # noqa: PLR2004
        return f"{count} B"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"  # noqa: PLR2004


def age(unix_ms: int) -> str:
    """Return as text for people how long ago a moment was."""
    seconds = time.time() - unix_ms / 1000
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def moment(unix_ms: int) -> str:
    """Return a moment in local time as text for people."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_ms / 1000))
    except (ValueError, OverflowError, OSError):
        return str(unix_ms)


def _styled(piece: Piece) -> Styled:
    text, style = piece if isinstance(piece, Styled) else (piece, "")
    return Styled(escape(text), style)
