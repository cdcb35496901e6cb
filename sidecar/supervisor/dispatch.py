"""Gives due documents to the hands that sync them, and takes in what comes back."""

from collections.abc import Callable

import msgspec

from sidecar.files import SIZE, quiet_s, shown, signature
from sidecar.host.outcomes import events_of
from sidecar.host.protocol import Event
from sidecar.model import Failed, Outcome, Rebuilt, Source, Unchanged
from sidecar.settings import Settings
from sidecar.supervisor.documents import Documents
from sidecar.supervisor.requests import Statuses
from sidecar.supervisor.schedule import Effect, Schedule
from sidecar.workers.base import Hand, Hands
from sidecar.workers.messages import Answer, Ended, Job, Message, Task

BATCH = 64
LIGHT_BYTES = 8 << 20
"""Documents up to this size share a job: most are in step, and a job ends after a heavy one."""


class Work:
    """The flow of documents through the workers.

    Attributes:
        is_first_pass: Over everything found at the start: what is in step is not told, and the
            load rule does not count.
    """

    def __init__(  # noqa: PLR0913 - the parts it ties together
        self,
        settings: Settings,
        documents: Documents,
        schedule: Schedule,
        statuses: Statuses,
        *,
        hands: Hands,
        emit: Callable[[Event | None], None],
    ) -> None:
        """Prepare; ``emit`` sends an event, and nothing for None."""
        self.is_first_pass = True
        self._dispatched_at = float("-inf")
        self._settings = settings
        self._documents = documents
        self._schedule = schedule
        self._statuses = statuses
        self._hands = hands
        self._emit = emit

    def next_step(self) -> float | None:
        """Return when ``dispatch`` has something to do if no message comes before.

        What was due at the last dispatch waits for a hand, and its message; what has become due
        since waits for nothing.
        """
        waiting = self._is_waiting(self._dispatched_at)
        times = [self._hands.next_check(waiting=waiting, max_seconds=self._settings.max_seconds)]
        if not waiting:
            times.append(self._schedule.next_due())
        return min((at for at in times if at is not None), default=None)

    def dispatch(self, now: float) -> None:
        """Give what is due to free workers, and end workers that hang."""
        settings = self._settings
        self._dispatched_at = now
        self._hands.end_overdue(now, settings.max_seconds)
        while self._is_waiting(now):
            hand = self._hands.free(now)
            if not hand:
                return
            tasks = self._statuses.take(BATCH) or self._take_due(now)
            if tasks:
                limits = (settings.options, settings.max_memory_mb, settings.max_seconds)
                hand.take(Job(tasks, *limits), now)

    def hear(self, hand: Hand, message: Message | None, now: float) -> None:
        """Take in what a hand says; None when it is gone."""
        if isinstance(message, Answer):
            task = hand.waiting_tasks[0]
            hand.answered, hand.since = hand.answered + 1, now
            self._answer(task, message, now)
            return
        left, cost_s = hand.waiting_tasks, now - hand.since
        if message is None:
            message = hand.end
            self._hands.lose(hand, now)
        else:
            self._hands.finish(hand, waiting=self._is_waiting(now))
        if message.errors:
            self._log("worker: %s", message.errors.encode("unicode_escape").decode())
        if left and not message.code and not hand.answered:
            message = Ended("crashed", "its worker ended without an answer")
        if message.code and left:
            self._blame(left[0], message, cost_s, now)
            left = left[1:]
        for task in left:
            self._give_back(task, now)

    def _is_waiting(self, now: float) -> bool:
        due = self._schedule.next_due()
        return self._statuses.are_waiting or (due is not None and due <= now)

    def _take_due(self, now: float) -> tuple[Task, ...]:
        """Take the oldest due documents, as many as may share a job."""
        tasks: list[Task] = []
        for document in self._schedule.due(now, BATCH):
            version = signature(document)
            if version is None or self._documents[document].absent:
                self._lose(document)
                continue
            if self._schedule.put_off(document, now, quiet_s(version)):
                continue
            is_light = version[SIZE] <= LIGHT_BYTES
            if not tasks or is_light:
                known = self._documents.begin(document, version)
                digest = known.known_digest(signature(known.source.mirror))
                known.settled = self._schedule.begin(document)
                if failed := known.repeated():
                    self._settle(known.source, failed, 0.0, now)
                    continue
                tasks.append(Task("sync", known.source, known.forcing, digest, known.settled))
            if not is_light:
                break
        return tuple(tasks)

    def _answer(self, task: Task, answer: Answer, now: float) -> None:
        if task.function == "status":
            self._emit(self._statuses.answer(task.source, answer.result))
        elif task.source.document in self._documents:
            outcome: Outcome = msgspec.convert(answer.result, Outcome)
            self._settle(task.source, outcome, answer.cost_s, now)

    def _blame(self, task: Task, ended: Ended, cost_s: float, now: float) -> None:
        """Have the document that a job died of pay for it: once, or twice if it was killed."""
        document = task.source.document
        message = f"{shown(document)}: {ended.message}"
        failed = Failed(ended.code or "crashed", message, "once")
        if task.function == "status":
            self._emit(self._statuses.answer(task.source, msgspec.to_builtins(failed)))
        elif document in self._documents:
            known = self._documents[document]
            known.kills = known.kills + 1 if ended.killed else 0
            if known.kills == 1:
                failed = Failed("crashed", message, "slow")
            self._settle(task.source, failed, cost_s, now)

    def _give_back(self, task: Task, now: float) -> None:
        if task.function == "status":
            self._statuses.give_back(task)
        elif task.source.document in self._documents:
            self._documents.give_back(task.source.document)
            self._schedule.give_back(task.source.document, now)

    def _settle(self, source: Source, outcome: Outcome, cost_s: float, now: float) -> None:
        """Take in how a sync ended: schedule what follows, and say what is news."""
        document = source.document
        effect: Effect = "done"
        if isinstance(outcome, Failed):
            if outcome.effect == "gone" and signature(document) is None:
                self._lose(document)
                return
            effect = "retry" if outcome.effect == "gone" else outcome.effect
        known = self._documents[document]
        resting = not self.is_first_pass
        wait_ms = self._schedule.end(document, now, cost_s, effect, resting=resting)
        text, is_rebuilt = "%s: %r, next try in %s ms", isinstance(outcome, Rebuilt)
        self._log(text, shown(document), outcome, wait_ms, info=is_rebuilt)
        if effect == "retry" and wait_ms is not None and isinstance(outcome, Failed):
            known.note(outcome)
            return
        known.torn = None
        if self._is_news(outcome, known.is_news, asked=bool(known.serving)):
            for event in events_of(source, outcome, wait_ms):
                self._emit(event)
        for event in self._documents.verdict(document, outcome, signature(source.mirror)):
            self._emit(event)

    def _is_news(self, outcome: Outcome, is_new: Callable[[Failed], bool], *, asked: bool) -> bool:
        if isinstance(outcome, Failed):
            return is_new(outcome) or (asked and not self.is_first_pass)
        return not (self.is_first_pass and isinstance(outcome, Unchanged))

    def _lose(self, document: str) -> None:
        """Say that a document is gone, and forget it."""
        self._schedule.forget(document)
        for event in events_of(self._documents[document].source, Failed("gone", "", "gone")):
            self._emit(event)
        for event in self._documents.forget(document):
            self._emit(event)

    def _log(self, text: str, *values: object, info: bool = False) -> None:
        if self._settings.logs_outcomes:
            import logging  # noqa: PLC0415 - 6 ms of each start, and seldom asked for

            log = logging.getLogger(__name__)
            (log.info if info else log.debug)(text, *values)
