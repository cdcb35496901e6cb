"""What does the batches, seen from the work: a worker process, or a forked child of this one."""

import queue
from abc import ABC, abstractmethod
from typing import Protocol

import msgspec

from sidecar.workers.messages import Batch, Ended, Message, Task

WALL = 4
"""``--max-seconds`` is of CPU time; a task may take so many times as long by the clock."""


class Worker(ABC):
    """Takes one batch at a time.

    Attributes:
        batch: What it is doing, None at rest.
        answered: Number of the batch's tasks that have an answer.
        since: When the present task began.
        end: Why it is gone, when it is, for the document that it had.
        holds: Path of the document that it keeps since its last batch, None when it keeps none.
        holds_mb: Memory that this takes.
    """

    def __init__(self) -> None:
        """Begin at rest."""
        self.batch: Batch | None = None
        self.answered = 0
        self.since = 0.0
        self.holds: str | None = None
        self.holds_mb = 0
        self.end = Ended("crashed", "its worker process was ended from outside", passing=True)

    @property
    def waiting_tasks(self) -> tuple[Task, ...]:
        """The tasks of its batch that have no answer yet."""
        return self.batch.tasks[self.answered :] if self.batch else ()

    def take(self, batch: Batch, now: float) -> None:
        """Begin a batch."""
        self.batch, self.answered, self.since = batch, 0, now
        self.start(batch)

    def withdraw(self) -> tuple[Task, ...]:
        """Take back the tasks behind the present one; should it do them after all, nobody hears."""
        late = self.waiting_tasks[1:]
        if self.batch and late:
            kept = self.batch.tasks[: self.answered + 1]
            self.batch = msgspec.structs.replace(self.batch, tasks=kept)
        return late

    @abstractmethod
    def start(self, batch: Batch) -> None:
        """Have the batch done; its messages go where the worker was reported to send them."""


class WorkerPool(Protocol):
    """All the workers there are."""

    def free(self, now: float) -> Worker | None:
        """Return one for a document that is due, None while it has to wait."""

    def resting(self) -> list[Worker]:
        """Return those that keep a document and have no batch."""
        ...

    def keeps(self, document: str) -> bool:
        """Tell whether one of them keeps a document."""
        ...

    def drop(self, document: str) -> None:
        """End the one that keeps a document, if it has no batch: nobody will ask for it again."""

    def next_check(self, *, waiting: bool) -> float | None:
        """Return when to look again if no message comes: None for never.

        Args:
            waiting: Documents are due and none is free.
        """

    def stuck(self, now: float) -> list[Worker]:
        """Return those that have been at one task for long, with others behind it."""
        ...

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """End those that have not ended an overdue task themselves."""

    def finish(self, worker: Worker, *, waiting: bool) -> None:
        """Note the end of a batch."""

    def lose(self, worker: Worker, now: float) -> None:
        """Note that one is gone."""


Inbox = queue.SimpleQueue[tuple[Worker, Message | None]]
