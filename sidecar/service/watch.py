"""File events to document paths. The only user of watchfiles.

Files are seen by name, never by kind of event; what a hint means is found by looking.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sidecar.discovery import DOCUMENT, MIRROR, Found, discover, signature
from sidecar.errors import UsageError
from sidecar.model import Source
from sidecar.service.hints import Events, Hint
from sidecar.service.sights import Look, Sight, Touched

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_POLL_S = 0.25
_POLL_SHARE = 10.0
"""Polling rests ten times as long as a look takes, so that it costs a tenth of a core at most."""
_STEP_MS = 50, 250
"""Least and most of a step. watchfiles wakes up once a step, which costs 0.08 ms of CPU, and hands
changes over in the second or third one: late, but sooner than a debounce of two steps ends."""

log = logging.getLogger(__name__)


Deliver = Callable[[Look | Touched], None]


class Watcher:
    """The thread that waits for file events and looks at the roots."""

    def __init__(
        self,
        roots: Sequence[str],
        deliver: Deliver,
        *,
        rescan_s: float,
        polling: bool,
        debounce_ms: int,
    ) -> None:
        """Prepare; ``start`` arms it."""
        self._roots = roots
        self._deliver = deliver
        self._rescan_s = rescan_s
        self._events: Events = Polling() if polling else Notify(step_ms(debounce_ms))
        self._found: Found | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Arm the watcher; its first look is delivered once it is armed."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End the thread, waiting for it at most this long."""
        self._stopping.set()
        self._events.wake()
        self._thread.join(seconds)

    def _run(self) -> None:
        found = self._look()
        next_look = time.monotonic() + self._rescan_s
        while not self._stopping.is_set():
            hints = self._events.wait(max(0.0, next_look - time.monotonic()))
            if self._stopping.is_set():
                break
            now = time.monotonic()
            if hints is None or now >= next_look or any(is_structural(h, found) for h in hints):
                found = self._look()
                next_look = now + self._rescan_s
            sources = {source for hint in hints or () for source in touched(hint, found)}
            if sources:
                self._deliver(Touched(tuple(sources), now))
        self._events.close()

    def _look(self) -> Found:
        """Arm what is there, and look again until nothing new had to be armed."""
        while True:
            began = time.monotonic()
            self._found = found = self._discover()
            try:
                if not self._events.follow(found.folders):
                    break
            except OSError as error:
                log.warning("file events are not to be had, looking often instead: %s", error)
                self._events.close()
                self._events = Polling()
        self._deliver(look_at(found, began))
        return found

    def _discover(self) -> Found:
        try:
            return discover(self._roots)
        except UsageError as error:  # two documents in one folder, through a new link
            log.warning("%s", error)
            return self._found or Found(denied={self._roots[0]: error.message})


