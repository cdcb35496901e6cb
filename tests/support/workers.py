"""Hands that do as they are told, and the work that gives them jobs, without a process."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sidecar.discovery import source_of
from sidecar.model import Outcome
from sidecar.settings import Settings
from sidecar.supervisor.dispatch import Work
from sidecar.supervisor.documents import Documents
from sidecar.supervisor.requests import Statuses
from sidecar.supervisor.schedule import Schedule, Timing
from sidecar.workers.base import Hand
from sidecar.workers.messages import Answer, Ended, Job, Task

if TYPE_CHECKING:
    from sidecar.host.protocol import Event


class Still(Hand):
    """Takes a job and does nothing: the test says what it answers."""

    def start(self, job: Job) -> None:
        """Keep the job."""
        assert self.job is job


class OneHand:
    """The only hand there is."""

    def __init__(self) -> None:
        """Begin at rest."""
        self.hand = Still()

    def free(self, now: float) -> Hand | None:  # noqa: ARG002
        """Return it when it is at rest."""
        return None if self.hand.job else self.hand

    def next_check(self, *, waiting: bool, max_seconds: float) -> float | None:
        """Nothing is to be looked at."""

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """Nothing hangs."""

    def finish(self, hand: Hand, *, waiting: bool) -> None:  # noqa: ARG002
        """Note the end of a job."""
        hand.job = None

    def lose(self, hand: Hand, now: float) -> None:  # noqa: ARG002
        """Put another in its place."""
        assert hand is self.hand
        self.hand = Still()


class WorkDesk:
    """Work, its parts, and the events it sent."""

    def __init__(self, folder: Path) -> None:
        """Begin with no document, after the first pass."""
        self.folder = folder
        self.now = 100.0
        self.hands = OneHand()
        self.documents = Documents()
        self.schedule = Schedule(Timing())
        self.statuses = Statuses()
        self.events: list[Event] = []
        self.work = Work(
            Settings(("/",), "/state"),
            self.documents,
            self.schedule,
            self.statuses,
            hands=self.hands,
            emit=lambda event: self.events.append(event) if event else None,
        )
        self.work.is_first_pass = False

    def add(self, name: str, size: int = 10) -> str:
        """Make a document, known and due now."""
        path = self.folder / name / "0" / "workspace.yjs"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)
        self.documents.add(source_of(str(path)))
        self.schedule.ask(str(path), self.now)
        return str(path)

    def tasks(self) -> list[Task]:
        """Give out what is due, and return what the hand has got."""
        self.work.dispatch(self.now)
        return list(self.hands.hand.waiting_tasks)

    def names(self) -> list[str]:
        """Give out what is due, and return which workspaces the hand has got."""
        return [str(task.source.workspace) for task in self.tasks()]

    def answer(self, *results: msgspec.Struct, cost_s: float = 0.0) -> None:
        """Have the hand answer."""
        for result in results:
            message = Answer(msgspec.to_builtins(result), cost_s)
            self.work.hear(self.hands.hand, message, self.now)

    def end(self, ended: Ended | None = Ended()) -> None:  # noqa: B008 - frozen
        """Have the hand's job end; None: the hand is gone."""
        self.work.hear(self.hands.hand, ended, self.now)

    def sync(self, name: str, outcome: Outcome) -> None:
        """Sync one document with this outcome."""
        self.add(name)
        assert self.names() == [name]
        self.answer(outcome)
        self.end()

    def told(self) -> list[str]:
        """Return the types of the events since the last call."""
        events, self.events[:] = list(self.events), []
        return [str(event.__struct_config__.tag) for event in events]
