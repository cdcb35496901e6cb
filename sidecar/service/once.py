"""One pass over some documents, then the end: ``sync`` without a watcher.

On POSIX this process preloads and forks for each job, so that a single document does not pay for
a second interpreter; elsewhere it uses a worker as ``watch`` does.
"""

import os
import queue
import time
from collections.abc import Callable

from sidecar.model import Source
from sidecar.service import protocol
from sidecar.service.documents import Documents, Request
from sidecar.service.hands import Hand, Hands
from sidecar.service.messages import Job, Message, message_of
from sidecar.service.protocol import Event
from sidecar.service.schedule import Schedule, Timing
from sidecar.service.statuses import Statuses
from sidecar.service.work import Work
from sidecar.settings import Settings

Inbox = queue.SimpleQueue[tuple[Hand, Message | None]]


class Fork(Hand):
    """Does a job in a child of this process and returns when it is over."""

    def __init__(self, inbox: Inbox) -> None:
        """Begin at rest."""
        super().__init__()
        self._inbox = inbox

    def start(self, job: Job) -> None:
        """Have a child do the job."""
        from sidecar.service.fork import run_forked  # noqa: PLC0415 - POSIX

        ended = run_forked(job, lambda line: self._inbox.put((self, message_of(line))))
        self._inbox.put((self, ended))


class Forks:
    """One fork at a time."""

    def __init__(self, inbox: Inbox) -> None:
        """Import what the children will need."""
        from sidecar.service.perform import preload  # noqa: PLC0415 - not in the supervisor

        preload()
        self._fork = Fork(inbox)

    def free(self, now: float) -> Hand | None:  # noqa: ARG002
        """Return the fork when it is at rest."""
        return None if self._fork.job else self._fork

    def next_check(self, *, waiting: bool, max_seconds: float) -> None:
        """Nothing is to be looked at between messages."""

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """Overdue jobs end themselves."""

    def finish(self, hand: Hand, *, waiting: bool) -> None:  # noqa: ARG002
        """Note the end of a job."""
        hand.job = None

    def lose(self, hand: Hand, now: float) -> None:
        """A fork is never lost: its end is a message."""


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


def hands_for(inbox: Inbox) -> Hands:
    """Give what does jobs in a process that runs once; messages go to ``inbox``."""
    if os.name == "posix":
        return Forks(inbox)
    from sidecar.service.worker import Pool  # noqa: PLC0415 - 12 ms

    return Pool(lambda worker, message: inbox.put((worker, message)))


def _synced(request: Request) -> Event:
    return protocol.Synced(
        rebuilt=request.rebuilt, unchanged=request.unchanged, failed=request.failed
    )