def step_ms(debounce_ms: int) -> int:
    """Return how often to look for file events: as seldom as the debounce allows."""
    least, most = _STEP_MS
    return min(most, max(least, debounce_ms // 2))


def lag_s(debounce_ms: int) -> float:
    """Return how late an event may be heard: two steps."""
    return 2 * step_ms(debounce_ms) / 1000


def look_at(found: Found, began: float) -> Look:
    """Look at everything that was found, in a discovery that began at this moment."""
    sights = {
        document: Sight(source, signature(document), signature(source.mirror))
        for document, source in found.sources.items()
    }
    return Look(began, sights, tuple(found.missing), found.denied, found.closed)


def is_structural(hint: Hint, found: Found) -> bool:
    """Tell whether a hint means that documents may have come or gone."""
    path = os.path.join(hint.folder, hint.name)
    if path in found.sources:
        return os.path.islink(path) or not os.path.exists(path)
    if not hint.name or hint.name == DOCUMENT or path in found.awaited or path in found.folders:
        return True
    return not hint.name.startswith(MIRROR) and os.path.isdir(path)


def touched(hint: Hint, found: Found) -> Iterator[Source]:
    """Yield the documents that a hint is about.

    Our own events are ignored, except that a mirror that has disappeared asks for a new one.
    """
    path = os.path.join(hint.folder, hint.name)
    if path in found.sources:
        yield found.sources[path]
    elif hint.name == MIRROR and not os.path.lexists(path):
        yield from (source for source in found.sources.values() if source.mirror == path)


class Polling:
    """No events at all: looks often, for network folders and exhausted systems."""

    def __init__(self) -> None:
        """Begin."""
        self._woken = threading.Event()
        self._since = time.monotonic()

    def follow(self, folders: Iterable[str]) -> bool:  # noqa: ARG002 - as Events has it
        """Nothing needs to be armed."""
        return False

    def wait(self, seconds: float) -> set[Hint] | None:  # noqa: ARG002 - as Events has it
        """Rest, and have everything looked at."""
        looked_s = time.monotonic() - self._since
        self._woken.wait(max(_POLL_S, looked_s * _POLL_SHARE))
        self._since = time.monotonic()
        return None

    def wake(self) -> None:
        """End a wait, now and for ever."""
        self._woken.set()

    def close(self) -> None:
        """Nothing to give back."""


class Notify:
    """File events by watchfiles: inotify, FSEvents, ReadDirectoryChangesW.

    Each folder is watched for its own entries only: recursive watching would follow links out of
    the root. watchfiles' own ``watch`` cannot be used, as its first ``next`` waits for a change.
    """

    def __init__(self, step_ms: int) -> None:
        """Begin with nothing watched."""
        self._step_ms = step_ms
        self._stopping = threading.Event()
        self._followed: dict[str, tuple[int, int]] = {}
        self._watcher: RustNotify | None = None

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; one that was replaced under its name counts as new."""
        wanted = {folder: _identity(folder) for folder in folders if os.access(folder, os.R_OK)}
        if wanted == self._followed:
            return False
        self.close()
        self._followed = wanted
        try:
            self._watcher = _arm(list(wanted))
        except (FileNotFoundError, PermissionError):  # gone or closed since we looked
            self._followed = {}
        except (RuntimeError, UnicodeEncodeError) as error:  # watches used up, no UTF-8
            raise OSError(str(error)) from error
        return True

    def wait(self, seconds: float) -> set[Hint] | None:
        """Return hints; when the watch fails, everything has to be looked at."""
        if self._watcher is None or not self._followed:
            self._stopping.wait(min(seconds, _POLL_S))
            return None
        try:
            changes = self._watcher.watch(
                self._step_ms, self._step_ms, max(1, int(seconds * 1000)), self._stopping
            )
        except (OSError, RuntimeError, ValueError) as error:  # a name that is no UTF-8
            log.debug("watching begins anew: %s", error)
            self._followed = {}
            return None
        if isinstance(changes, str):  # a time-out, or woken
            return set()
        return {self._hint(path) for _, path in changes}

    def wake(self) -> None:
        """End a wait, now and for ever."""
        self._stopping.set()

    def _hint(self, path: str) -> Hint:
        """Return what is told; a folder that itself changed may be a new one, to be armed anew.

        Its inode says nothing: systems give the one that was freed last to the next folder.
        """
        if self._followed.pop(path, None):
            return Hint(path, "")
        return Hint(*os.path.split(path))

    def close(self) -> None:
        """Let go of the watch."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


def _arm(folders: list[str]) -> "RustNotify":
    """Watch folders from now on.

    Raises:
        FileNotFoundError: One of them is gone.
        OSError, RuntimeError: The system refuses.
    """
    from watchfiles._rust_notify import RustNotify  # noqa: PLC0415 - 40 ms, only for `watch`

    # told to pass over folders that are denied, it passes over used up watches as well
    debug = polling = recursive = pass_over = False
    return RustNotify(folders, debug, polling, 0, recursive, pass_over)


def _identity(folder: str) -> tuple[int, int]:
    try:
        seen = os.stat(folder)
    except OSError:
        return (0, 0)
    return (seen.st_dev, seen.st_ino)
