"""One pass over some documents, then the end: ``sync`` without a watcher.

On POSIX this process preloads and forks for each job, so that a single document does not pay for
a second interpreter; elsewhere it uses a worker as ``watch`` does.
"""

import queue
import time
from collections.abc import Callable

from sidecar.host import protocol
from sidecar.host.protocol import Event
from sidecar.model import Source
from sidecar.settings import Settings
from sidecar.supervisor.dispatch import Work
from sidecar.supervisor.documents import Documents, Request
from sidecar.supervisor.requests import Statuses
from sidecar.supervisor.schedule import Schedule, Timing
from sidecar.workers.base import Inbox
from sidecar.workers.isolated import hands_for


def sync_once(
    settings: Settings, sources: list[Source], emit: Callable[[Event], None], *, force: bool
) -> Request:
    """Sync documents, each with its retries, and tell how each ended.

    Args:
        settings: The limits and options.
        sources: What to sync.
        emit: Gets the events as they come, ``synced`` at the end if there was anything.
        force: Rebuild even what is in step.

    Returns:
        How many ended how.
    """
    inbox: Inbox = queue.SimpleQueue()
    documents, schedule = Documents(), Schedule(Timing())
    work = Work(
        settings,
        documents,
        schedule,
        Statuses(),
        hands=hands_for(inbox),
        emit=lambda event: None if event is None else emit(event),
    )
    work.is_first_pass = False
    for source in sources:
        documents.add(source).force = force
        schedule.ask(source.document, time.monotonic())
    pass_ = documents.open_request({source.document for source in sources}, _synced)
    while True:
        work.dispatch(time.monotonic())
        if not pass_.waiting:  # a repeated failure may have been the last verdict
            return pass_
        _hear(inbox, work)


def _hear(inbox: Inbox, work: Work) -> None:
    """Take in what the hands say, or wait for the next retry."""
    step = work.next_step()
    try:
        hand, message = inbox.get(
            timeout=None if step is None else max(0.0, step - time.monotonic())
        )
    except queue.Empty:
        return
    work.hear(hand, message, time.monotonic())


def _synced(request: Request) -> Event:
    return protocol.Synced(
        rebuilt=request.rebuilt, unchanged=request.unchanged, failed=request.failed
    )
