"""Questions about documents, each answered in a process of its own: for commands that look.

A document that crashes, hangs or exhausts its reader costs that one answer.
"""

import os
import queue
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from sidecar.model import Failed
from sidecar.settings import Settings
from sidecar.workers.base import Hand, Hands, Inbox
from sidecar.workers.fork import Forks
from sidecar.workers.messages import Answer, Ended, Job, Task
from sidecar.workers.run import load

T = TypeVar("T")


def ask(
    settings: Settings, tasks: Sequence[Task], kind: type[T], *, batch: int = 1
) -> Iterator[tuple[Task, T | Failed]]:
    """Have tasks done one after the other, and give each with its result as it comes.

    Args:
        settings: The limits and options.
        tasks: What to do.
        kind: What a task gives, a msgspec struct.
        batch: How many light tasks may share a process.
    """
    for function in {task.function for task in tasks if os.name == "posix"}:
        load(function)  # once here, and not in every child
    inbox: Inbox = queue.SimpleQueue()
    hands, hand, waiting = hands_for(inbox), None, list(tasks)
    limits = (settings.options, settings.max_memory_mb, settings.max_seconds)
    while waiting:
        now = time.monotonic()
        hands.end_overdue(now, settings.max_seconds)
        if hand is None and (hand := hands.free(now)):
            hand.take(Job(tuple(waiting[:batch]), *limits), now)
        step = hands.next_check(waiting=hand is None, max_seconds=settings.max_seconds)
        try:
            who, message = inbox.get(timeout=None if step is None else max(0.0, step - now))
        except queue.Empty:
            continue
        if isinstance(message, Answer):
            who.answered, who.since = who.answered + 1, time.monotonic()
            yield waiting.pop(0), _result(message, kind)
            continue
        failure = _failure(who, message)
        if message is None:
            hands.lose(who, now)
        else:
            hands.finish(who, waiting=bool(waiting))
        hand = None
        if failure:
            yield waiting.pop(0), failure


def _result(answer: Answer, kind: type[T]) -> T | Failed:
    try:
        return msgspec.convert(answer.result, Failed)
    except msgspec.ValidationError:
        return msgspec.convert(answer.result, kind)


def _failure(hand: Hand, ended: Ended | None) -> Failed | None:
    """Tell why the task that a hand had at its end has no answer; None when all is well."""
    ended = ended or hand.end
    if not hand.waiting_tasks or ended.code is None:
        return None
    return Failed(ended.code, ended.message, "once")


def hands_for(inbox: Inbox) -> Hands:
    """Give what does jobs in a process that runs once; messages go to ``inbox``."""
    if os.name == "posix":
        return Forks(inbox)
    from sidecar.workers.pool import Pool  # noqa: PLC0415 - 12 ms

    return Pool(lambda worker, message: inbox.put((worker, message)))
