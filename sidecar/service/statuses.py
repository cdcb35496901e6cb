"""Status commands on their way through the workers. No I/O, no clock."""

import msgspec
from msgspec import UnsetType

from sidecar.model import Failed, Source
from sidecar.reports import Status
from sidecar.service.messages import Task
from sidecar.service.protocol import Event, Id, StatusReport
from sidecar.service.report import unreadable


class _Question(msgspec.Struct, eq=False):
    """One command: what is still to be asked of a worker, and what has been answered."""

    id: Id | UnsetType
    tasks: list[Task]
    total: int
    answers: list[Status] = []


class Statuses:
    """Questions in the order they came; the oldest one is worked on."""

    def __init__(self) -> None:
        """Begin with none."""
        self._questions: list[_Question] = []

    @property
    def are_waiting(self) -> bool:
        """Whether there is something to ask that no worker has."""
        return bool(self._questions and self._questions[0].tasks)

    def ask(self, id_: Id | UnsetType, sources: list[Source]) -> Event | None:
        """Ask for the status of documents; return the answer if there are none."""
        if not sources:
            return StatusReport(id=id_, documents=[])
        tasks = [Task("status", source) for source in sources]
        self._questions.append(_Question(id_, tasks, len(tasks)))
        return None

    def take(self, most: int) -> tuple[Task, ...]:
        """Take what a job can do of the oldest question."""
        if not self._questions:
            return ()
        tasks = self._questions[0].tasks
        taken, tasks[:] = tuple(tasks[:most]), tasks[most:]
        return taken

    def give_back(self, task: Task) -> None:
        """Take back a task that its worker did not come to."""
        self._questions[0].tasks.append(task)

    def answer(self, source: Source, result: object) -> Event | None:
        """Note one status; return the report when it is the last one of its question."""
        try:
            status = msgspec.convert(result, Status)
        except msgspec.ValidationError:
            status = unreadable(source, msgspec.convert(result, Failed).code)
        question = self._questions[0]
        question.answers.append(status)
        if len(question.answers) < question.total:
            return None
        del self._questions[0]
        return StatusReport(id=question.id, documents=sorted(question.answers, key=_by_path))


def _by_path(status: Status) -> str:
    return status.path
