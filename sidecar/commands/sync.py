"""``sync``: one pass over every document, then exit."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import msgspec

from sidecar.commands import FAILED, LOCKED, OK, ROOT
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.problem_lines import problem_lines
from sidecar.commands.progress import Progress, progress
from sidecar.commands.targets import find, in_order
from sidecar.commands.terminal import HABITS, escape, folding_width, has_color, say
from sidecar.errors import SidecarError
from sidecar.files import shown
from sidecar.host import protocol
from sidecar.host.outbox import stamped
from sidecar.host.protocol import Event
from sidecar.model import Source
from sidecar.settings import CHOICE, LIMITS, MIRROR
from sidecar.supervisor.one_pass import run_pass

EXAMPLES = (
    "epicenter-sidecar sync ~/.local/share/com.example.app",
    "epicenter-sidecar sync --identifier com.example.app --json",
    "epicenter-sidecar sync path/to/workspace.yjs --out /tmp/workspace.sqlite",
)

_FEW = 3
"""Up to so many documents each line says where the mirror is; of more, one line says it."""
_EXITS = {"locked": LOCKED, "root": ROOT}
"""Exit codes if all failures have this code; else ``FAILED``."""


def add_arguments(parser: Parser) -> None:
    """Add what ``sync`` takes."""
    add_paths(parser, CHOICE, LIMITS, MIRROR)
    parser.add_argument(
        "--force", action="store_true", help="rebuild mirrors that are in step, too"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="build the mirror at this path (one document)"
    )
    parser.add_argument("--json", action="store_true", help="events as JSON lines")


def run(arguments: Arguments) -> int:
    """Sync, print the outcome of each document, and return 0 when every mirror is in step."""
    signal.signal(signal.SIGTERM, _end)
    settings = settings_of(arguments)
    if settings.logs_outcomes:
        from sidecar.commands.logs import log_to_stderr

        log_to_stderr(settings.log_level)
    found = find(settings)
    sources = in_order(found)
    if not sources:
        from sidecar.commands.near import nothing_here  # only after a mistake

        raise SidecarError("gone", nothing_here(settings.roots, settings.selection))
    if arguments.out is not None:
        from sidecar.commands.outs import elsewhere  # only what is needed

        sources = [elsewhere(sources, arguments.out)]
    with progress("Syncing", sources, is_shown=not arguments.json) as bar:
        printer = _Printer(bar, sources, as_json=arguments.json)
        result = run_pass(settings, sources, printer.emit, force=arguments.force)
    if printer.built and not arguments.json and not HABITS.is_quiet:
        if len(sources) > _FEW:
            place = f"below {settings.into}" if settings.into else "beside the documents"
            names = ", ".join(
                sorted({os.path.basename(source.mirror) for source in sources})[:_FEW]
            )
            say(escape(f"mirrors    {place}: {names}"))
        say(escape(f"next       epicenter-sidecar schema {' '.join(map(shown, settings.roots))}"))
    if result.failed and printer.codes <= _EXITS.keys() and len(printer.codes) == 1:
        return _EXITS[printer.codes.pop()]
    return FAILED if result.failed or found.closed else OK


def error_line(error: SidecarError) -> str:
    """Return the event for an error that ends the command."""
    failed = protocol.FailedEvent(code=error.code, message=error.message, retry_ms=None)
    return protocol.encode(stamped(failed)).decode("ascii").rstrip("\n")


def _end(number: int, _frame: FrameType | None) -> None:
    """End on a signal as on an error, so that temporary files are removed."""
    sys.exit(128 + number)


class _Printer:
    """Prints events, and remembers the codes of failures and how many mirrors are new."""

    def __init__(self, bar: Progress, sources: Sequence[Source], *, as_json: bool) -> None:
        self.codes: set[str] = set()
        self.built = 0
        self._mirrors = {shown(source.document): shown(source.mirror) for source in sources}
        self._files = {shown(source.document): source.mirror for source in sources}
        self._bar = bar
        self._as_json = as_json
        self._color = not as_json and has_color()
        self._width = folding_width()

    def emit(self, event: Event) -> None:
        if isinstance(event, protocol.FailedEvent):
            self.codes.add(event.code)
            event = msgspec.structs.replace(event, retry_ms=None)  # this process will not retry
        if not isinstance(event, protocol.Collapsed):
            self._bar.step(getattr(event, "path", None))
        event = stamped(event)
        if self._as_json:
            say(protocol.encode(event).decode("ascii").rstrip("\n"))
            return
        from sidecar.commands.event_lines import is_wrong, lines_of

        if is_wrong(event) or not HABITS.is_quiet:
            mirror = self._mirror_of(event)
            for line in lines_of(event, color=self._color, mirror=mirror, width=self._width):
                say(line)
        if isinstance(event, protocol.RebuiltEvent) and not HABITS.is_quiet:
            for line in problem_lines(event, self._files[event.path], self._width):
                say(line)

    def _mirror_of(self, event: Event) -> str | None:
        """Return the path of a mirror that did not exist before, if these are few."""
        if isinstance(event, protocol.RebuiltEvent) and event.reason == "missing":
            self.built += 1
            return self._mirrors.get(event.path) if len(self._mirrors) <= _FEW else None
        return None
