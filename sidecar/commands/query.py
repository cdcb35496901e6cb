"""``query``: SQL over one mirror or many. Reads, and can do nothing else."""

import binascii
import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from sidecar.commands import FAILED, OK, error_json
from sidecar.commands.answers import add_all, meant, mirrors_of, need_a_mirror, say_freshness
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.layout import TextColumn, shorten
from sidecar.commands.render import Piece, Styled, print_json, print_table
from sidecar.commands.terminal import complain, escape, plural, say
from sidecar.errors import UsageError
from sidecar.model import Source
from sidecar.readers.deadline import TooLongError, last_resort
from sidecar.readers.guard import limit_memory
from sidecar.readers.members import Queried
from sidecar.readers.query import Cell, Limits, QueryRows, Session, asking
from sidecar.reports import Json, cell_to_json
from sidecar.settings import CHOICE, Settings, seconds

EXAMPLES = (
    "epicenter-sidecar query ~/.local/share/com.example.app 'SELECT * FROM notes'",
    "epicenter-sidecar query . --json 'SELECT _workspace_name, title FROM notes'",
    "echo 'SELECT name, rows FROM _mirror_tables' | epicenter-sidecar query . -",
)

TOO_LONG = 124
_SHAPES = ("table", "json", "ndjson", "csv")
_LIMITS = {"table": (1000, 64), "json": (1000, 64), "ndjson": (10**6, 1024), "csv": (10**6, 1024)}
"""Rows and megabytes where nothing else is said: those that are held, and those that stream."""
_SECONDS = 30.0
_WIDEST = 60
_STDIN_BYTES = 1 << 20
_PLACES = "folders, documents or mirrors; the SQL comes last"
_SHORT_NAME, _MOST_NAMED = 30, 8
_SHORT_ID = 11
"""Width of a workspace's id where its name stands beside it."""


class QueryReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    truncated: bool
    sources: tuple[Queried, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``query`` takes."""
    parser.usage = "epicenter-sidecar query [PATH...] SQL [options]"
    parser.epilog = (
        "The last argument is the SQL, - for stdin. Over several mirrors each table is a"
        "\nview of all that have it, with _workspace, _workspace_name and _epoch in front."
        f"\nExit codes: 0 answered, 1 wrong SQL or no mirror, 124 took too long.\n\n{parser.epilog}"
    )
    add_paths(parser, CHOICE, metavar="PATH SQL", places=_PLACES)
    for shape in _SHAPES:
        parser.add_argument(
            f"--{shape}", dest="shape", action="store_const", const=shape, help=_HELP[shape]
        )
    parser.add_argument(
        "--limit",
        type=counted,
        metavar="N",
        help="at most N rows (1000; 1000000 with --csv and --ndjson)",
    )
    parser.add_argument(
        "--max-mb",
        type=counted,
        metavar="MB",
        help="at most so much in the answer's cells (64; 1024 with --csv and --ndjson)",
    )
    parser.add_argument(
        "--max-seconds", type=_seconds, default=_SECONDS, metavar="S", help="for the query (30)"
    )
    parser.add_argument("--sync", action="store_true", help="bring the mirrors in step first")
    add_all(parser)


_HELP = {
    "table": "a table that fits the terminal (so it is without an option)",
    "json": "one JSON value",
    "ndjson": "a JSON object for each row",
    "csv": "comma-separated values",
}


def run(arguments: Arguments) -> int:
    """Answer the question; 0 also when there are no rows.

    Raises:
        SqlError: SQLite refuses the query.
        UsageError: There is no SQL, or there are too many mirrors.
        SidecarError: No mirror can be read.
    """
    sql = _sql(arguments)
    settings = settings_of(arguments)
    shape = arguments.shape or "table"
    rows, megabytes = _LIMITS[shape]
    size = (arguments.max_mb or megabytes) << 20
    limits = Limits(arguments.limit or rows, size, arguments.max_seconds)
    found = meant(settings, every=arguments.all)
    if arguments.sync:
        _sync(settings, [target.source for target in found.targets])
    need_a_mirror(settings, found)
    limit_memory()
    with asking(mirrors_of(found)) as session:
        for fault in session.faults:
            complain(fault)
        try:
            with last_resort(session.clock, partial(_too_long, limits, shape)):
                answer = session.run(sql, limits=limits)
                _PRINTERS[shape](session, answer)
        except TooLongError:
            return _too_long(limits, shape)
        if shape != "json":
            say_freshness(session.sources)
    return FAILED if found.closed else OK


def _sql(arguments: Arguments) -> str:
    """Take the SQL from the end of the arguments.

    Raises:
        UsageError: There is none.
    """
    words: list[str] = arguments.paths
    if not words or (os.path.exists(words[-1]) and not _reads_like_sql(words[-1])):
        message = "which SQL? For example: epicenter-sidecar query PATH 'SELECT * FROM notes'"
        raise UsageError(message)
    sql = words.pop()
    if sql == "-":
        sql = sys.stdin.buffer.read(_STDIN_BYTES + 1).decode("utf-8", "surrogateescape")
    if not sql.strip():
        message = "the SQL is empty; for example: epicenter-sidecar query PATH 'SELECT 1'"
        raise UsageError(message)
    return sql


def _reads_like_sql(text: str) -> bool:
    return " " in text or text == "-"


def _seconds(text: str) -> float:
    """Read a time limit, for ``add_argument``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    from argparse import ArgumentTypeError  # beside what raises it

    try:
        return seconds(text)
    except ValueError as error:
        message = f"{text!r} is not valid; {error}"
        raise ArgumentTypeError(message) from None


def _too_long(limits: Limits, shape: str) -> int:
    message = (
        f"the query took longer than {limits.seconds:g} s and was ended; ask for less, or give it"
        " more with --max-seconds"
    )
    if shape == "json":
        say(error_json("timeout", message))
    complain(message)
    return TOO_LONG


def _sync(settings: Settings, sources: Sequence[Source]) -> None:
    """Bring mirrors in step; who cannot be is said, and answers as it is."""
    from sidecar.host.protocol import Event, FailedEvent  # where wanted
    from sidecar.supervisor.one_pass import run_pass

    def tell(event: Event) -> None:
        if isinstance(event, FailedEvent):
            complain(event.message)

    run_pass(settings, list(sources), tell, force=False)


def _print_json(session: Session, answer: QueryRows) -> None:
    rows = tuple(tuple(map(cell_to_json, row)) for row in answer)
    print_json(QueryReport(answer.columns, rows, answer.truncated, session.sources))


def _print_ndjson(_session: Session, answer: QueryRows) -> None:
    import json  # 2 ms

    names = _unlike(answer.columns)
    encode = json.JSONEncoder(separators=(",", ":")).encode
    for row in answer:
        sys.stdout.write(encode(dict(zip(names, map(cell_to_json, row), strict=True))) + "\n")
    _say_truncated(answer)


def _print_csv(_session: Session, answer: QueryRows) -> None:
    clean = escape if sys.stdout.isatty() else _as_it_is
    for line in _csv_lines(answer):
        sys.stdout.write(clean(line) + "\n")
    _say_truncated(answer)


def _csv_lines(answer: QueryRows) -> Iterable[str]:
    yield ",".join(map(_csv, answer.columns))
    for row in answer:
        yield ",".join(map(_csv, row))


def _csv(cell: Cell) -> str:
    """Write a cell as RFC 4180 has it: NULL is nothing, an empty text is two quotes."""
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return binascii.b2a_base64(cell, newline=False).decode("ascii")
    text = str(cell)
    if not text or any(char in text for char in '",\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def _print_table(_session: Session, answer: QueryRows) -> None:
    rows = list(answer)
    if answer.columns:
        columns = [
            _column(n, name, answer.columns, [row[n] for row in rows])
            for n, name in enumerate(answer.columns)
        ]
        left_out = print_table(columns, [list(map(_piece, row)) for row in rows])
        if left_out:
            named = ", ".join(shorten(name, _SHORT_NAME) for name in left_out[:_MOST_NAMED])
            more = len(left_out) - _MOST_NAMED
            named += f" and {more} more" if more > 0 else ""
            complain(f"no room for {named}; name fewer columns, or use --json")
    _say_truncated(answer)


def _column(place: int, name: str, names: Sequence[str], cells: Sequence[Cell]) -> TextColumn:
    """Describe a column; where there is no room the last ones go, of those first the empty ones."""
    is_empty = bool(place and cells) and all(cell is None for cell in cells)
    rank = place + len(names) if is_empty else place
    is_number = _are_numbers(cells)
    column = TextColumn(name, is_number=is_number, in_middle=_is_id(name), rank=rank)
    has_name = name == "_workspace" and "_workspace_name" in names
    return column._replace(roomy=_SHORT_ID) if has_name else column


def _are_numbers(cells: Iterable[Cell]) -> bool:
    kinds = {type(cell) for cell in cells} - {type(None)}
    return bool(kinds) and kinds <= {int, float}


def _piece(cell: Cell) -> Piece:
    """Show a cell on a line: NULL as such, bytes by their number."""
    if cell is None:
        return Styled("NULL", "dim")
    if isinstance(cell, bytes):
        return Styled(f"({plural(len(cell), 'byte')})", "dim")
    return str(cell)


def _is_id(name: str) -> bool:
    return name in {"id", "_workspace"} or name.endswith(("_id", "Id"))


def _unlike(names: Sequence[str]) -> list[str]:
    """Give columns of one name different ones, so that an object can hold them all."""
    found: dict[str, None] = {}
    for name in names:
        unlike, number = name, 2
        while unlike in found:
            unlike = f"{name}_{number}"
            number += 1
        found[unlike] = None
    return list(found)


def _say_truncated(answer: QueryRows) -> None:
    if answer.truncated:
        complain("there are more rows; --limit shows more")


def _as_it_is(text: str) -> str:
    return text


_PRINTERS = {
    "table": _print_table,
    "json": _print_json,
    "ndjson": _print_ndjson,
    "csv": _print_csv,
}
