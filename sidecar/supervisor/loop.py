"""The main loop of ``watch``: connects the watcher, the schedule, the workers and the host.

The main thread owns all state. All other threads put messages into its inbox.
"""

import logging
import os
import queue
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from sidecar import __version__
from sidecar.discovery import discover
from sidecar.errors import RootError, UsageError
from sidecar.files import rested_s, shown, version_of
from sidecar.host import protocol
from sidecar.host.protocol import Event, StopReason
from sidecar.settings import Settings
from sidecar.supervisor.dispatch import Dispatcher
from sidecar.supervisor.documents import DocumentQueue, Scan, Touched
from sidecar.supervisor.event_sources import lag_s
from sidecar.supervisor.requests import HostCommands, StatusRequests, SyncRequest, SyncRequests
from sidecar.supervisor.schedule import Timing
from sidecar.supervisor.watcher import Watcher, scan
from sidecar.workers import messages
from sidecar.workers.pool import ProcessPool, ProcessWorker

FINISH_S = 1.3
"""How long running builds may take after a signal or ``shutdown``."""
GOODBYE_S = 0.3
"""How long workers may take to end and to remove their temporary files."""
STEP_S = 0.3
"""How long the watcher's thread may take to end."""
FRESH_S = 0.05
"""A scan is not repeated within this time, so that many commands at once share one."""

log = logging.getLogger(__name__)


class Stop(msgspec.Struct, frozen=True):
    """The process must stop; ``Loop.stop_reason`` has the reason."""


class InputLine(msgspec.Struct, frozen=True):
    """A line from stdin."""

    data: bytes


class Heard(msgspec.Struct, frozen=True):
    """A message of a worker; None when its process has ended."""

    worker: ProcessWorker
    message: messages.Message | None


Message = Stop | InputLine | Heard | Scan | Touched


