"""``status``: which mirrors are in step."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.layout import TextColumn
from sidecar.commands.progress import progress
from sidecar.commands.render import (
    Styled,
    age,
    called,
    name_of,
    print_json,
    print_line,
    print_table,
    print_text,
    size,
    titled,
)
from sidecar.commands.targets import command_line, complain_of_nothing, find, in_order
from sidecar.commands.terminal import HABITS, plural
from sidecar.files import shown, version_of
from sidecar.host.outcomes import unreadable
from sidecar.model import Failed, Source
from sidecar.reports import Status
from sidecar.settings import CHOICE, LIMITS, Settings
from sidecar.workers.isolated import report_of, run_isolated
from sidecar.workers.messages import StatusAnswer, Task

EXAMPLES = (
    "epicenter-sidecar status ~/.local/share/com.example.app",
    "epicenter-sidecar status --identifier com.example.app --json",
    "epicenter-sidecar status . || epicenter-sidecar sync .",
)

_BATCH = 64
_MOST_REASONS = 10
_STYLES = {"in_step": "green", "stale": "magenta", "missing": "magenta"}
_NEXT = {
    "stale": "run sync, or watch to keep them in step",
    "missing": "run sync",
    "damaged": "run sync",
    "unreadable": "run inspect FILE to see its content",
}


_COLUMNS = (
    TextColumn("name", least=10, roomy=14),
    TextColumn("document", in_middle=True, least=11),
    TextColumn("state", least=7, roomy=11),
    TextColumn("rows", is_number=True),
    TextColumn("problems", is_number=True, rank=2),
    TextColumn("notes", rank=1, least=11),
    TextColumn("published", rank=3, least=11, is_extra=True),
    TextColumn("size", is_number=True, rank=4, is_extra=True),
    TextColumn("tables", is_number=True, rank=5, is_extra=True),
)


class StatusListing(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    documents: tuple[Status, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``status`` takes."""
    add_paths(parser, CHOICE, LIMITS)
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """Print the state of each document and its mirror; 0 when every mirror is in step."""
    settings = settings_of(arguments)
    found = find(settings)
    statuses = look(settings, in_order(found))
    if arguments.json:
        print_json(StatusListing(tuple(statuses)))
    elif statuses:
        _print(statuses)
        if {status.state for status in statuses} & {"stale", "missing", "damaged"}:
            print_line(f"next: {command_line('sync', settings)}")
    else:
        complain_of_nothing(settings)
    is_fine = (
        statuses and not found.closed and all(status.state == "in_step" for status in statuses)
    )
    return OK if is_fine else FAILED


def look(settings: Settings, sources: Sequence[Source]) -> list[Status]:
    """Examine each document in its own process, which may crash without harm."""
    found: list[Status] = []
    tasks = [Task("status", source) for source in sources]
    with progress("Checking documents", sources) as bar:
        for task, answer in run_isolated(settings, tasks, batch=_BATCH):
            status = report_of(answer, StatusAnswer)
            if isinstance(status, Failed):
                status = unreadable(
                    task.source,
                    status.code,
                    version_of(task.source.document),
                    version_of(task.source.mirror),
                )
            found.append(status)
            bar.step(shown(task.source.document))
    return found


def _print(statuses: Sequence[Status]) -> None:
    if HABITS.is_quiet:
        statuses = [status for status in statuses if status.state != "in_step"]
    if statuses:
        print_table(_COLUMNS, [_row(status) for status in statuses])
    reasons = [status for status in statuses if status.why]
    for status in reasons[:_MOST_REASONS]:
        state = status.state.replace("_", " ")
        print_text(f"{called(status, status.name)} is {state}: {status.why}")
    if len(reasons) > _MOST_REASONS:
        print_line(f"and {len(reasons) - _MOST_REASONS} more; --json has all reasons")
    for state, count in sorted(Counter(status.state for status in statuses).items()):
        noun = "mirror" if state in {"missing", "damaged"} else "document"
        advice = f": {_NEXT[state]}" if state in _NEXT else ""
        print_line(f"{plural(count, noun)} {state.replace('_', ' ')}{advice}")


def _row(status: Status) -> list[str | Styled]:
    state = f"{status.state} ({status.code})" if status.code else status.state
    marks = [
        mark
        for mark, holds in (("not current", not status.current), ("deleted", status.deleted))
        if holds
    ]
    published = status.mirror_mtime_ms
    numbers = (str(status.rows), str(status.problems), size(status.bytes), str(status.tables))
    rows, problems, bytes_, tables = ("",) * 4 if published is None else numbers
    return [
        titled(status.icon, status.name),
        name_of(status),
        Styled(state, _STYLES.get(status.state, "red")),
        rows,
        problems,
        Styled(", ".join(marks), "dim"),
        "" if published is None else age(published),
        bytes_,
        tables,
    ]
