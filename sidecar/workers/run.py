"""Do a batch in this process: the only place that calls the functions of ``tasks``."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from sidecar.errors import SidecarError, is_scarcity
from sidecar.files import shown, version_of
from sidecar.model import Failed, Source
from sidecar.workers import messages
from sidecar.workers.messages import Answer, Batch, Result, Task

Send = Callable[[Answer], None]
NextBatch = Callable[[str], Batch | None]


class KeepsDocument(Protocol):
    """What keeps a document; handed on to ``sync``."""

    @property
    def path(self) -> str | None:
        """Path of the document that is kept."""


LIGHT_S = 0.05
"""A task that took more CPU ends its batch: what it leaves behind goes with the process. The first
one of a process takes 0.015 s of a small document, for it looks at the mirrors beside it."""

STACK_MB = (512, 64, 16)
"""Stack of the batch's thread, the first that can be had. A document nested 20,000 levels deep
overflows 8 MB by SIGSEGV; only the pages that are touched cost memory."""


WORTH_IT = 4 << 20
"""Bytes of a document for which loading ctypes (3 ms) is soon paid back."""

_M_TOP_PAD, _M_ARENA_MAX = -2, -8
_STEP = 64 << 20


def preload(*, keeps: bool = False) -> None:
    """Import what a batch needs, and spare forked children the copying of what never changes.

    Args:
        keeps: Children may keep documents.
    """
    import_module("sidecar.tasks.sync")  # the supervisor must never import it
    import_module("sidecar.yjs.tangled")  # each small document needs it
    if keeps:
        import_module("sidecar.tasks.warmth").preload()
    gc.freeze()


def run_batch(batch: Batch, send: Send, next_batch: NextBatch | None = None) -> bool:
    """Do the tasks in order, on a large stack, until one of them was heavy.

    What a decode leaves behind is given back by ending the process, so the rest is for another.
    Bugs become code ``internal``; only ``send`` may fail, and that ends the batch.

    Args:
        batch: What to do.
        send: Gets each answer.
        next_batch: Gives what to do next while a document is kept, None when that is over; called
            with that document. All of it is done by one thread, since the decoder's objects
            belong to the one that made them.

    Returns:
        Whether this process is as light as before.
    """
    light: list[bool] = []
    errors: list[BaseException] = []

    def run() -> None:
        current: Batch | None = batch
        warm = _warm_of(batch) if next_batch else None
        try:
            while current is not None:
                light.extend(_run_tasks(current, send, warm))
                kept = warm.path if warm is not None else None
                current = next_batch(kept) if next_batch and kept else None
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)

    if any(_bytes(task) >= WORTH_IT for task in batch.tasks):
        widen_steps()
    _large_thread(run).join()
    for error in errors:
        raise error
    return all(light)


def _bytes(task: Task) -> int:
    version = version_of(task.source.document)
    return version.size if version else 0


def _warm_of(batch: Batch) -> KeepsDocument | None:
    """Give what keeps a document warm; ``SIDECAR_WARM_CHECK=1`` has each compared."""
    if batch.keep is None:
        return None
    check = os.environ.get("SIDECAR_WARM_CHECK", "") not in {"", "0"}
    module = import_module("sidecar.tasks.warmth")  # the supervisor must never import it
    warm: KeepsDocument = module.keeper(min_bytes=batch.keep.min_bytes, check=check)
    return warm


def _run_tasks(batch: Batch, send: Send, warm: KeepsDocument | None) -> Iterator[bool]:
    for task in batch.tasks:
        before = _cpu_s()
        result = _run_task(task, batch, warm)
        cost_s = _cpu_s() - before
        send(Answer(result, cost_s))
        yield cost_s <= LIGHT_S
        if cost_s > LIGHT_S:
            return


def _run_task(task: Task, batch: Batch, warm: KeepsDocument | None) -> Result:
    try:
        more: dict[str, Any] = {} if task.memory is None else {"memory": task.memory}
        if task.function == "sync" and warm is not None:
            more["warm"] = warm
        found = load(task.function)(task.source, batch.options, **task.arguments, **more)
    except SidecarError as error:
        return Failed(error.code, error.message, "once")
    except BaseException as error:  # noqa: BLE001 - a panic in Rust is a BaseException
        return _failure(error, task.source)
    result: Result = found if task.function == "sync" else _RESULTS[task.function](found)
    return result


def load(function: str) -> Callable[..., Any]:
    """Import one of the functions of ``tasks``, so that children need not."""
    loaded: Callable[..., Any] = getattr(import_module(_MODULES[function]), function)
    return loaded


_MODULES = {
    "sync": "sidecar.tasks.sync",
    "status": "sidecar.tasks.status",
    "verify": "sidecar.tasks.verify",
    "inspect": "sidecar.tasks.inspect",
    "history": "sidecar.tasks.history",
    "restore": "sidecar.tasks.history",
}
_RESULTS: dict[str, Callable[[Any], Result]] = {
    "status": messages.StatusAnswer,
    "verify": messages.VerifyAnswer,
    "inspect": messages.InspectAnswer,
    "history": messages.HistoryAnswer,
    "restore": messages.RestoreAnswer,
}


def is_out_of_room(error: BaseException) -> bool:
    """Tell whether a failure, whatever its face, is one of a process without descriptors left.

    An import that cannot open its folder says that there is no such module.
    """
    if is_scarcity(error):
        return True
    try:
        os.close(os.dup(0))
    except OSError as refusal:
        return is_scarcity(refusal)
    return False


def _failure(error: BaseException, source: Source) -> Failed:
    if isinstance(error, MemoryError):
        message = f"{source.document} needs more memory than --max-memory-mb allows"
        return Failed("memory", message, "later")
    if is_out_of_room(error):
        message = f"{shown(source.document)}: the system has no room for its worker; see ulimit -a"
        return Failed("busy", message, "slow")
    import traceback  # for bugs alone

    traceback.print_exception(error, file=sys.stderr)
    return Failed("internal", f"{type(error).__name__}: {error}", "later")


def _cpu_s() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    if sys.platform == "win32":
        return time.process_time()
    import resource  # not on Windows

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _large_thread(target: Callable[[], None]) -> threading.Thread:
    for megabytes in STACK_MB:
        threading.stack_size(megabytes << 20)
        thread = threading.Thread(target=target)
        with suppress(RuntimeError, MemoryError):
            thread.start()
            return thread
    threading.stack_size(0)
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def widen_steps() -> None:
    """Set the process up for a large decode, before its thread starts; elsewhere do nothing."""
    if sys.platform != "linux":
        return
    import ctypes  # only for large documents

    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TOP_PAD, _STEP)
