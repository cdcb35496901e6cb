"""File events to document paths.

Files are seen by name, never by kind of event; what an event means is found by looking.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from sidecar.discovery import DOCUMENT, MIRROR, Found, discover
from sidecar.errors import UsageError
from sidecar.files import version_of
from sidecar.model import Source
from sidecar.supervisor.documents import FileState, Scan, Touched
from sidecar.supervisor.event_sources import Events, Notify, Polling, step_ms

log = logging.getLogger(__name__)


Deliver = Callable[[Scan | Touched], None]


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
        """Arm the watcher; its first scan is delivered once it is armed."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End the thread, waiting for it at most this long."""
        self._stopping.set()
        self._events.wake()
        self._thread.join(seconds)

    def _run(self) -> None:
        found = self._scan()
        next_scan = time.monotonic() + self._rescan_s
        while not self._stopping.is_set():
            paths = self._events.wait(max(0.0, next_scan - time.monotonic()))
            if self._stopping.is_set():
                break
            now = time.monotonic()
            if paths is None or now >= next_scan or any(is_structural(p, found) for p in paths):
                found = self._scan()
                next_scan = now + self._rescan_s
            sources = {source for path in paths or () for source in touched(path, found)}
            if sources:
                self._deliver(Touched(tuple(sources), now))
        self._events.close()

    def _scan(self) -> Found:
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
        self._deliver(scan(found, began))
        return found

    def _discover(self) -> Found:
        try:
            return discover(self._roots)
        except UsageError as error:  # two documents in one folder, through a new link
            log.warning("%s", error)
            return self._found or Found(denied={self._roots[0]: error.message})


def scan(found: Found, began: float) -> Scan:
    """Look at everything that was found, in a discovery that began at this moment."""
    states = {
        document: FileState(source, version_of(document), version_of(source.mirror))
        for document, source in found.sources.items()
    }
    return Scan(began, states, tuple(found.missing), found.denied, found.closed)


def is_structural(path: str, found: Found) -> bool:
    """Tell whether an event at a path means that documents may have come or gone."""
    if path in found.sources:
        return os.path.islink(path) or not os.path.exists(path)
    name = os.path.basename(path)
    if name == DOCUMENT or path in found.awaited or path in found.folders:
        return True
    return not name.startswith(MIRROR) and os.path.isdir(path)


def touched(path: str, found: Found) -> Iterator[Source]:
    """Yield the documents that an event at a path is about.

    Our own events are ignored, except that a mirror that has disappeared asks for a new one.
    """
    if path in found.sources:
        yield found.sources[path]
    elif os.path.basename(path) == MIRROR and not os.path.lexists(path):
        yield from (source for source in found.sources.values() if source.mirror == path)
