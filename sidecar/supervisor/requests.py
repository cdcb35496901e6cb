"""Commands of the host on stdin, and those that wait for their reply."""

import time
from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET, UnsetType

from sidecar.errors import ProtocolError
from sidecar.files import shown, version_of
from sidecar.host import protocol
from sidecar.host.outcomes import unreadable
from sidecar.host.protocol import Command, Event, Id, StatusReport
from sidecar.model import Failed, Outcome, Rebuilt, Source, Unchanged
from sidecar.reports import Status
from sidecar.supervisor.documents import DocumentQueue

STATUS_WAIT_S = 1.0
"""After this time a status command goes before the next sync."""

Finish = Callable[["SyncRequest"], Event]


class SyncRequest(msgspec.Struct, eq=False):
    """A request to sync documents; it is done when each has an outcome.

    Attributes:
        finish: Makes the event that ends it.
        waiting: Documents without an outcome so far.
    """

    finish: Finish
    waiting: set[str]
    rebuilt: int = 0
    unchanged: int = 0
    failed: int = 0

    def count(self, document: str, outcome: Outcome) -> bool:
        """Count an outcome; True when it was the last one."""
        self.waiting.discard(document)
        if isinstance(outcome, Rebuilt):
            self.rebuilt += 1
        elif isinstance(outcome, Unchanged):
            self.unchanged += 1
        else:
            self.failed += 1
        return not self.waiting


class SyncRequests:
    """The open sync requests. A sync counts only for requests that came before it began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: list[SyncRequest] = []
        self._served: dict[str, list[SyncRequest]] = {}

    def add(self, documents: Iterable[str], finish: Finish) -> SyncRequest:
        """Add a request for the next outcome of each document; it is done at once without any."""
        request = SyncRequest(finish, set(documents))
        if request.waiting:
            self._open.append(request)
        return request

    def begin(self, document: str) -> None:
        """Record that a sync of a document begins."""
        served = self._served.setdefault(document, [])
        served += [r for r in self._open if document in r.waiting and r not in served]

    def give_back(self, document: str) -> None:
        """Record that the sync did not take place."""
        self._served.pop(document, None)

    def is_asked(self, document: str) -> bool:
        """Return whether a request waits for the outcome of the present sync."""
        return bool(self._served.get(document))

    def end(self, document: str, outcome: Outcome) -> list[Event]:
        """Record the final outcome of a sync, and return the events that end requests."""
        served = self._served.pop(document, [])
        done = [request for request in served if request.count(document, outcome)]
        self._open = [request for request in self._open if request not in done]
        return [request.finish(request) for request in done]

    def lose(self, document: str) -> list[Event]:
        """Record that a document does not exist any more, which ends the wait for it."""
        self.begin(document)
        return self.end(document, Failed("gone", "", "gone"))


class _StatusRequest(msgspec.Struct, eq=False):
    """One or more equal status commands: the documents still to be examined, and the results."""

    ids: list[Id | UnsetType]
    since: float
    sources: tuple[Source, ...]
    waiting: list[Source]
    answers: list[Status] = []

    @property
    def is_begun(self) -> bool:
        """Whether a worker may have examined a document: newer commands need a newer result."""
        return len(self.waiting) < len(self.sources)


class StatusRequests:
    """Status commands in the order of their arrival; only the oldest one is processed.

    A command joins an equal one that is not begun, and both get the same result. So a host that
    sends one each second causes no backlog.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._open: list[_StatusRequest] = []

    @property
    def are_waiting(self) -> bool:
        """Whether a document waits to be given to a worker."""
        return bool(self._open and self._open[0].waiting)

    def have_waited(self, now: float) -> bool:
        """Return whether the oldest command has waited so long that it goes before a sync."""
        return self.are_waiting and now - self._open[0].since >= STATUS_WAIT_S

    def are_older(self, due: float) -> bool:
        """Return whether the oldest command came before this time."""
        return self.are_waiting and self._open[0].since < due

    def add(self, id_: Id | UnsetType, sources: list[Source], now: float) -> Event | None:
        """Add a command for the status of documents; return the reply at once if there are none."""
        if not sources:
            return StatusReport(id=id_, documents=[])
        for request in self._open:
            if request.sources == tuple(sources) and not request.is_begun:
                request.ids.append(id_)
                return None
        self._open.append(_StatusRequest([id_], now, tuple(sources), list(sources)))
        return None

    def take(self, most: int) -> list[Source]:
        """Remove and return at most this many documents of the oldest command, for one batch."""
        if not self._open:
            return []
        waiting = self._open[0].waiting
        taken, waiting[:] = waiting[:most], waiting[most:]
        return taken

    def give_back(self, source: Source) -> None:
        """Put back a document that its worker did not examine."""
        self._open[0].waiting.append(source)

    def answer(self, source: Source, result: Status | Failed) -> list[Event]:
        """Record one status; return the replies when it is the last one of its command."""
        if isinstance(result, Failed):
            files = version_of(source.document), version_of(source.mirror)
            status = unreadable(source, result.code, *files)
        else:
            status = result
        request = self._open[0]
        request.answers.append(status)
        if len(request.answers) < len(request.sources):
            return []
        del self._open[0]
        documents = sorted(request.answers, key=_by_path)
        return [StatusReport(id=id_, documents=documents) for id_ in request.ids]


