"""A worker that does as it is told, and the dispatcher that feeds it, without a process."""

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.discovery import source_of
from sidecar.model import Outcome
from sidecar.settings import Settings
from sidecar.supervisor.dispatch import Dispatcher
from sidecar.supervisor.documents import DocumentQueue
from sidecar.supervisor.requests import StatusRequests, SyncRequests
from sidecar.supervisor.schedule import Timing
from sidecar.workers.base import Worker
from sidecar.workers.messages import Answer, Batch, Ended, Result, Task
from sidecar.workers.pool import LONG_S

if TYPE_CHECKING:
    from sidecar.host.protocol import Event


class Still(Worker):
    """Takes a batch and does nothing: the test says what it answers."""

    def start(self, batch: Batch) -> None:
        """Keep the batch."""
        assert self.batch is batch


class OneWorker:
    """The only worker there is, beside those that keep documents.

    Attributes:
        worker: It.
        keepers: Those.
    """

    def __init__(self) -> None:
        """Begin at rest."""
        self.worker = Still()
        self.keepers: list[Worker] = []

    def keep(self, document: str) -> Worker:
        """Have another worker keep a document."""
        keeper = Still()
        keeper.holds = document
        self.keepers.append(keeper)
        return keeper

    def free(self, now: float) -> Worker | None:  # noqa: ARG002
        """Return it when it is at rest."""
        return None if self.worker.batch else self.worker

    def resting(self) -> list[Worker]:
        """Return those that keep a document and have no batch."""
        return [worker for worker in self.keepers if not worker.batch]

    def keeps(self, document: str) -> bool:
        """Tell whether one of them keeps a document."""
        return any(worker.holds == document for worker in self.keepers)

    def drop(self, document: str) -> None:
        """End the one that keeps a document."""
        self.keepers = [worker for worker in self.keepers if worker.holds != document]

    def next_check(self, *, waiting: bool) -> float | None:
        """Nothing is to be looked at."""

    def stuck(self, now: float) -> list[Worker]:
        """Return it when it has been at one task for two seconds, with others behind it."""
        late = now - self.worker.since >= LONG_S and len(self.worker.waiting_tasks) > 1
        return [self.worker] if late else []

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """Nothing hangs."""

    def finish(self, worker: Worker, *, waiting: bool) -> None:  # noqa: ARG002
        """Note the end of a batch; a worker that keeps a document is one of those."""
        worker.batch = None
        if worker is self.worker and worker.holds is not None:
            self.keepers.append(worker)
            self.worker = Still()

    def lose(self, worker: Worker, now: float) -> None:  # noqa: ARG002
        """Put another in its place."""
        assert worker is self.worker
        self.worker = Still()


class DispatchDesk:
    """Dispatcher, its parts, and the events it sent."""

    def __init__(self, folder: Path) -> None:
        """Begin with no document, after the first pass."""
        self.folder = folder
        self.now = 100.0
        self.workers = OneWorker()
        self.documents = DocumentQueue(Timing())
        self.syncs = SyncRequests()
        self.statuses = StatusRequests()
        self.events: list[Event] = []
        self.dispatcher = Dispatcher(
            Settings(("/",), "/state"),
            self.documents,
            self.syncs,
            self.statuses,
            workers=self.workers,
            emit=lambda event: self.events.append(event) if event else None,
        )
        self.dispatcher.is_first_pass = False

    def add(self, name: str, size: int = 10) -> str:
        """Make a document, known and due now."""
        path = self.folder / name / "0" / "workspace.yjs"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)
        self.documents.add(source_of(str(path)))
        self.documents.ask(str(path), self.now)
        return str(path)

    def tasks(self) -> list[Task]:
        """Give out what is due, and return what the worker has got."""
        self.dispatcher.dispatch(self.now)
        return list(self.workers.worker.waiting_tasks)

    def names(self) -> list[str]:
        """Give out what is due, and return which workspaces the worker has got."""
        return [str(task.source.workspace) for task in self.tasks()]

    def answer(self, *results: Result, cost_s: float = 0.0) -> None:
        """Have the worker answer."""
        for result in results:
            message = Answer(result, cost_s)
            self.dispatcher.hear(self.workers.worker, message, self.now)

    def end(self, ended: Ended | None = Ended()) -> None:  # noqa: B008 - frozen
        """Have the worker's batch end; None: the worker is gone."""
        self.dispatcher.hear(self.workers.worker, ended, self.now)

    def sync(self, name: str, outcome: Outcome) -> None:
        """Sync one document with this outcome."""
        self.add(name)
        assert self.names() == [name]
        self.answer(outcome)
        self.end()

    def reported(self) -> list[str]:
        """Return the types of the events since the last call."""
        events, self.events[:] = list(self.events), []
        return [str(event.__struct_config__.tag) for event in events]
