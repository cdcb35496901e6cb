"""File events to document paths. The only user of watchfiles.

Files are seen by name, never by kind of event; what a hint means is found by looking.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from sidecar.discovery import DOCUMENT, MIRROR, Found, discover, signature
from sidecar.errors import UsageError
from sidecar.model import Source
from sidecar.service.hints import Events, Hint
from sidecar.service.sights import Look, Sight, Touched

_POLL_S = 0.25
_POLL_SHARE = 10.0
"""Polling rests ten times as long as a look takes, so that it costs a tenth of a core at most."""
_NOTIFY_STEP_MS = 50
_NOTIFY_LOOK_S = 1.0

log = logging.getLogger(__name__)


Deliver = Callable[[Look | Touched], None]


class Watcher:
    """The thread that waits for file events and looks at the roots."""

    def __init__(
        self, roots: Sequence[str], deliver: Deliver, *, rescan_s: float, polling: bool
    ) -> None:
        """Prepare; ``start`` arms it."""
        self._roots = roots
        self._deliver = deliver
        self._rescan_s = rescan_s
        self._events: Events = Polling() if polling else open_events()
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
            self._found = found = self._discover()
            try:
                if not self._events.follow(found.folders):
                    break
            except OSError as error:
                log.warning("file events are not to be had, looking often instead: %s", error)
                self._events.close()
                self._events = Polling()
        sights = {
            document: Sight(source, signature(document), os.path.lexists(source.mirror))
            for document, source in found.sources.items()
        }
        self._deliver(Look(sights, tuple(found.missing), found.denied))
        return found

    def _discover(self) -> Found:
        try:
            return discover(self._roots)
        except UsageError as error:  # two documents in one folder, through a new link
            log.warning("%s", error)
            return self._found or Found(denied={self._roots[0]: error.message})


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

    def follow(self, _folders: Iterable[str]) -> bool:
        """Nothing needs to be armed."""
        return False

    def wait(self, _seconds: float) -> set[Hint] | None:
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

    Each folder is watched for its own entries only: recursive watching follows links out of the
    root, and costs a watch for each of the host's other folders.
    """

    quiet_s = _STEP_MS / 1000

    def __init__(self) -> None:
        """Begin with nothing watched."""
        self._stopping = threading.Event()
        self._followed: dict[str, tuple[int, int]] = {}
        self._changes: Iterator[set[Hint]] = iter(())

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; one that was replaced under its name counts as new."""
        wanted = {folder: _identity(folder) for folder in folders if os.path.isdir(folder)}
        if wanted == self._followed:
            return False
        self._followed = wanted
        self._changes = self._watch(list(wanted))
        next(self._changes, None)  # a generator: nothing is watched before its first next()
        return True

    def wait(self, seconds: float) -> set[Hint] | None:
        """Return hints; the end of the watch asks for a look at everything."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            hints = next(self._changes, None)
            if hints is None:
                self._followed = {}
                self._stopping.wait(_POLL_S)
                return None
            if hints or self._stopping.is_set():
                return hints
        return set()

    def wake(self) -> None:
        """End a wait, now and for ever."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the watch."""
        self._changes = iter(())

    def _watch(self, folders: list[str]) -> Iterator[set[Hint]]:
        from watchfiles import watch  # noqa: PLC0415 - 40 ms that other commands need not spend

        first = True
        try:
            yield set()
            for changes in watch(
                *folders,
                watch_filter=None,
                debounce=_MOST_MS,
                step=_STEP_MS,
                stop_event=self._stopping,
                rust_timeout=_TIMEOUT_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
                ignore_permission_denied=True,
            ):
                yield {
                    Hint(path, "") if path in self._followed else Hint(*os.path.split(path))
                    for _, path in changes
                }
        except (OSError, RuntimeError, ValueError) as error:  # a folder gone, a name no UTF-8
            log.debug("watching begins anew: %s", error)


def _identity(folder: str) -> tuple[int, int]:
    try:
        seen = os.stat(folder)
    except OSError:
        return (0, 0)
    return (seen.st_dev, seen.st_ino)