def _by_path(status: Status) -> str:
    return status.path


class HostCommands:
    """Runs the commands of the host."""

    def __init__(
        self,
        documents: DocumentQueue,
        syncs: SyncRequests,
        statuses: StatusRequests,
        *,
        emit: Callable[[Event | None], None],
        refresh: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            documents: The known documents.
            syncs: The sync requests under way.
            statuses: The status commands under way.
            emit: Sends an event; does nothing for None.
            refresh: Scans the roots: the host may name a workspace that it has just made, whose
                file event has not arrived yet.
        """
        self._documents = documents
        self._syncs = syncs
        self._statuses = statuses
        self._emit = emit
        self._refresh = refresh

    def obey(self, line: bytes) -> bool:
        """Run the command in a line. A line that is not a command only gets a ``failed`` event.

        Returns:
            Whether the command is ``shutdown``.
        """
        try:
            command = protocol.decode(line)
        except ProtocolError as error:
            message, id_ = error.message, protocol.id_of(line)
            self._emit(
                protocol.FailedEvent(code="protocol", message=message, retry_ms=None, id=id_)
            )
            return False
        if command.type == "ping":
            self._emit(protocol.Pong(id=_id(command)))
        elif command.type == "sync":
            self._refresh()
            self._sync(command)
        elif command.type == "status":
            self._refresh()
            matching, now = self._matching(command), time.monotonic()
            self._emit(self._statuses.add(_id(command), matching, now))
        return command.type == "shutdown"

    def _sync(self, command: Command) -> None:
        documents = [source.document for source in self._matching(command)]
        if not documents and (command.workspace, command.epoch, command.path) != (None, None, None):
            self._emit(_no_such_document(command))
            return
        for document in documents:
            self._documents[document].force |= command.force
            self._documents.ask(document, time.monotonic())

        def synced(request: SyncRequest) -> Event:
            return protocol.Synced(
                id=_id(command),
                rebuilt=request.rebuilt,
                unchanged=request.unchanged,
                failed=request.failed,
            )

        request = self._syncs.add(documents, synced)
        self._emit(None if request.waiting else synced(request))

    def _matching(self, command: Command) -> list[Source]:
        return [
            source
            for source in self._documents.sources()
            if command.workspace in {None, source.workspace}
            and command.epoch in {None, source.epoch}
            and command.path in {None, shown(source.document)}
        ]


def _id(command: Command) -> Id | UnsetType:
    return UNSET if command.id is None else command.id


def _no_such_document(command: Command) -> Event:
    failed = protocol.FailedEvent(
        id=_id(command),
        code="gone",
        message="no such document is known; the command status lists those that are",
        retry_ms=None,
    )
    if command.workspace is not None:
        failed = msgspec.structs.replace(failed, workspace=command.workspace)
    if command.epoch is not None:
        failed = msgspec.structs.replace(failed, epoch=command.epoch)
    if command.path is not None:
        failed = msgspec.structs.replace(failed, path=command.path)
    return failed
