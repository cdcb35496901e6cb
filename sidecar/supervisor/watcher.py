"""Turns file events into documents.

Only the path of an event counts, not its kind; the file itself shows what has happened.
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
    """The thread that waits for file events and scans the roots."""

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
        """Start the thread; the first scan is delivered after the folders are watched."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End the thread; wait for it at most this many seconds."""
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
        """Watch the folders, and scan again until there is no new folder to watch."""
        while True:
            began = time.monotonic()
            self._found = found = self._discover()
            try:
                if not self._events.follow([*found.folders, *_above(found)]):
                    break
            except OSError as error:
                log.warning("file events are not available (%s); polling all files instead", error)
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
    """Return the versions of all files of a discovery, which began at this moment."""
    states = {
        document: FileState(source, version_of(document), version_of(source.mirror))
        for document, source in found.sources.items()
    }
    return Scan(began, states, tuple(found.missing), found.denied, found.closed)


def is_structural(path: str, found: Found, selection: Selection) -> bool:
    """Return whether documents may have come or gone because of an event at this path."""
    if path in found.sources:
        return os.path.islink(path) or not os.path.exists(path)
    if path in found.steps or path in found.awaited or path in found.folders:
        return path not in found.behind or not os.path.isfile(path)
    folder, name = os.path.split(path)
    if folder not in found.folders:
        return False  # in a folder above the roots, or in the target of a link
    if matching([name], selection.documents):
        return True
    return not is_mirror_name(name) and os.path.isdir(path)


def touched(path: str, found: Found) -> Iterator[Source]:
    """Yield the documents to which an event at a path belongs.

    Events of our own files are ignored, except when a mirror has disappeared: it is rebuilt.
    """
    document = found.behind.get(path, path)
    if document in found.sources:
        yield found.sources[document]
    elif path in found.mirrors and not os.path.lexists(path):
        yield found.sources[found.mirrors[path]]


def _above(found: Found) -> Iterable[str]:
    """Return the folders above the roots, if the system can watch them without subfolders.

    On other systems the rescan notices a replaced link above the roots.
    """
    return found.above if sys.platform == "linux" else ()
