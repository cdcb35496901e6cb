"""``history``: the snapshots beside a document, and the mirror of one of them."""

import msgspec

from sidecar.commands import OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.layout import TextColumn
from sidecar.commands.moments import unix_ms
from sidecar.commands.outs import check_out
from sidecar.commands.progress import progress
from sidecar.commands.render import (
    Styled,
    moment,
    name_of,
    print_json,
    print_line,
    print_table,
    size,
)
from sidecar.commands.targets import boundary_of, one_source
from sidecar.commands.terminal import plural
from sidecar.errors import SidecarError, UsageError
from sidecar.files import shown
from sidecar.model import Failed, Source
from sidecar.reports import History, Moment
from sidecar.settings import CHOICE, LIMITS, Settings
from sidecar.workers.isolated import report_of, run_isolated
from sidecar.workers.messages import HistoryAnswer, RestoreAnswer, Task

EXAMPLES = (
    "epicenter-sidecar history path/to/workspace",
    "epicenter-sidecar history path/to/workspace --at 2026-01-13 --out past.sqlite",
    "epicenter-sidecar diff path/to/workspace@yesterday path/to/workspace",
)


class RestoreReport(msgspec.Struct, frozen=True):
    """What ``--at --json`` prints: the snapshot that was used, and its mirror."""

    unix_ms: int
    out: str
    rows: int


def add_arguments(parser: Parser) -> None:
    """Add what ``history`` takes."""
    parser.epilog = (
        "Snapshots are the files snapshots/UNIX_MS.ysnap beside a document. A MOMENT is"
        "\nin Unix milliseconds or ISO 8601 (local time if no zone is given; a day alone"
        f"\nmeans its end), or yesterday.\n\n{parser.epilog}"
    )
    add_paths(parser, CHOICE, LIMITS)
    parser.add_argument(
        "--at",
        metavar="MOMENT",
        type=unix_ms,
        help="build the mirror of the newest snapshot not later than this",
    )
    parser.add_argument("--out", metavar="FILE", help="path of the mirror to build")
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """List snapshots, or build the mirror of one."""
    if (arguments.at is None) != (arguments.out is None):
        message = "--at MOMENT and --out FILE must be given together"
        raise UsageError(message)
    settings = settings_of(arguments)
    source = one_source(settings, "history")
    if arguments.out is not None:
        return _restore(settings, source, arguments)
    with progress("Reading snapshots", [source]):
        ((_, result),) = run_isolated(
            settings, [Task("history", source, {"root": boundary_of(settings, source)})]
        )
        answer = report_of(result, HistoryAnswer)
    if isinstance(answer, Failed):
        raise SidecarError(answer.code, f"{shown(source.document)}: {answer.message}")
    if arguments.json:
        print_json(answer)
    else:
        _print(answer)
    return OK


def _restore(settings: Settings, source: Source, arguments: Arguments) -> int:
    out = check_out(arguments.out)
    root = boundary_of(settings, source)
    task = Task("restore", source, {"at_ms": arguments.at, "out": out, "root": root})
    with progress("Building the mirror", [source]):
        ((_, result),) = run_isolated(settings, [task])
        answer = report_of(result, RestoreAnswer)
    failed = answer if isinstance(answer, Failed) else answer.failed
    if failed or isinstance(answer, Failed):
        code = failed.code if failed else "internal"
        raise SidecarError(code, f"{shown(source.document)}: {failed.message if failed else ''}")
    if arguments.json:
        print_json(RestoreReport(answer.unix_ms, shown(out), answer.rows))
    else:
        taken = f"{answer.unix_ms} ({moment(answer.unix_ms)})"
        print_line(f"{shown(out)}: {plural(answer.rows, 'row')} as of the snapshot {taken}")
        print_line(f"next: epicenter-sidecar schema {shown(out)}")
    return OK


def _print(history: History) -> None:
    if not history.snapshots:
        print_line(f"{name_of(history)} has no snapshots beside it")
        return
    print_table(
        (
            TextColumn("unix_ms", is_number=True),
            TextColumn("time", least=19),
            TextColumn("description", folds=True, least=11),
            TextColumn("size", is_number=True, rank=1),
            TextColumn("rows", is_number=True),
            TextColumn("tables", folds=True),
        ),
        [_row(one) for one in history.snapshots],
    )
    for one in history.snapshots:
        if one.code:
            print_line(f"{one.unix_ms}  {one.code}: {one.message}")
    first = history.snapshots[0]
    then, now = f"{history.path}@{first.unix_ms}", history.path
    print_line(f"changes since then: epicenter-sidecar diff {then} {now}")
    if not history.exact:
        print_line(
            "the document has no deleted content (gc): rows deleted since then are missing here"
        )


def _row(one: Moment) -> list[str | Styled]:
    tables = ", ".join(f"{name} {rows}" for name, rows in one.tables.items())
    return [
        str(one.unix_ms),
        moment(one.unix_ms),
        one.description or "",
        size(one.bytes),
        "" if one.rows is None else str(one.rows),
        Styled(one.code, "red") if one.code else tables,
    ]
