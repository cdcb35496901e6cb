"""What the host asks for on stdin, and what it is told in return."""

import time
from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from sidecar.errors import ProtocolError
from sidecar.service import protocol
from sidecar.service.documents import Documents, Request
from sidecar.service.protocol import Command, Event, Id
from sidecar.service.schedule import Schedule
from sidecar.service.statuses import Statuses


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
