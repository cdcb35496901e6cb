"""``diff``: what changed between two documents, moments of documents, or mirrors."""

import json
import os
import tempfile
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.render import Styled, print_json, print_line, progress
from sidecar.commands.targets import boundary_of, moment_of, one_source
from sidecar.commands.terminal import plural
from sidecar.errors import SidecarError, UsageError
from sidecar.files import shown
from sidecar.mirror.diff import differences
from sidecar.mirror.state import is_mirror
from sidecar.model import Failed
from sidecar.reports import TableDifference
from sidecar.settings import CHOICE, LIMITS, Settings
from sidecar.workers.isolated import run_isolated
from sidecar.workers.messages import RestoreAnswer, Task

EXAMPLES = (
    "epicenter-sidecar diff old/workspace.yjs new/workspace.yjs",
    "epicenter-sidecar diff path/to/workspace.yjs@1768294800000 path/to/workspace.yjs",
    "epicenter-sidecar diff tables.last-good.sqlite tables.sqlite",
)

_SIDES = 2
_MOST_LINES = 40
_LONGEST_CELL = 40


class DiffReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    a: str
    b: str
    equal: bool
    tables: tuple[TableDifference, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``diff`` takes."""
    parser.usage = "epicenter-sidecar diff A B [options]"
    add_paths(
        parser,
        CHOICE,
        LIMITS,
        metavar="A B",
        places="documents, moments of documents (DOCUMENT@UNIX_MS, see history) or mirrors",
    )
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """Compare A with B; 0 when their tables are equal."""
    if len(arguments.paths) != _SIDES:
        message = "diff takes two: documents, moments (DOCUMENT@UNIX_MS) or mirrors"
        raise UsageError(message)
    settings = settings_of(arguments)
    a, b = arguments.paths
    with tempfile.TemporaryDirectory() as folder, progress("Comparing"):
        sides = [
            _mirror_of(settings, side, os.path.join(folder, f"{number}.sqlite"))
            for number, side in enumerate((a, b))
        ]
        found = differences(*sides)
    if arguments.json:
        print_json(DiffReport(shown(a), shown(b), equal=not found, tables=tuple(found)))
    else:
        _print(shown(a), shown(b), found)
    return FAILED if found else OK


def _mirror_of(settings: Settings, argument: str, out: str) -> str:
    """Return the path of a mirror of one side: itself, or one that is built for the purpose.

    Raises:
        UsageError: The argument names no document, or more than one.
        SidecarError: The document cannot be read, or has no such moment.
    """
    path, at_ms = moment_of(argument)
    path = os.path.abspath(path)
    if at_ms is None and is_mirror(path):
        return path
    here = msgspec.structs.replace(settings, roots=(path,))
    source = one_source(here, "each side of diff")
    if at_ms is None:
        task = Task("sync", msgspec.structs.replace(source, mirror=out), {"rested": True})
    else:
        task = Task(
            "restore", source, {"at_ms": at_ms, "out": out, "root": boundary_of(here, source)}
        )
    ((_, result),) = run_isolated(settings, [task])
    failed = result.report.failed if isinstance(result, RestoreAnswer) else result
    if isinstance(failed, Failed):
        raise SidecarError(failed.code, f"{shown(argument)}: {failed.message}")
    return out


def _print(a: str, b: str, found: Sequence[TableDifference]) -> None:
    if not found:
        print_line(f"{a} and {b} hold the same tables")
    for table in found:
        counts = [
            plural(len(rows), "row") + f" {word}"
            for rows, word in (
                (table.added, "added"),
                (table.removed, "removed"),
                (table.changed, "changed"),
            )
            if rows
        ]
        if table.change != "changed":
            counts.insert(0, f"table {table.change}")
        if table.definition_changed:
            counts.append("definition changed")
        print_line(Styled(table.name, "bold"), ": " + ", ".join(counts))
        _print_rows(table)


def _print_rows(table: TableDifference) -> None:
    lines = [Styled(f"  + {row_id}", "green") for row_id in table.added]
    lines += [Styled(f"  - {row_id}", "red") for row_id in table.removed]
    for row in table.changed:
        cells = ", ".join(f"{c.field}: {_cell(c.a)} -> {_cell(c.b)}" for c in row.cells)
        lines.append(Styled(f"  ~ {row.id}  {cells}", "yellow"))
    for line in lines[:_MOST_LINES]:
        print_line(line)
    if len(lines) > _MOST_LINES:
        print_line(f"  and {len(lines) - _MOST_LINES} more; --json shows them all")


def _cell(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
