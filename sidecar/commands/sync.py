"""``sync``: one pass over every document, then exit."""

import signal
import sys
from contextlib import nullcontext
from types import FrameType

import msgspec

from sidecar.commands import FAILED, LOCKED, OK, ROOT
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.event_lines import line_of
from sidecar.commands.render import Progress, progress
from sidecar.commands.targets import complain_of_nothing, elsewhere, find, in_order
from sidecar.commands.terminal import has_color, say
from sidecar.host import protocol
from sidecar.host.outbox import stamped
from sidecar.host.protocol import Event
from sidecar.settings import CHOICE, LIMITS, MIRROR
from sidecar.supervisor.one_pass import run_pass

EXAMPLES = (
    "epicenter-sidecar sync ~/.local/share/com.example.app",
    "epicenter-sidecar sync --identifier com.example.app --json",
    "epicenter-sidecar sync path/to/workspace.yjs --out /tmp/workspace.sqlite",
)

_EXITS = {"locked": LOCKED, "root": ROOT}
"""Where all failures are of one of these kinds; else it is ``FAILED``."""
_MANY = 20
"""From so many documents on a terminal shows how far it is: rich takes 60 ms to import."""


def add_arguments(parser: Parser) -> None:
    """Add what ``sync`` takes."""
    add_paths(parser, CHOICE, LIMITS, MIRROR)
    parser.add_argument("--force", action="store_true", help="rebuild what is in step too")
    parser.add_argument("--out", metavar="FILE", help="build the mirror there (one document)")
    parser.add_argument("--json", action="store_true", help="events as JSON lines")


def run(arguments: Arguments) -> int:
    """Sync, say how each document ended, and return 0 when every mirror is in step."""
    signal.signal(signal.SIGTERM, _end)
    settings = settings_of(arguments)
    if settings.logs_outcomes:
        from sidecar.commands.logs import log_to_stderr  # noqa: PLC0415 - see there

        log_to_stderr(settings.log_level)
    found = find(settings)
    sources = in_order(found)
    if not sources:
        complain_of_nothing(settings)
        return FAILED
    if arguments.out is not None:
        sources = [elsewhere(sources, arguments.out)]
    is_long = len(sources) >= _MANY and not arguments.json
    with progress("Syncing", len(sources)) if is_long else nullcontext(Progress()) as bar:
        printer = _Printer(bar, as_json=arguments.json)
        result = run_pass(settings, sources, printer.emit, force=arguments.force)
    if result.failed and printer.codes <= _EXITS.keys() and len(printer.codes) == 1:
        return _EXITS[printer.codes.pop()]
    return FAILED if result.failed or found.closed else OK


def _end(number: int, _frame: FrameType | None) -> None:
    """End on a signal as on an error, so that what was begun is cleared up."""
    sys.exit(128 + number)


class _Printer:
    """Prints events, and remembers the codes of failures."""

    def __init__(self, bar: Progress, *, as_json: bool) -> None:
        self.codes: set[str] = set()
        self._bar = bar
        self._as_json = as_json
        self._color = not as_json and has_color()

    def emit(self, event: Event) -> None:
        if isinstance(event, protocol.FailedEvent):
            self.codes.add(event.code)
            event = msgspec.structs.replace(event, retry_ms=None)  # this process will not retry
        if not isinstance(event, (protocol.Collapsed, protocol.Synced)):
            self._bar.step()
        if self._as_json:
            say(protocol.encode(stamped(event)).decode("ascii").rstrip("\n"))
        else:
            say(line_of(event, color=self._color))
