"""Gives due documents to the workers that sync them, and takes in what comes back."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from sidecar.digests import digest_stream
from sidecar.files import FileVersion, rested_s, shown, version_of
from sidecar.host.outcomes import events_of
from sidecar.host.protocol import Event
from sidecar.model import Failed, Memory, Outcome, Rebuilt, Source, Unchanged
from sidecar.settings import Settings
from sidecar.supervisor.documents import DocumentQueue, DocumentState
from sidecar.supervisor.requests import StatusRequests, SyncRequests
from sidecar.workers.base import Worker, WorkerPool
from sidecar.workers.messages import Answer, Batch, Ended, Keep, Message, Result, StatusAnswer, Task

if TYPE_CHECKING:
    from sidecar.supervisor.schedule import Effect

BATCH = 64
LIGHT_BYTES = 8 << 20
"""Documents up to this size share a batch: most are in step, and a batch ends after a heavy one."""
SLOW_BYTES = 32 << 20
"""Documents from this size count as slow until they have been measured."""
SLOW_S = 2.0
"""A document whose last decode took this long goes behind those that do not, one at a time."""
SLOW_WAIT_S = 5.0
"""How long a slow document lets others go first."""
GONE_S = 1.0
"""How long a document must be missing before it is gone: apps save by delete and create, too."""
HELD_S = 2.0
"""How long an edit waits for the end of the batch that had its document: then it is known which
worker keeps it. Milliseconds pass between the answer and the end, if nothing hangs."""
_MOST_DIGESTED = 64 << 20
"""Bytes of a document that are digested here after its worker has ended at it: 40 ms."""


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
        self._slow: set[str] = set()
        self._status_was_last = False
        self._settings = settings
        self._documents = documents
        self._syncs = syncs
        self._statuses = statuses
        self._workers = workers
        self._emit = emit

    def next_step(self) -> float | None:
        """Return when ``dispatch`` has something to do if no message comes before.

        What was due at the last dispatch waits for a worker, and its message; what has become due
        since waits for nothing, and so does what is kept by a worker of its own.
        """
        waiting = self._is_waiting(self._dispatched_at)
        times = [self._workers.next_check(waiting=waiting)]
        times += [self._documents.due_at(worker.holds or "") for worker in self._workers.resting()]
        if not waiting:
            times.append(self._documents.next_due())
        return min((at for at in times if at is not None), default=None)

    def dispatch(self, now: float) -> None:
        """Give what is due to free workers, and end workers that hang."""
        settings = self._settings
        self._dispatched_at = now
        self._workers.end_overdue(now, settings.max_seconds)
        for worker in self._workers.stuck(now):
            for task in worker.withdraw():
                self._give_back(task, now)
        self._give_to_keepers(now)
        self._park_slow(now)
        while self._is_waiting(now):
            free = self._workers.free(now)
            if not free:
                return
            tasks = self._take_status(now) or self._take_due(now) or self._take_status(now)
            if tasks:
                free.take(self._batch(tasks), now)

    def _batch(self, tasks: tuple[Task, ...]) -> Batch:
        settings = self._settings
        limits = (settings.options, settings.max_memory_mb, settings.max_seconds)
        keep = Keep(settings.warm_s, settings.warm_mb, settings.warm_min_mb << 20)
        return Batch(tasks, *limits, keep=keep if settings.warm_mb else None)

    def _give_to_keepers(self, now: float) -> None:
        """Give due documents to the workers that keep them: they wait for no other worker."""
        for worker in self._workers.resting():
            document = worker.holds or ""
            due = self._documents.due_at(document)
            if due is None or due > now:
                continue
            version = version_of(document)
            if self._is_ripe(document, version, now):
                task = self._begin(document, version, now)
                if task is not None:
                    worker.take(self._batch((task,)), now)

    def hear(self, worker: Worker, message: Message | None, now: float) -> None:
        """Take in what a worker says; None when it is gone."""
        if isinstance(message, Answer):
            if worker.waiting_tasks:  # else it was withdrawn, and another worker answers
                self._hear_answer(worker, message, now)
            return
        for task in worker.batch.tasks if worker.batch else ():
            self._documents.let_go(task.source.document)
        left, cost_s = worker.waiting_tasks, now - worker.since
        if message is None:
            message = worker.end
            self._workers.lose(worker, now)
        else:
            worker.holds, worker.holds_mb, worker.since = message.holds, message.holds_mb, now
            self._workers.finish(worker, waiting=self._is_waiting(now))
            if message.holds is not None and message.holds not in self._documents:
                self._workers.drop(message.holds)
        if message.errors:
            self._log("worker: %s", message.errors.encode("unicode_escape").decode())
        if left and not message.code and not worker.answered:
            message = Ended("crashed", "its worker ended without an answer")
        if message.code and left:
            self._note_time(left[0], None, cost_s)
            self._blame(left[0], message, cost_s, now)
            left = left[1:]
        for task in left:
            self._give_back(task, now)

    def _hear_answer(self, worker: Worker, answer: Answer, now: float) -> None:
        task, took_s = worker.waiting_tasks[0], now - worker.since
        worker.answered, worker.since = worker.answered + 1, now
        self._note_time(task, answer.result, took_s)
        self._answer(task, answer, now)
        if task.function == "sync" and task.source.document in self._documents:
            self._documents.hold(task.source.document, now + HELD_S)

    def _is_waiting(self, now: float) -> bool:
        due = self._documents.next_due()
        return self._statuses.are_waiting or (due is not None and due <= now)

    def _take_status(self, now: float) -> tuple[Task, ...]:
        """Take a status command if no sync is due, or if it is its turn and a sync was last."""
        due = self._documents.next_due()
        if due is not None and due <= now:
            is_first = self._statuses.have_waited(now) or self._statuses.are_older(due)
            if self._status_was_last or not is_first:
                return ()
        sources = self._statuses.take(BATCH)
        self._status_was_last = bool(sources)
        return tuple(Task("status", source, memory=self._memory(source)) for source in sources)

    def _memory(self, source: Source) -> Memory:
        """Return what a status may know, so that nothing is decoded that a sync will decode."""
        if source.document not in self._documents:
            return Memory()
        state, version = self._documents[source.document], version_of(source.document)
        return Memory(
            known=state.known_digest(version_of(source.mirror)),
            pending=state.due.is_expected,
            failed=state.unreadable[0]
            if state.unreadable and state.unreadable[1] == version
            else None,
        )

    def _take_due(self, now: float) -> tuple[Task, ...]:
        """Take the oldest due documents, as many as may share a batch, slow ones behind others."""
        self._status_was_last = False
        tasks: list[Task] = []
        for document, version in self._ripe(now):
            is_light = version is None or version.size <= LIGHT_BYTES
            is_slow = self._is_slow(document, version)
            if not tasks or (is_light and not is_slow):
                task = self._begin(document, version, now)
                if task is None:
                    continue
                tasks.append(task)
                if is_slow:
                    self._slow.add(document)
            if is_slow or not is_light:
                break
        return tuple(tasks)

    def _ripe(self, now: float) -> list[tuple[str, FileVersion | None]]:
        """Return due documents that are there and at rest, in the order of their turn."""
        ripe: list[tuple[bool, str, FileVersion | None]] = []
        for document in self._documents.take_due(now, BATCH):
            version = version_of(document)
            if not self._is_ripe(document, version, now):
                continue
            waits = self._is_slow(document, version) and not self._documents.is_late(
                document, now - SLOW_WAIT_S
            )
            ripe.append((waits, document, version))
        ripe.sort(key=lambda entry: entry[0])
        return [(document, version) for _, document, version in ripe]

    def _is_ripe(self, document: str, version: FileVersion | None, now: float) -> bool:
        """Tell whether a due document is there and at rest; one that is not is put off."""
        state = self._documents[document]
        if state.absent or (version is None and _is_gone(document)):
            self._miss(document, now)
            return False
        state.missed_since = None
        return not (version and self._documents.put_off(document, now, rested_s(version)))

    def _begin(self, document: str, version: FileVersion | None, now: float) -> Task | None:
        """Begin a document's sync; None where its end is known without one."""
        self._syncs.begin(document)
        state = self._documents.begin(document, version)
        asked = self._syncs.is_asked(document)
        if failed := state.repeated():
            self._record(state.source, failed, 0.0, now)
            return None
        if not asked and (failed := state.refuses(now, version)):
            same = msgspec.structs.replace(failed, effect="same")
            self._record(state.source, same, 0.0, now)
            return None
        memory = state.memory(now, version_of(state.source.mirror), asked=asked)
        arguments = {"force": state.forcing, "rested": state.rested}
        return Task("sync", state.source, arguments, memory)

    def _is_slow(self, document: str, version: FileVersion | None) -> bool:
        if self._workers.keeps(document):
            return False  # its next edit takes little, and the worker that keeps it
        took_s = self._documents[document].took_s
        if took_s is None:
            return version is not None and version.size >= SLOW_BYTES
        return took_s >= SLOW_S

    def _park_slow(self, now: float) -> None:
        """While a slow document has a worker, the others of its kind wait: one of them at a time.

        Two of them would take all workers, and an edit of a small document waited for a minute.
        """
        if self._slow:
            for document in self._documents.take_due(now, BATCH):
                if self._is_slow(document, version_of(document)):
                    self._documents.park(document)

    def _note_time(self, task: Task, result: Result | None, took_s: float) -> None:
        """Note how long a document's decode took, and let the next slow one go."""
        document = task.source.document
        if task.function == "sync" and document in self._documents:
            is_read = isinstance(result, Unchanged) and result.reason == "bytes"
            if not is_read and not (isinstance(result, Failed) and result.effect == "same"):
                self._documents[document].took_s = took_s
        self._leave_lane(document)

    def _leave_lane(self, document: str) -> None:
        if document in self._slow:
            self._slow.discard(document)
            self._documents.unpark()

    def _miss(self, document: str, now: float) -> None:
        """Note that a document is not to be found; it is gone when it stays so."""
        state = self._documents[document]
        if state.missed_since is None:
            state.missed_since = now
        if now - state.missed_since >= GONE_S:
            self._lose(document)
        else:
            self._documents.wait(document, state.missed_since + GONE_S)

    def _answer(self, task: Task, answer: Answer, now: float) -> None:
        result = answer.result
        if isinstance(result, StatusAnswer):
            is_warm = self._workers.keeps(task.source.document)
            report = msgspec.structs.replace(result.report, warm=is_warm)
            self._emit_all(self._statuses.answer(task.source, report))
        elif isinstance(result, Failed) and task.function == "status":
            self._emit_all(self._statuses.answer(task.source, result))
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
        failed = Failed(ended.code or "crashed", message, "slow" if ended.passing else "later")
        if task.function == "status":
            self._emit_all(self._statuses.answer(task.source, failed))
        elif document in self._documents:
            self._record(task.source, failed, cost_s, now)

    def _give_back(self, task: Task, now: float) -> None:
        if task.function == "status":
            self._statuses.give_back(task.source)
        elif task.source.document in self._documents:
            self._leave_lane(task.source.document)
            self._syncs.give_back(task.source.document)
            self._documents.give_back(task.source.document, now)

    def _record(self, source: Source, outcome: Outcome, cost_s: float, now: float) -> None:
        """Take in how a sync ended: schedule what follows, and report what is new."""
        document = source.document
        state = self._documents[document]
        effect = _effect(outcome, state)
        if isinstance(outcome, Failed) and effect == "later":
            state.refuse(outcome, _digest_of(document, state.given))
        resting = not self.is_first_pass
        wait_ms = self._documents.end(document, now, cost_s, effect, resting=resting)
        text, is_rebuilt = "%s: %r, next try in %s ms", isinstance(outcome, Rebuilt)
        self._log(text, shown(document), outcome, wait_ms, info=is_rebuilt)
        if effect == "retry" and wait_ms is not None and isinstance(outcome, Failed):
            state.note(outcome)
            return
        if self._is_new(outcome, state, asked=self._syncs.is_asked(document)):
            self._emit_all(events_of(source, outcome, wait_ms))
        if isinstance(outcome, Rebuilt) and outcome.note:
            self._warn("%s: %s", shown(source.mirror), outcome.note)
        state.record(outcome)
        self._emit_all(self._syncs.end(document, outcome))

    def _is_new(self, outcome: Outcome, state: DocumentState, *, asked: bool) -> bool:
        if isinstance(outcome, Failed) and outcome.effect in {"gone", "same"}:
            return False
        if isinstance(outcome, Failed):
            is_later = outcome.effect == "later"  # seldom, and the wait is another one
            return state.report(outcome) or is_later or (asked and not self.is_first_pass)
        return not (self.is_first_pass and isinstance(outcome, Unchanged))

    def _lose(self, document: str) -> None:
        """Say that a document is gone, and forget it."""
        self._emit_all(events_of(self._documents[document].source, Failed("gone", "", "gone")))
        self._documents.forget(document)
        self._workers.drop(document)
        self._emit_all(self._syncs.lose(document))

    def _emit_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._emit(event)

    def _warn(self, text: str, *values: object) -> None:
        import logging  # noqa: PLC0415 - 6 ms of each start, and seldom asked for

        logging.getLogger(__name__).warning(text, *values)

    def _log(self, text: str, *values: object, info: bool = False) -> None:
        if self._settings.logs_outcomes:
            import logging  # noqa: PLC0415 - 6 ms of each start, and seldom asked for

            log = logging.getLogger(__name__)
            (log.info if info else log.debug)(text, *values)


def _effect(outcome: Outcome, state: DocumentState) -> "Effect":
    """Tell what follows from an outcome: what the system refuses goes on being tried."""
    if not isinstance(outcome, Failed):
        return "done"
    match outcome.effect:
        case "retry" | "gone":
            is_passing = outcome.code in {"gone", "denied", "busy"}
            is_slow = is_passing and (state.due.is_last_try or state.due.slow_tries)
            return "slow" if is_slow else "retry"
        case effect:
            return effect


def _is_gone(path: str) -> bool:
    """Tell whether a document is not there, which is not the same as out of reach."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True  # something that is no regular file


def _digest_of(path: str, version: FileVersion | None) -> str | None:
    """Return the digest of a document that has not changed since; None where that is not so."""
    if version is None or version.size > _MOST_DIGESTED:
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            digest = digest_stream(file.readinto)
    except OSError:
        return None
    return digest if version_of(path) == version else None
