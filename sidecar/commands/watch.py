"""``watch``: the long-running process."""

import atexit
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.event_lines import is_wrong, lines_of
from sidecar.commands.logs import log_to_stderr
from sidecar.commands.problem_lines import problem_lines
from sidecar.commands.targets import to_be_watched
from sidecar.commands.terminal import HABITS, complain, folding_width, has_color
from sidecar.errors import LockedError, SidecarError
from sidecar.host import lifeline, protocol
from sidecar.host.outbox import Outbox
from sidecar.host.protocol import Event, StopReason
from sidecar.host.stderr import Stderr
from sidecar.locks import lock
from sidecar.names import mirror_of
from sidecar.pipes import write_all
from sidecar.settings import CHOICE, LIMITS, MIRROR, WATCH, Settings
from sidecar.supervisor.loop import Loop

if TYPE_CHECKING:
    from sidecar.commands.first_pass import FirstPass

EXAMPLES = (
    "epicenter-sidecar watch ~/.local/share/com.example.app",
    "epicenter-sidecar watch --identifier com.example.app --output ndjson",
    "epicenter-sidecar watch --parent-pid $$ --fts ./data",
)

_LOCK_RETRY_MS = 50
_LAST_WORDS_S = 0.4
"""How long to wait at the end until stdout is read."""
_LAST_LINES_S = 0.2
"""How long to wait after that until stderr is read."""
_ENDS: dict[StopReason, str] = {
    "shutdown": "its host requested it",
    "signal": "a signal requested it",
    "stdin": "stdin ended, so its host has ended",
    "parent": "the process of --parent-pid has ended",
    "stdout": "its stdout is closed or cannot be written",
}


def add_arguments(parser: Parser) -> None:
    """Add what ``watch`` takes."""
    add_paths(parser, CHOICE, WATCH, LIMITS, MIRROR)


def run(arguments: Arguments) -> int:
    """Watch until the end is requested.

    Raises:
        RootError: A root exists and cannot be used.
        LockedError: Another process follows one of the roots.
        SidecarError: The state folder cannot be used.
    """
    stderr = _stand_before_stderr()
    settings = to_be_watched(settings_of(arguments))
    log_to_stderr(settings.log_level)
    outbox: Outbox

    def write(line: bytes) -> None:
        try:
            (bar.write if bar else partial(write_all, 1))(line)
        except OSError as error:
            complain(f"stdout cannot be written: {error.strerror}")
            loop.stop("stdout")
            raise

    def emit(event: Event) -> None:
        outbox.put(event)
        if bar:
            bar.hear(event)

    bar = None if _is_ndjson(settings) else _first_pass(settings)
    loop = Loop(settings, emit)
    if bar:
        bar.begin(lambda: loop.waiting)
    outbox = Outbox(_renderer(settings), write)
    _end_on_bugs_in_threads(stderr)
    _tie_lifelines(settings, loop, outbox)
    try:
        with ExitStack() as locks:
            _lock_roots(settings, loop, locks, emit)
            loop.run()
    except SidecarError as error:
        if not loop.stop_reason:  # a stop while it waits for a lock is not an error
            if _is_ndjson(settings):  # people read it on stderr
                emit(_refusal(error))
            raise
    finally:
        if loop.stop_reason:
            emit(protocol.Stopped(reason=loop.stop_reason))
            complain(f"stopped: {_ENDS[loop.stop_reason]}")
        outbox.close(_LAST_WORDS_S)
    return FAILED if loop.stop_reason == "stdout" else OK


def _tie_lifelines(settings: Settings, loop: Loop, outbox: Outbox) -> None:
    lifeline.watch_signals(loop.stop)
    lifeline.watch_stdin(settings.stdin, loop.hear_line, outbox.wait_for_room, loop.stop)
    lifeline.watch_stdout(loop.stop)
    if settings.parent_pid is not None:
        lifeline.watch_parent(settings.parent_pid, loop.stop)


def _lock_roots(
    settings: Settings, loop: Loop, locks: ExitStack, emit: Callable[[Event], None]
) -> None:
    """Lock each root, in a fixed order, so that no two processes wait for each other.

    Raises:
        LockedError: Another process holds a lock, and ``--wait-lock`` is not given.
    """
    for root in sorted({os.path.realpath(root) for root in settings.roots}):
        try_lock = partial(lock, settings.state_folder, "root", root)
        try:
            locks.enter_context(try_lock())
        except LockedError as error:
            if not settings.wait_lock:
                raise
            emit(_refusal(error, retry_ms=_LOCK_RETRY_MS))
            locks.enter_context(try_lock(keep_waiting=lambda: loop.stop_reason is None))


def _refusal(error: SidecarError, retry_ms: int | None = None) -> Event:
    failed = protocol.FailedEvent(code=error.code, message=error.message, retry_ms=retry_ms)
    if isinstance(error, LockedError) and error.holder_pid is not None:
        return msgspec.structs.replace(failed, holder_pid=error.holder_pid)
    return failed


def _is_ndjson(settings: Settings) -> bool:
    return settings.output == "ndjson" or (settings.output == "auto" and not os.isatty(1))


def _renderer(settings: Settings) -> Callable[[Event], bytes]:
    if _is_ndjson(settings):
        return protocol.encode
    color = has_color()
    is_beside = settings.into is None
    return lambda event: _text_of(event, color=color, is_beside=is_beside)


def _text_of(event: Event, *, color: bool, is_beside: bool) -> bytes:
    """Return an event as text; with its problems if the mirror is beside the document."""
    if HABITS.is_quiet and not is_wrong(event):
        return b""
    width = folding_width()  # each time: a window is resized
    lines = lines_of(event, color=color, width=width)
    if isinstance(event, protocol.RebuiltEvent) and is_beside:
        lines += problem_lines(event, mirror_of(event.path), width)
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _first_pass(settings: Settings) -> "FirstPass | None":
    from sidecar.commands.first_pass import first_pass

    return first_pass(settings, partial(write_all, 1))


def _stand_before_stderr() -> Stderr:
    """Replace ``sys.stderr``, so that a slow reader of stderr does not block this process."""
    sys.stderr = stderr = Stderr(partial(write_all, 2))
    atexit.register(stderr.finish, _LAST_LINES_S)
    return stderr


def _end_on_bugs_in_threads(stderr: Stderr) -> None:
    """End the process when a thread ends by a bug, instead of running without that thread."""

    def end(bug: threading.ExceptHookArgs) -> None:
        traceback.print_exception(bug.exc_type, bug.exc_value, bug.exc_traceback, file=stderr)
        stderr.finish(_LAST_LINES_S)
        os._exit(1)

    threading.excepthook = end
