"""``diff``: what changed between two documents, moments of documents, or mirrors."""

import json
import os
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.moments import WHAT, moment_of
from sidecar.commands.progress import progress
from sidecar.commands.render import Styled, print_hanging, print_json, print_line
from sidecar.commands.targets import boundary_of, one_source
from sidecar.commands.terminal import plural
from sidecar.errors import SidecarError, UsageError
from sidecar.files import shown
from sidecar.mirror.diff import differences, row_values
from sidecar.mirror.header import is_mirror
from sidecar.mirror.state import read_mirror
from sidecar.model import Failed, Source
from sidecar.reports import TableDifference
from sidecar.settings import CHOICE, LIMITS, Settings
from sidecar.workers.isolated import run_isolated
from sidecar.workers.messages import RestoreAnswer, Task

EXAMPLES = (
    "epicenter-sidecar diff old/workspace.yjs new/workspace.yjs",
    "epicenter-sidecar diff path/to/workspace@yesterday path/to/workspace",
    "epicenter-sidecar diff tables.last-good.sqlite tables.sqlite",
)

_SIDES = 2
_MOST_LINES = 40
_LONGEST_CELL = 40
_BELOW = "      "
"""Indents what a row has no room for on its line."""


class DiffReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    a: str
    b: str
    equal: bool
    tables: tuple[TableDifference, ...]


class _Side(NamedTuple):
    """One of the two sides: a mirror, or a document from which one is built.

    Attributes:
        mirror: Path of the mirror, which may not be built yet.
        argument: As it was given.
        source: The document, None if the argument is a mirror.
        task: Builds the mirror.
        tables: What its mirror shows, as ``Options.tables``; None where there is no mirror.
    """

    mirror: str
    argument: str
    source: Source | None = None
    task: Task | None = None
    tables: tuple[str, ...] | None = None


def add_arguments(parser: Parser) -> None:
    """Add what ``diff`` takes."""
    parser.usage = "epicenter-sidecar diff A B [options]"
    parser.epilog = (
        f"A MOMENT is {WHAT}."
        f"\nLines: ~ changed, + added, - removed, seen from A.\n\n{parser.epilog}"
    )
    add_paths(
        parser,
        CHOICE,
        LIMITS,
        metavar="A B",
        places="documents, workspaces, moments of them (A@MOMENT, see history) or mirrors",
    )
    parser.add_argument(
        "--limit",
        type=counted,
        default=_MOST_LINES,
        metavar="N",
        help=f"show at most N rows of each table ({_MOST_LINES})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON value, without a limit")


def run(arguments: Arguments) -> int:
    """Compare A with B; 0 when their tables are equal."""
    if len(arguments.paths) != _SIDES:
        message = "diff needs two arguments: documents, moments (DOCUMENT@MOMENT) or mirrors"
        raise UsageError(message)
    settings = settings_of(arguments)
    a, b = arguments.paths
    with tempfile.TemporaryDirectory() as folder:
        sides = [
            _side(settings, argument, os.path.join(folder, f"{number}.sqlite"))
            for number, argument in enumerate((a, b))
        ]
        with progress("Comparing", [side.source for side in sides if side.source]) as bar:
            for side in sides:
                _build(_as_shown(settings, side, *sides), side)
                bar.step()
            found = differences(sides[0].mirror, sides[1].mirror)
        if arguments.json:
            print_json(DiffReport(shown(a), shown(b), equal=not found, tables=tuple(found)))
        elif found:
            for table in found:
                _print(table, (sides[0].mirror, sides[1].mirror), arguments.limit)
        else:
            print_hanging(f"{shown(a)} and {shown(b)} hold the same tables", indent="  ")
    return FAILED if found else OK


def _side(settings: Settings, argument: str, out: str) -> _Side:
    """Return one side from its argument.

    Raises:
        UsageError: The argument names no document, or more than one.
        SidecarError: There is no document.
    """
    try:
        path, at_ms = moment_of(argument)
    except ArgumentTypeError as error:
        message = f"{shown(argument)}: {error}"
        raise UsageError(message) from None
    path = os.path.abspath(path)
    if at_ms is None and is_mirror(path):
        return _Side(path, argument, tables=_stated(path))
    here = msgspec.structs.replace(settings, roots=(path,))
    source = one_source(here, "each side of diff")
    if at_ms is None:
        task = Task("sync", msgspec.structs.replace(source, mirror=out), {"rested": True})
    else:
        root = boundary_of(here, source)
        task = Task("restore", source, {"at_ms": at_ms, "out": out, "root": root})
    return _Side(out, argument, source, task, _stated(source.mirror))


def _stated(mirror: str) -> tuple[str, ...] | None:
    found = read_mirror(mirror)
    return found.options.tables if found.facts else None


def _as_shown(settings: Settings, *sides: _Side) -> Settings:
    """Return the settings with the tables that the first of these sides with a mirror shows."""
    found = (side.tables for side in sides if side.tables)
    return msgspec.structs.replace(settings, tables=settings.tables or next(found, None))


def _build(settings: Settings, side: _Side) -> None:
    """Build the mirror of a side, if it is not a mirror itself.

    Raises:
        SidecarError: The document cannot be read, or has no such moment.
    """
    if side.task is None:
        return
    ((_, result),) = run_isolated(settings, [side.task])
    failed = result.report.failed if isinstance(result, RestoreAnswer) else result
    if isinstance(failed, Failed):
        raise SidecarError(failed.code, f"{shown(side.argument)}: {failed.message}")


def _print(table: TableDifference, mirrors: tuple[str, str], limit: int) -> None:
    kinds = (("changed", table.changed), ("added", table.added), ("removed", table.removed))
    counts = [f"{plural(len(rows), 'row')} {word}" for word, rows in kinds if rows]
    if table.change != "changed":
        counts.insert(0, f"table {table.change}")
    if table.definition_changed:
        counts.append("definition changed")
    print_line(Styled(table.name, "bold"), ": " + ", ".join(counts))
    for row in table.changed[:limit]:
        cells = ", ".join(f"{c.field}: {_cell(c.a)} -> {_cell(c.b)}" for c in row.cells)
        print_hanging(f"  ~ {row.id}  {cells}", indent=_BELOW, style="magenta")
    left = limit - len(table.changed)
    left -= _print_whole("+ ", "green", table.name, table.added[: max(0, left)], mirrors[1])
    _print_whole("- ", "red", table.name, table.removed[: max(0, left)], mirrors[0])
    hidden = sum(len(rows) for _, rows in kinds) - limit
    if hidden > 0:
        print_line(f"  and {plural(hidden, 'more row')}; --limit shows more, --json all")


def _print_whole(mark: str, style: str, table: str, ids: Sequence[str], mirror: str) -> int:
    """Print the rows that only one side has, with their cells; return how many."""
    for row_id, values in row_values(mirror, table, ids).items():
        cells = ", ".join(f"{name}: {_cell(value)}" for name, value in values.items())
        print_hanging(f"  {mark}{row_id}  {cells}", indent=_BELOW, style=style)
    return len(ids)


def _cell(value: object) -> str:
    is_json = isinstance(value, str) and value[:1] in {"[", "{"}
    text = str(value) if is_json else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
