"""``sync``: one pass over every document, then exit."""

import os
import signal
import sys
from contextlib import nullcontext
from types import FrameType

import msgspec

from sidecar.commands import FAILED, LOCKED, OK, ROOT
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.output import complain, complain_of_nothing, has_color, line_of, say
from sidecar.commands.show import Progress, progress
from sidecar.discovery import Found, discover
from sidecar.errors import RootError, UsageError
from sidecar.model import Source
from sidecar.reports import shown
from sidecar.service import protocol
from sidecar.service.once import sync_once
from sidecar.service.outbox import stamped
from sidecar.service.protocol import Event
from sidecar.settings import LIMITS, MIRROR, Settings

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
    add_paths(parser, LIMITS, MIRROR)
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
        complain_of_nothing(settings.roots)
        return FAILED
    if arguments.out is not None:
        sources = [_elsewhere(sources, arguments.out)]
    is_long = len(sources) >= _MANY and not arguments.json
    with progress("Syncing", len(sources)) if is_long else nullcontext(Progress()) as bar:
        printer = _Printer(bar, as_json=arguments.json)
        result = sync_once(settings, sources, printer.emit, force=arguments.force)
    if result.failed and printer.codes <= _EXITS.keys() and len(printer.codes) == 1:
        return _EXITS[printer.codes.pop()]
    return FAILED if result.failed or found.closed else OK


def _end(number: int, _frame: FrameType | None) -> None:
    """End on a signal as on an error, so that what was begun is cleared up."""
    sys.exit(128 + number)


def find(settings: Settings) -> Found:
    """Find the documents below the roots, and complain of folders that cannot be read.

    Raises:
        RootError: A root does not exist or cannot be read.
    """
    found = discover(settings.roots)
    for root, reason in found.denied.items():
        message = f"{root} cannot be read: {reason}; check its permissions"
        raise RootError(message)
    for root in found.missing:
        message = f"{root} does not exist; check the path or identifier, or let the app run once"
        raise RootError(message)
    for folder, reason in found.closed.items():
        complain(f"{shown(folder)} cannot be read and is left out: {reason}")
    return found


def in_order(found: Found) -> list[Source]:
    """Return what was found in the order of its paths."""
    return [source for _, source in sorted(found.sources.items())]


def sources_of(settings: Settings) -> list[Source]:
    """Find the documents below the roots; as ``find``, in the order of their paths."""
    return in_order(find(settings))


class _Printer:
    """Prints events, and remembers the codes of failures."""

    def __init__(self, bar: Progress, *, as_json: bool) -> None:
        self.codes: set[str] = set()
        self._bar = bar
        self._as_json = as_json
        self._color = not as_json and has_color()

    def emit(self, event: Event) -> None:
        if isinstance(event, protocol.Failed):
            self.codes.add(event.code)
            event = msgspec.structs.replace(event, retry_ms=None)  # this process will not retry
        if not isinstance(event, (protocol.Collapsed, protocol.Synced)):
            self._bar.step()
        if self._as_json:
            say(protocol.encode(stamped(event)).decode("ascii").rstrip("\n"))
        else:
            say(line_of(event, color=self._color))


def check_out(out: str) -> str:
    """Return an absolute path that a mirror may be written to.

    Raises:
        UsageError: There is no such folder, or something that is no mirror is there.
    """
    path = os.path.abspath(out)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        message = f"{shown(folder)} is no folder; make it, or name another FILE"
        raise UsageError(message)
    if os.path.lexists(path):
        from sidecar.mirror.read import is_mirror  # noqa: PLC0415 - SQLite

        if not is_mirror(path):
            message = f"{shown(path)} is no mirror and is left alone; name another FILE"
            raise UsageError(message)
    return path


def _elsewhere(sources: list[Source], out: str) -> Source:
    """Return the one document with another place for its mirror.

    Raises:
        UsageError: There are more documents, or nothing may be written there.
    """
    if len(sources) != 1:
        message = f"--out is for one document, and here are {len(sources)}; name one of them"
        raise UsageError(message)
    return msgspec.structs.replace(sources[0], mirror=check_out(out))
