"""Gives due documents to the workers that sync them, and takes in what comes back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sidecar.files import rested_s, shown, version_of
from sidecar.host.outcomes import events_of
from sidecar.host.protocol import Event
from sidecar.model import Failed, Outcome, Rebuilt, Source, Unchanged
from sidecar.settings import Settings
from sidecar.supervisor.documents import DocumentQueue, DocumentState
from sidecar.supervisor.requests import StatusRequests, SyncRequests
from sidecar.workers.base import Worker, WorkerPool
from sidecar.workers.messages import Answer, Batch, Ended, Message, StatusAnswer, Task

if TYPE_CHECKING:
    from sidecar.supervisor.schedule import Effect

BATCH = 64
LIGHT_BYTES = 8 << 20
"""Documents up to this size share a batch: most are in step, and a batch ends after a heavy one."""


class Dispatcher:
    """The flow of documents through the workers.

    Attributes:
        is_first_pass: Over everything found at the start: what is in step is not reported, and
            the load rule does not count.
    """

    def __init__(  # noqa: PLR0913 - the parts it ties together
        self,
        settings: Settings,
        documents: DocumentQueue,
        syncs: SyncRequests,
        statuses: StatusRequests,
        *,
        workers: WorkerPool,
        emit: Callable[[Event | None], None],
    ) -> None:
        """Prepare; ``emit`` sends an event, and nothing for None."""
        self.is_first_pass = True
        self._dispatched_at = float("-inf")
        self._settings = settings
        self._documents = documents
        self._syncs = syncs
        self._statuses = statuses
        self._workers = workers
        self._emit = emit

    def next_step(self) -> float | None:
        """Return when ``dispatch`` has something to do if no message comes before.

        What was due at the last dispatch waits for a worker, and its message; what has become due
        since waits for nothing.
        """
        waiting = self._is_waiting(self._dispatched_at)
        times = [self._workers.next_check(waiting=waiting, max_seconds=self._settings.max_seconds)]
        if not waiting:
            times.append(self._documents.next_due())
        return min((at for at in times if at is not None), default=None)

    def dispatch(self, now: float) -> None:
        """Give what is due to free workers, and end workers that hang."""
        settings = self._settings
        self._dispatched_at = now
        self._workers.end_overdue(now, settings.max_seconds)
        while self._is_waiting(now):
            worker = self._workers.free(now)
            if not worker:
                return
            tasks = self._statuses.take(BATCH) or self._take_due(now)
            if tasks:
                limits = (settings.options, settings.max_memory_mb, settings.max_seconds)
                worker.take(Batch(tasks, *limits), now)

    def hear(self, worker: Worker, message: Message | None, now: float) -> None:
        """Take in what a worker says; None when it is gone."""
        if isinstance(message, Answer):
            task = worker.waiting_tasks[0]
            worker.answered, worker.since = worker.answered + 1, now
            self._answer(task, message, now)
            return
        left, cost_s = worker.waiting_tasks, now - worker.since
        if message is None:
            message = worker.end
            self._workers.lose(worker, now)
        else:
            self._workers.finish(worker, waiting=self._is_waiting(now))
        if message.errors:
            self._log("worker: %s", message.errors.encode("unicode_escape").decode())
        if left and not message.code and not worker.answered:
            message = Ended("crashed", "its worker ended without an answer")
        if message.code and left:
            self._blame(left[0], message, cost_s, now)
            left = left[1:]
        for task in left:
            self._give_back(task, now)

    def _is_waiting(self, now: float) -> bool:
        due = self._documents.next_due()
        return self._statuses.are_waiting or (due is not None and due <= now)

    def _take_due(self, now: float) -> tuple[Task, ...]:
        """Take the oldest due documents, as many as may share a batch."""
        tasks: list[Task] = []
        for document in self._documents.take_due(now, BATCH):
            version = version_of(document)
            if version is None or self._documents[document].absent:
                self._lose(document)
                continue
            if self._documents.put_off(document, now, rested_s(version)):
                continue
            is_light = version.size <= LIGHT_BYTES
            if not tasks or is_light:
                self._syncs.begin(document)
                state = self._documents.begin(document, version)
                if failed := state.repeated():
                    self._record(state.source, failed, 0.0, now)
                    continue
                tasks.append(_sync_task(state))
            if not is_light:
                break
        return tuple(tasks)

    def _answer(self, task: Task, answer: Answer, now: float) -> None:
        result = answer.result
        if isinstance(result, StatusAnswer):
            self._emit(self._statuses.answer(task.source, result.report))
        elif isinstance(result, Failed) and task.function == "status":
            self._emit(self._statuses.answer(task.source, result))
        elif isinstance(result, (Unchanged, Rebuilt, Failed)):
            if task.source.document in self._documents:
                self._record(task.source, result, answer.cost_s, now)
        else:
            raise TypeError(result)

    def _blame(self, task: Task, ended: Ended, cost_s: float, now: float) -> None:
        """Count the end of a batch as a failure of the document that it was at.

        A worker that somebody else ended is no fault of the document: it is tried again.
        """
        document = task.source.document
        message = f"{shown(document)}: {ended.message}"
        failed = Failed(ended.code or "crashed", message, "slow" if ended.passing else "once")
        if task.function == "status":
            self._emit(self._statuses.answer(task.source, failed))
        elif document in self._documents:
            self._record(task.source, failed, cost_s, now)

    def _give_back(self, task: Task, now: float) -> None:
        if task.function == "status":
            self._statuses.give_back(task)
        elif task.source.document in self._documents:
            self._syncs.give_back(task.source.document)
            self._documents.give_back(task.source.document, now)

    def _record(self, source: Source, outcome: Outcome, cost_s: float, now: float) -> None:
        """Take in how a sync ended: schedule what follows, and report what is new."""
        document = source.document
        effect: Effect = "done"
        if isinstance(outcome, Failed):
            if outcome.effect == "gone" and version_of(document) is None:
                self._lose(document)
                return
            effect = "retry" if outcome.effect == "gone" else outcome.effect
        state = self._documents[document]
        resting = not self.is_first_pass
        wait_ms = self._documents.end(document, now, cost_s, effect, resting=resting)
        text, is_rebuilt = "%s: %r, next try in %s ms", isinstance(outcome, Rebuilt)
        self._log(text, shown(document), outcome, wait_ms, info=is_rebuilt)
        if effect == "retry" and wait_ms is not None and isinstance(outcome, Failed):
            state.note(outcome)
            return
        if self._is_new(outcome, state, asked=self._syncs.is_asked(document)):
            for event in events_of(source, outcome, wait_ms):
                self._emit(event)
        state.record(outcome, version_of(source.mirror))
        for event in self._syncs.end(document, outcome):
            self._emit(event)

    def _is_new(self, outcome: Outcome, state: DocumentState, *, asked: bool) -> bool:
        if isinstance(outcome, Failed):
            return state.report(outcome) or (asked and not self.is_first_pass)
        return not (self.is_first_pass and isinstance(outcome, Unchanged))

    def _lose(self, document: str) -> None:
        """Say that a document is gone, and forget it."""
        for event in events_of(self._documents[document].source, Failed("gone", "", "gone")):
            self._emit(event)
        self._documents.forget(document)
        for event in self._syncs.lose(document):
            self._emit(event)

    def _log(self, text: str, *values: object, info: bool = False) -> None:
        if self._settings.logs_outcomes:
            import logging  # noqa: PLC0415 - 6 ms of each start, and seldom asked for

            log = logging.getLogger(__name__)
            (log.info if info else log.debug)(text, *values)


def _sync_task(state: DocumentState) -> Task:
    known = state.known_digest(version_of(state.source.mirror))
    arguments = {"force": state.forcing, "known": known, "rested": state.rested}
    return Task("sync", state.source, arguments)
