"""``verify``: compares mirrors with their documents, cell by cell, with independent code."""

import json
from collections import Counter
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.layout import TextColumn
from sidecar.commands.progress import progress
from sidecar.commands.render import (
    Styled,
    called,
    name_of,
    print_json,
    print_line,
    print_table,
    print_text,
    titled,
)
from sidecar.commands.targets import command_line, complain_of_nothing, find, in_order
from sidecar.commands.terminal import HABITS, plural
from sidecar.document.standing import Standing, standing_of
from sidecar.files import shown
from sidecar.model import Failed, Source
from sidecar.reports import MOST_DIFFERENCES, Verification, doc_fields
from sidecar.settings import CHOICE, LIMITS, Settings
from sidecar.workers.isolated import report_of, run_isolated
from sidecar.workers.messages import Task, VerifyAnswer

EXAMPLES = (
    "epicenter-sidecar verify ~/.local/share/com.example.app",
    "epicenter-sidecar verify path/to/workspace.yjs",
    "epicenter-sidecar verify --json . | jq '.documents[].result'",
)

_STYLES = {"equal": "green", "stale": "magenta", "missing": "magenta"}
_NEXT = {
    "stale": "the documents were changed since; run sync",
    "different": "run sync --force, and please report it if they differ again",
    "damaged": "run sync",
    "missing": "run sync",
    "unreadable": "run inspect FILE to see its content",
}
_LONGEST_CELL = 60


_COLUMNS = (
    TextColumn("name", least=10, roomy=14),
    TextColumn("document", in_middle=True, least=11),
    TextColumn("result", least=10),
    TextColumn("rows", is_number=True),
    TextColumn("cells", is_number=True, rank=2),
    TextColumn("differ", is_number=True),
    TextColumn("integrity", rank=1, least=9, roomy=9),
)


class VerifyReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    documents: tuple[Verification, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``verify`` takes."""
    add_paths(parser, CHOICE, LIMITS)
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """Verify every mirror; 0 when each is equal to its document."""
    settings = settings_of(arguments)
    places = find(settings)
    sources = in_order(places)
    found = check(settings, sources)
    if arguments.json:
        print_json(VerifyReport(tuple(found)))
    elif found:
        _print(found, {shown(one.document): standing_of(one) for one in sources})
        if {one.result for one in found} & {"stale", "missing", "damaged"}:
            print_line(f"next: {command_line('sync', settings)}")
    else:
        complain_of_nothing(settings)
    is_fine = found and not places.closed and all(map(_is_fine, found))
    return OK if is_fine else FAILED


def _is_fine(one: Verification) -> bool:
    return one.result == "equal" and not one.unread


def check(settings: Settings, sources: Sequence[Source]) -> list[Verification]:
    """Verify each mirror in its own process, which may crash without harm."""
    found: list[Verification] = []
    tasks = [Task("verify", source) for source in sources]
    with progress("Comparing mirrors with documents", sources) as bar:
        for task, answer in run_isolated(settings, tasks, batch=len(tasks)):
            result = report_of(answer, VerifyAnswer)
            if isinstance(result, Failed):
                result = _unreadable(task.source, result)
            found.append(result)
            bar.step(shown(task.source.document))
    return found


def _unreadable(source: Source, failed: Failed) -> Verification:
    return Verification(
        **doc_fields(source),
        mirror=shown(source.mirror),
        result="unreadable",
        whole=False,
        code=failed.code,
        message=failed.message,
    )


def _print(found: Sequence[Verification], standings: dict[str, Standing]) -> None:
    if HABITS.is_quiet:
        found = [one for one in found if one.result != "equal"]
    if found:
        print_table(_COLUMNS, [_row(one, standings[one.path]) for one in found])
    for one in found:
        name = called(one, standings[one.path].name)
        if one.message:
            print_text(f"{name}: {one.message}")
        if one.why:
            print_text(f"{name} is {one.result}: {one.why}")
        if one.unread:
            print_text(f"{name}: {plural(one.unread, 'problem')} unreadable: not compared")
    for one in found:
        if one.total:
            _print_differences(one, called(one, standings[one.path].name))
    for result, count in sorted(Counter(one.result for one in found).items()):
        noun = "mirror" if result in {"missing", "damaged"} else "document"
        advice = f": {_NEXT[result]}" if result in _NEXT else ""
        print_line(f"{plural(count, noun)} {result}{advice}")


def _row(one: Verification, standing: Standing) -> list[str | Styled]:
    return [
        titled(standing.icon, standing.name),
        name_of(one),
        Styled(one.result, _STYLES.get(one.result, "red")),
        str(one.rows),
        str(one.cells),
        str(one.total),
        one.integrity or "",
    ]


def _print_differences(one: Verification, name: str) -> None:
    print_line()
    print_line(f"{name}: {plural(one.total, 'difference')}")
    print_table(
        (
            "table",
            TextColumn("row", in_middle=True),
            "column",
            TextColumn("in the document", folds=True),
            TextColumn("in the mirror", folds=True),
        ),
        [
            (d.table, d.row_id or "", d.column or "", _cell(d.expected), _cell(d.actual))
            for d in one.differences
        ],
    )
    if one.total > MOST_DIFFERENCES:
        print_line(f"and {one.total - MOST_DIFFERENCES} more")


def _cell(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
