"""File events to document paths.

Files are seen by name, never by kind of event; what a hint means is found by looking.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from sidecar.discovery import DOCUMENT, MIRROR, Found, discover
from sidecar.errors import UsageError
from sidecar.files import signature
from sidecar.model import Source
from sidecar.supervisor.documents import Look, Sight, Touched
from sidecar.supervisor.event_sources import Events, Hint, Notify, Polling, step_ms

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
