"""Answers of the commands that look: one JSON value, plain lines, or tables on a terminal.

The only user of rich, which is imported on terminals alone: it takes longer than most answers.
"""

import json
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import msgspec

from sidecar.commands.terminal import escape, has_color, say
from sidecar.reports import Doc

T = TypeVar("T")

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


class Styled(NamedTuple):
    """A piece of text and how it looks on a terminal, in rich's words."""

    text: str
    style: str = ""


Piece = str | Styled


def print_json(value: object) -> None:
    """Print one JSON value in ASCII, which no terminal and no encoding can spoil."""
    fields = {"v": 1, **msgspec.to_builtins(value)}
    say(json.dumps(fields, separators=(",", ":")))


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Piece]],
    numbers: str = "",
    yielding: str = "",
) -> None:
    """Print rows under headers: as a table on a terminal, else as lines of aligned pieces.

    Args:
        headers: Names of the columns.
        rows: Their pieces, not yet escaped.
        numbers: The headers of columns that stand to the right, separated by blanks.
        yielding: The headers of columns that are folded where a terminal is narrow.
    """
    lines = [[_styled(piece) for piece in row] for row in rows]
    right = [header in numbers.split() for header in headers]
    if has_color():
        _print_rich(headers, lines, right, yielding.split())
        return
    lines.insert(0, [Styled(header) for header in headers])
    widths = [max(len(piece.text) for piece in column) for column in zip(*lines, strict=True)]
    for line in lines:
        pieces = [
            piece.text.rjust(width) if is_right else piece.text.ljust(width)
            for piece, width, is_right in zip(line, widths, right, strict=True)
        ]
        say("  ".join(pieces).rstrip())


def print_line(*pieces: Piece) -> None:
    """Print one line of pieces, not yet escaped."""
    styled = [_styled(piece) for piece in pieces]
    if has_color():
        from rich.text import Text  # noqa: PLC0415 - see above

        _console().print(Text.assemble(*styled), soft_wrap=True)
    else:
        say("".join(piece.text for piece in styled))


@contextmanager
def progress(what: str, total: int = 1) -> Generator["Progress"]:
    """Show that work goes on and how far it has come, where stderr is a terminal.

    Args:
        what: The work, in a few words.
        total: Its steps; a single one shows only that it goes on.
    """
    if not sys.stderr.isatty() or not has_color():
        yield Progress()
        return
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import Progress as Bar  # noqa: PLC0415

    with Bar(console=Console(stderr=True), transient=True) as bar:
        yield Progress(bar, bar.add_task(what, total=total if total > 1 else None))


class Progress:
    """The way of one piece of work."""

    def __init__(self, bar: Any = None, task: Any = None) -> None:
        """Begin; without a bar nothing is shown."""
        self._bar = bar
        self._task = task

    def step(self) -> None:
        """One more step is done."""
        if self._bar:
            self._bar.advance(self._task)


def name_of(doc: Doc) -> str:
    """Name a document for people: workspace and epoch where there are any, else the path."""
    if doc.workspace is None:
        return doc.path
    return doc.workspace if doc.epoch is None else f"{doc.workspace}/{doc.epoch}"


def size(count: int) -> str:
    """Give a number of bytes for people."""
    if count < 1000:  # noqa: PLR2004
        return f"{count} B"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"  # noqa: PLR2004


def age(unix_ms: int) -> str:
    """Tell for people how long ago a moment was."""
    seconds = time.time() - unix_ms / 1000
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def moment(unix_ms: int) -> str:
    """Give a moment in local time for people."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_ms / 1000))
    except (ValueError, OverflowError, OSError):
        return str(unix_ms)


def _styled(piece: Piece) -> Styled:
    text, style = piece if isinstance(piece, Styled) else (piece, "")
    return Styled(escape(text), style)


def _print_rich(
    headers: Sequence[str],
    lines: Sequence[Sequence[Styled]],
    right: Sequence[bool],
    yielding: Sequence[str],
) -> None:
    from rich.measure import Measurement  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    filled = [n for n in range(len(headers)) if any(line[n].text for line in lines)]
    for n in filled:
        table.add_column(
            headers[n],
            justify="right" if right[n] else "left",
            overflow="fold",
            no_wrap=headers[n] not in yielding,
        )
    for line in lines:
        table.add_row(*(Text(line[n].text, line[n].style) for n in filled))
    console = _console()
    least = Measurement.get(console, console.options.update(max_width=1 << 16), table).minimum
    console.width = max(console.width, least)  # the terminal wraps the line: nothing is cut
    console.print(table)


def _console() -> Any:
    from rich.console import Console  # noqa: PLC0415 - see above

    return Console(highlight=False, emoji=False, markup=False)