class Loop:
    """One run of ``watch``, from the armed watcher to ``stopped``.

    Attributes:
        inbox: Messages for the main thread.
        stop_reason: Why it stops, None while it runs.
        waiting: The documents that the first pass waits for, None before it begins.
    """

    def __init__(self, settings: Settings, emit: Callable[[Event], None]) -> None:
        """Prepare; nothing runs before ``run``."""
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.stop_reason: StopReason | None = None
        self.waiting: set[str] | None = None
        self._settings = settings
        self._send = emit
        self._documents = DocumentQueue(
            Timing(
                debounce_s=settings.debounce_ms / 1000,
                max_wait_s=settings.max_wait_ms / 1000,
                max_load=settings.max_load,
                rescan_s=settings.rescan_s,
            )
        )
        self._syncs, statuses = SyncRequests(), StatusRequests()
        self._pool = ProcessPool(
            lambda worker, message: self.inbox.put(Heard(worker, message)),
            lambda message, retry_ms: self._emit(
                protocol.FailedEvent(code="busy", message=message, retry_ms=retry_ms)
            ),
            keep_s=settings.warm_s,
            keep_mb=settings.warm_mb,
        )
        self._host = HostCommands(
            self._documents, self._syncs, statuses, emit=self._emit, refresh=self._refresh
        )
        self._dispatcher = Dispatcher(
            settings,
            self._documents,
            self._syncs,
            statuses,
            workers=self._pool,
            emit=self._emit,
        )
        self._early: list[bytes] | None = []
        self._missing: frozenset[str] = frozenset()
        self._closed: frozenset[str] = frozenset()
        self._scanned_at = float("-inf")

    def stop(self, reason: StopReason) -> None:
        """Request the end, from any thread; the first reason is kept."""
        self.stop_reason = self.stop_reason or reason
        self.inbox.put(Stop())

    def hear_line(self, line: bytes) -> None:
        """Put a line from stdin into the inbox, from any thread."""
        self.inbox.put(InputLine(line))

    def run(self) -> None:
        """Watch until the end is requested.

        Raises:
            RootError: A root exists and cannot be read at the start.
        """
        watcher = Watcher(self._settings, self.inbox.put)
        self._pool.hire(time.monotonic())
        watcher.start()
        try:
            while not self.stop_reason:
                self._take(self._wait_s(time.monotonic()))
                self._dispatcher.dispatch(time.monotonic())
            if self.stop_reason in {"signal", "shutdown"}:
                self._finish()
        finally:
            watcher.stop(seconds=0)
            self._pool.dismiss(GOODBYE_S)
            watcher.stop(STEP_S)

    def _take(self, wait_s: float | None) -> None:
        """Handle the next message and all others that are in the inbox."""
        try:
            self._handle(self.inbox.get(timeout=wait_s))
            while True:
                self._handle(self.inbox.get_nowait())
        except queue.Empty:
            return

    def _handle(self, message: Message) -> None:
        if isinstance(message, Heard):
            self._dispatcher.hear(message.worker, message.message, time.monotonic())
        elif isinstance(message, Touched):
            for source in message.sources:
                self._documents.add(source)
                self._touch(source.document, message.at)
            for source in message.mirrors:
                if self._documents.is_replaced(source.document, version_of(source.mirror)):
                    self._touch(source.document, message.at, source.mirror)
        elif isinstance(message, Scan):
            self._compare(message)
        elif isinstance(message, InputLine):
            self._obey(message.data)

    def _touch(self, document: str, heard: float, mirror: str | None = None) -> None:
        """Record that a document or its mirror has changed; the debounce starts with the change."""
        versions = [version_of(path) for path in (document, mirror) if path]
        rests = [rested_s(version) for version in versions if version]
        late_s = max(0.0, min(*rests, lag_s(self._settings.debounce_ms))) if rests else 0.0
        self._documents.touch(document, heard - late_s)

    def _wait_s(self, now: float) -> float | None:
        step = self._dispatcher.next_step()
        return None if step is None else max(0.0, step - now)

    def _finish(self) -> None:
        """Wait for the running builds, for at most ``FINISH_S``."""
        until = time.monotonic() + FINISH_S
        while self._pool.busy and (left_s := until - time.monotonic()) > 0:
            self._take(left_s)

    def _obey(self, line: bytes) -> None:
        if self._early is not None:
            self._early.append(line)
        elif self._host.obey(line):
            self.stop("shutdown")

    def _refresh(self) -> None:
        """Scan the roots, unless that was done just now."""
        began = time.monotonic()
        if began - self._scanned_at >= FRESH_S:
            with suppress(UsageError):  # the watcher logs what is wrong with the roots
                self._compare(scan(discover(self._settings.roots, self._settings.selection), began))

    def _compare(self, found: Scan) -> None:
        """Apply a scan to the known documents; the first one also sends ``started``."""
        if found.at < self._scanned_at:
            return  # a newer scan was already applied
        self._scanned_at = found.at
        now = time.monotonic()
        stale = self._documents.compare(found)
        for document in stale:
            self._touch(document, now, self._documents[document].source.mirror)
        for root, reason in found.denied.items():
            if self._early is not None:
                message = f"{root} cannot be used: {reason}"
                raise RootError(message)
        closed = {**found.closed, **found.denied}
        for folder in closed.keys() - self._closed:
            log.warning("%s cannot be read: %s", shown(folder), closed[folder])
        self._closed = frozenset(closed)
        roots = [shown(root) for root in self._settings.roots]
        if self._early is not None:
            self._emit(protocol.Started(pid=os.getpid(), version=__version__, root=roots))
        for root in found.missing:
            if root not in self._missing:
                self._emit(protocol.Waiting(root=shown(root)))
        self._missing = frozenset(found.missing)
        if self._early is not None:
            self._begin_first_pass(stale, roots, now)

    def _begin_first_pass(self, documents: list[str], roots: list[str], now: float) -> None:
        for document in documents:
            self._documents.ask(document, now)

        def ready(request: SyncRequest) -> Event:
            self._dispatcher.is_first_pass = False
            return protocol.Ready(
                pid=os.getpid(),
                version=__version__,
                root=roots,
                documents=len(documents),
                rebuilt=request.rebuilt,
                unchanged=request.unchanged,
                failed=request.failed,
            )

        request = self._syncs.add(documents, ready)
        self.waiting = request.waiting
        self._emit(None if request.waiting else ready(request))
        early, self._early = self._early or [], None
        for line in early:
            self._obey(line)

    def _emit(self, event: Event | None) -> None:
        if event is not None:
            self._send(event)
