"""What does the jobs, seen from the work: a worker process, or a forked child of this one."""

import queue
from abc import ABC, abstractmethod
from typing import Protocol

from sidecar.workers.messages import Ended, Job, Message, Task


class Hand(ABC):
    """Takes one job at a time.

    Attributes:
        job: What it is doing, None at rest.
        answered: Number of the job's tasks that have an answer.
        since: When the present task began.
        end: Why it is gone, when it is, for the document that it had.
    """

    def __init__(self) -> None:
        """Begin at rest."""
        self.job: Job | None = None
        self.answered = 0
        self.since = 0.0
        self.end = Ended("crashed", "its worker process was ended from outside", killed=True)

    @property
    def waiting_tasks(self) -> tuple[Task, ...]:
        """The tasks of its job that have no answer yet."""
        return self.job.tasks[self.answered :] if self.job else ()

    def take(self, job: Job, now: float) -> None:
        """Begin a job."""
        self.job, self.answered, self.since = job, 0, now
        self.start(job)

    @abstractmethod
    def start(self, job: Job) -> None:
        """Have the job done; its messages go where the hand was told to send them."""


class Hands(Protocol):
    """All the hands there are."""

    def free(self, now: float) -> Hand | None:
        """Return one for a document that is due, None while it has to wait."""

    def next_check(self, *, waiting: bool, max_seconds: float) -> float | None:
        """Return when to look again if no message comes: None for never.

        Args:
            waiting: Documents are due and none is free.
            max_seconds: Limit of one task.
        """

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """End those that have not ended an overdue task themselves."""

    def finish(self, hand: Hand, *, waiting: bool) -> None:
        """Note the end of a job."""

    def lose(self, hand: Hand, now: float) -> None:
        """Note that one is gone."""


Inbox = queue.SimpleQueue[tuple[Hand, Message | None]]
