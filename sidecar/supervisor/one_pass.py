"""Syncs some documents once: ``sync``, without a watcher.

On POSIX this process forks for each batch, so that one document does not need a second
interpreter; elsewhere it uses a worker as ``watch`` does.
"""

import queue
import time
from collections.abc import Callable

from sidecar.host import protocol
from sidecar.host.protocol import Event
from sidecar.model import Source
from sidecar.settings import Settings
from sidecar.supervisor.dispatch import Dispatcher
from sidecar.supervisor.documents import DocumentQueue
from sidecar.supervisor.requests import StatusRequests, SyncRequest, SyncRequests
from sidecar.supervisor.schedule import Timing
from sidecar.workers.base import Inbox
from sidecar.workers.isolated import worker_pool


def run_pass(
    settings: Settings, sources: list[Source], emit: Callable[[Event], None], *, force: bool
) -> SyncRequest:
    """Sync documents, each with its retries, and emit an event for each outcome.

    Args:
        settings: The limits and options.
        sources: What to sync.
        emit: Called with each event; with ``synced`` at the end if there were documents.
        force: Rebuild mirrors that are in step, too.

    Returns:
        The numbers of rebuilt, unchanged and failed documents.
    """
    inbox: Inbox = queue.SimpleQueue()
    documents, syncs = DocumentQueue(Timing()), SyncRequests()
    dispatcher = Dispatcher(
        settings,
        documents,
        syncs,
        StatusRequests(),
        workers=worker_pool(inbox),
        emit=lambda event: None if event is None else emit(event),
    )
    dispatcher.is_first_pass = False
    for source in sources:
        documents.add(source).force = force
        documents.ask(source.document, time.monotonic())
    request = syncs.add({source.document for source in sources}, _synced)
    while True:
        dispatcher.dispatch(time.monotonic())
        if not request.waiting:  # the last outcome may have been a repeated failure
            return request
        _hear(inbox, dispatcher)


def _hear(inbox: Inbox, dispatcher: Dispatcher) -> None:
    """Handle messages of the workers, or wait for the next retry."""
    step = dispatcher.next_step()
    try:
        worker, message = inbox.get(
            timeout=None if step is None else max(0.0, step - time.monotonic())
        )
    except queue.Empty:
        return
    dispatcher.hear(worker, message, time.monotonic())


def _synced(request: SyncRequest) -> Event:
    return protocol.Synced(
        rebuilt=request.rebuilt, unchanged=request.unchanged, failed=request.failed
    )
