"""File events to document paths.

Files are seen by name, never by kind of event; what an event means is found by looking.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from sidecar.discovery import Found, discover
from sidecar.errors import UsageError
from sidecar.files import version_of
from sidecar.model import Selection, Source
from sidecar.names import is_mirror_name, matching
from sidecar.settings import Settings
from sidecar.supervisor.documents import FileState, Scan, Touched
from sidecar.supervisor.event_sources import Events, Notify, Polling, step_ms

log = logging.getLogger(__name__)


Deliver = Callable[[Scan | Touched], None]


class Watcher:
    """The thread that waits for file events and looks at the roots."""

    def __init__(self, settings: Settings, deliver: Deliver) -> None:
        """Prepare; ``start`` arms it."""
        self._roots = settings.roots
        self._selection = settings.selection
        self._deliver = deliver
        self._rescan_s = settings.rescan_s
        polling, debounce_ms = settings.force_polling, settings.debounce_ms
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
            if paths is None or now >= next_scan or self._is_structural(paths, found):
                found = self._scan()
                next_scan = now + self._rescan_s
            sources = {source for path in paths or () for source in touched(path, found)}
            mirrors = {found.sources[found.mirrors[p]] for p in paths or () if p in found.mirrors}
            if sources or mirrors:
                self._deliver(Touched(tuple(sources), now, tuple(mirrors)))
        self._events.close()

    def _scan(self) -> Found:
        """Arm what is there, and look again until nothing new had to be armed."""
        while True:
            began = time.monotonic()
            self._found = found = self._discover()
            try:
                if not self._events.follow([*found.folders, *_above(found)]):
                    break
            except OSError as error:
                log.warning("file events are not to be had, looking often instead: %s", error)
                self._events.close()
                self._events = Polling()
        self._deliver(scan(found, began))
        return found

    def _is_structural(self, paths: Iterable[str], found: Found) -> bool:
        return any(is_structural(path, found, self._selection) for path in paths)

    def _discover(self) -> Found:
        try:
            return discover(self._roots, self._selection)
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


def is_structural(path: str, found: Found, selection: Selection) -> bool:
    """Tell whether an event at a path means that documents may have come or gone."""
    if path in found.sources:
        return os.path.islink(path) or not os.path.exists(path)
    if path in found.steps or path in found.awaited or path in found.folders:
        return path not in found.behind or not os.path.isfile(path)
    folder, name = os.path.split(path)
    if folder not in found.folders:
        return False  # above the roots, or behind a link
    if matching([name], selection.documents):
        return True
    return not is_mirror_name(name) and os.path.isdir(path)


def touched(path: str, found: Found) -> Iterator[Source]:
    """Yield the documents that an event at a path is about.

    Our own events are ignored, except that a mirror that has disappeared asks for a new one.
    """
    document = found.behind.get(path, path)
    if document in found.sources:
        yield found.sources[document]
    elif path in found.mirrors and not os.path.lexists(path):
        yield found.sources[found.mirrors[path]]


def _above(found: Found) -> Iterable[str]:
    """Give the folders above the roots, where their own entries can be watched for.

    Elsewhere the system tells of everything below them, and a rescan has to do.
    """
    return found.above if sys.platform == "linux" else ()
