"""Questions about documents, each answered in a process of its own: for commands that look.

A document that crashes, hangs or exhausts its reader costs that one answer.
"""

import os
import queue
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

from sidecar.model import Failed
from sidecar.settings import Settings
from sidecar.workers.base import Inbox, Worker, WorkerPool
from sidecar.workers.messages import Answer, Batch, Ended, Reported, Result, Task
from sidecar.workers.run import load

T = TypeVar("T")


def run_isolated(
    settings: Settings, tasks: Sequence[Task], *, batch: int = 1
) -> Iterator[tuple[Task, Result]]:
    """Have tasks done one after the other, and give each with its result as it comes.

    Args:
        settings: The limits and options.
        tasks: What to do.
        batch: How many light tasks may share a process.
    """
    for function in {task.function for task in tasks if os.name == "posix"}:
        load(function)  # once here, and not in every child
    inbox: Inbox = queue.SimpleQueue()
    workers, worker, waiting = worker_pool(inbox), None, list(tasks)
    limits = (settings.options, settings.max_memory_mb, settings.max_seconds)
    while waiting:
        now = time.monotonic()
        workers.end_overdue(now, settings.max_seconds)
        if worker is None and (worker := workers.free(now)):
            worker.take(Batch(tuple(waiting[:batch]), *limits), now)
        step = workers.next_check(waiting=worker is None)
        try:
            who, message = inbox.get(timeout=None if step is None else max(0.0, step - now))
        except queue.Empty:
            continue
        if isinstance(message, Answer):
            who.answered, who.since = who.answered + 1, time.monotonic()
            yield waiting.pop(0), message.result
            continue
        failure = _failure(who, message)
        if message is None:
            workers.lose(who, now)
        else:
            workers.finish(who, waiting=bool(waiting))
        worker = None
        if failure:
            yield waiting.pop(0), failure


def report_of(result: object, kind: type[Reported[T]]) -> T | Failed:
    """Give the report of a result, or the failure that came in its place.

    Raises:
        TypeError: The worker answered something else: a bug.
    """
    if isinstance(result, Failed):
        return result
    report: object = getattr(result, "report", None)
    if isinstance(result, kind):
        return cast("T", report)
    message = f"the worker answered {type(result).__name__}, not {kind.__name__}"
    raise TypeError(message)


def _failure(worker: Worker, ended: Ended | None) -> Failed | None:
    """Tell why the task that a worker had at its end has no answer; None when all is well."""
    ended = ended or worker.end
    if not worker.waiting_tasks or ended.code is None:
        return None
    return Failed(ended.code, ended.message, "once")


def worker_pool(inbox: Inbox) -> WorkerPool:
    """Give what does batches in a process that runs once; messages go to ``inbox``."""
    if os.name == "posix":
        from sidecar.workers.fork import ForkPool  # there is none on Windows

        return ForkPool(inbox)
    from sidecar.workers.pool import ProcessPool  # 12 ms

    return ProcessPool(lambda worker, message: inbox.put((worker, message)))
