"""``inspect``: shows the content of a .yjs file, also of one that cannot be decoded."""

import os

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.layout import TextColumn
from sidecar.commands.progress import progress
from sidecar.commands.render import (
    print_hanging,
    print_json,
    print_line,
    print_table,
    print_text,
    size,
    titled,
)
from sidecar.commands.targets import one_source
from sidecar.commands.terminal import complain, plural
from sidecar.discovery import source_of
from sidecar.model import Failed
from sidecar.reports import Inspection
from sidecar.settings import CHOICE, LIMITS
from sidecar.workers.isolated import report_of, run_isolated
from sidecar.workers.messages import InspectAnswer, Task

EXAMPLES = (
    "epicenter-sidecar inspect path/to/workspace.yjs",
    "epicenter-sidecar inspect path/to/head.yjs",
    "epicenter-sidecar inspect --json workspace.yjs | jq '.tables[].name'",
)

_THIS_COMMAND = "; inspect shows what can be read of it"
"""What messages about unreadable documents advise."""


def add_arguments(parser: Parser) -> None:
    """Add what ``inspect`` takes."""
    parser.usage = "epicenter-sidecar inspect FILE [options]"
    add_paths(parser, CHOICE, LIMITS, metavar="FILE", places="a document, head.yjs or registry.yjs")
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """Show the content of a file; 1 when it cannot be read."""
    settings = settings_of(arguments)
    is_gone = len(settings.roots) == 1 and not os.path.exists(settings.roots[0])
    source = source_of(settings.roots[0]) if is_gone else one_source(settings, "inspect")
    with progress("Reading the file", [source]):
        ((_, result),) = run_isolated(settings, [Task("inspect", source)])
        answer = report_of(result, InspectAnswer)
    if isinstance(answer, Failed):
        from sidecar.tasks.inspect import outline_only  # only after a crash

        answer = outline_only(source, settings.options, answer.code, answer.message)
    if arguments.json:
        print_json(answer)
    else:
        _print(answer)
    return FAILED if answer.code else OK


def _print_host(seen: Inspection) -> None:
    """Print the content of a head.yjs or registry.yjs."""
    if seen.head:
        head = seen.head
        print_line(f"workspace: {titled(head.icon, head.name) or 'no name'}")
        if head.description:
            print_text(f"description: {head.description}")
        asked = ", ".join(f"{epoch} by {client}" for client, epoch in head.epochs.items())
        print_line(f"epochs: {asked or 'none'}")
        if head.current is not None:
            print_line(f"current epoch: {head.current}")
    if seen.workspaces is not None:
        print_line(f"workspaces: {len(seen.workspaces)}")
        for one in seen.workspaces:
            missing = "" if one.found else "  (no folder)"
            print_text(f"{one.id}  {one.name or ''}{missing}".rstrip(), indent="  ")


def _print(seen: Inspection) -> None:
    print_hanging(f"{seen.path}: {size(seen.bytes)}, encoding {seen.encoding}", indent="  ")
    print_line(f"layouts: {', '.join(seen.layouts) or 'none known'}")
    print_text("roots: " + (", ".join(f"{r.name} ({r.kind})" for r in seen.roots) or "none"))
    elements = sum(writer.clock for writer in seen.writers)
    print_line(f"writers: {len(seen.writers)}, with {plural(elements, 'element')}")
    _print_host(seen)
    if seen.code and seen.tables:
        print_line("rows that could be read (some may be deleted ones):")
    is_of_the_host = seen.head is not None or seen.workspaces is not None
    for table in () if is_of_the_host else seen.tables:
        about = "declared" if table.declared else "not declared"
        odd = f", {table.odd_rows} of them not maps" if table.odd_rows else ""
        print_line()
        print_line(f"{table.name}: {plural(table.rows, 'row')}{odd}, {about}")
        print_table(
            ("field", TextColumn("type", folds=True), TextColumn("cells", folds=True)),
            [
                (
                    field.name,
                    f"{field.type or '-'}{' or null' if field.type and field.nullable else ''}",
                    ", ".join(f"{kind} {count}" for kind, count in field.kinds.items()),
                )
                for field in table.fields
            ],
        )
    if seen.code:
        told = (seen.message or "").replace(_THIS_COMMAND, "")
        complain(f"{os.path.basename(seen.path)} cannot be read as a document: {told}")
