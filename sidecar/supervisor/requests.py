"""What the host asks for on stdin, and what it is told in return."""

import time
from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from sidecar.errors import ProtocolError
from sidecar.host import protocol
from sidecar.host.outcomes import unreadable
from sidecar.host.protocol import Command, Event, Id, StatusReport
from sidecar.model import Failed, Source
from sidecar.reports import Status
from sidecar.supervisor.documents import Documents, Request
from sidecar.supervisor.schedule import Schedule
from sidecar.workers.messages import Task


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


class Host:
    """Answers the lines of the host."""

    def __init__(
        self,
        documents: Documents,
        schedule: Schedule,
        statuses: Statuses,
        *,
        emit: Callable[[Event | None], None],
        refresh: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            documents: The known documents.
            schedule: When each is synced.
            statuses: The status commands under way.
            emit: Sends an event, and nothing for None.
            refresh: Has a look at what is there: a host may ask for a workspace that it made a
                moment ago, before any file event of it was heard.
        """
        self._refresh = refresh
        self._documents = documents
        self._schedule = schedule
        self._statuses = statuses
        self._emit = emit

    def obey(self, line: bytes) -> bool:
        """Do what a line asks for. A bad one is answered, and nothing else happens.

        Returns:
            Whether the line asks this process to stop.
        """
        try:
            command = protocol.decode(line)
        except ProtocolError as error:
            message, id_ = error.message, protocol.id_of(line)
            self._emit(protocol.Failed(code="protocol", message=message, retry_ms=None, id=id_))
            return False
        if command.type == "ping":
            self._emit(protocol.Pong(id=_id(command)))
        elif command.type == "sync":
            self._refresh()
            self._sync(command)
        elif command.type == "status":
            self._refresh()
            documents = self._documents.matching(command)
            sources = [self._documents[document].source for document in documents]
            self._emit(self._statuses.ask(_id(command), sources))
        return command.type == "shutdown"

    def _sync(self, command: Command) -> None:
        documents = self._documents.matching(command)
        if not documents and (command.workspace, command.epoch) != (None, None):
            self._emit(_no_such_document(command))
            return
        for document in documents:
            self._documents[document].force |= command.force
            self._schedule.ask(document, time.monotonic())

        def synced(request: Request) -> Event:
            return protocol.Synced(
                id=_id(command),
                rebuilt=request.rebuilt,
                unchanged=request.unchanged,
                failed=request.failed,
            )

        self._emit(self._documents.request(documents, synced))


def _id(command: Command) -> Id | UnsetType:
    return UNSET if command.id is None else command.id


def _no_such_document(command: Command) -> Event:
    failed = protocol.Failed(
        id=_id(command),
        code="gone",
        message="no such document is known; the command status lists those that are",
        retry_ms=None,
    )
    if command.workspace is not None:
        failed = msgspec.structs.replace(failed, workspace=command.workspace)
    if command.epoch is not None:
        failed = msgspec.structs.replace(failed, epoch=command.epoch)
    return failed
