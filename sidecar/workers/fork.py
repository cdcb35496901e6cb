"""A batch in a forked child of this process: its end costs nothing but the batch (POSIX).

Preloaded fork, work, exit: 2 ms. The child has the calling thread alone, so it must need no lock
that another thread may hold: callers have one thread, or others that only draw.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from sidecar.pipes import LineBuffer, write_all
from sidecar.workers.base import WALL, Inbox, Worker
from sidecar.workers.messages import Answer, Batch, Ended, message_of, to_line
from sidecar.workers.run import STACK_MB, is_out_of_room, preload, run_batch

RunBatch = Callable[[Batch, Callable[[Answer], None]], object]

_ERRORS_KEPT = 4096
_STEP_S = 1.0
_CHUNK = 1 << 16


_PR_SET_PDEATHSIG = 1
_NO_ROOM = 75
"""Exit code of a child that the system had no room for: EX_TEMPFAIL."""


class AbandonedError(Exception):
    """The lifeline ended while the batch ran; its child has been killed."""


def run_forked(
    batch: Batch,
    forward: Callable[[bytes], None],
    *,
    lifeline: int | None = None,
    run_batch: RunBatch = run_batch,
) -> Ended:
    """Do a batch in a child process and wait for its end.

    Args:
        batch: What to do, and the limits.
        forward: Gets each whole answer line as it comes.
        lifeline: A descriptor whose end means that nobody wants the batch any more.
        run_batch: What the child does.

    Raises:
        AbandonedError: The lifeline ended; the child is dead.
    """
    parent, pipes = os.getpid(), list[int]()
    try:
        pipes += os.pipe()
        pipes += os.pipe()
        child = os.fork()
    except OSError as error:
        for descriptor in pipes:
            os.close(descriptor)
        return Ended("busy", f"no process can be had for it: {error.strerror}", passing=True)
    results, results_in, errors, errors_in = pipes
    if child == 0:
        _be_child(batch, results_in, errors_in, parent, run_batch)
    os.close(results_in)
    os.close(errors_in)
    ended: Ended | None = None
    try:
        ended = _attend(child, batch, _Ends(results, errors, lifeline), forward)
        return ended
    finally:
        _end(child)
        if ended is None or ended.code:
            _clear(batch)
        os.close(results)
        os.close(errors)


class _Ends(NamedTuple):
    """The descriptors to listen to while a child works."""

    results: int
    errors: int
    lifeline: int | None


def _attend(child: int, batch: Batch, ends: _Ends, forward: Callable[[bytes], None]) -> Ended:
    """Forward answers until the child ends, is overdue or is abandoned."""
    poll = select.poll()
    waiting = {ends.results, ends.errors}
    for descriptor in ends:
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    lines, noise = LineBuffer(), b""
    patience = _Patience(WALL * batch.max_seconds)
    while waiting:
        for descriptor, _ in poll.poll(patience.step_s() * 1000):
            data = os.read(descriptor, _CHUNK)
            if descriptor == ends.lifeline:
                raise AbandonedError
            if not data:
                poll.unregister(descriptor)
                waiting.discard(descriptor)
            elif descriptor == ends.errors:
                noise = (noise + data)[-_ERRORS_KEPT:]
            elif whole := lines.feed(data):
                patience = _Patience(WALL * batch.max_seconds)
                _forward_each(whole, forward)
        if patience.is_over():
            return _overdue(batch, noise)
    _, status = os.waitpid(child, 0)
    return _ended(batch, os.waitstatus_to_exitcode(status), noise.decode(errors="replace"))


def _forward_each(lines: list[bytes], forward: Callable[[bytes], None]) -> None:
    for line in lines:
        forward(line + b"\n")


def _ended(batch: Batch, exit_code: int, errors: str) -> Ended:
    if exit_code == -signal.SIGPROF:
        return Ended("timeout", f"it took more than {_limit_of(batch)}", errors=errors)
    return ended_by(exit_code, errors)


class _Patience:
    """Counts the time in which this process itself ran: a sleeping machine does not hang."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds
        self._at = time.monotonic()
        self._step_s = 0.0

    def step_s(self) -> float:
        """Return how long to wait before the next look."""
        self._at = time.monotonic()
        self._step_s = max(0.0, min(_STEP_S, self._left_s))
        return self._step_s

    def is_over(self) -> bool:
        """Count the time since the last step, but not more than the step was to last."""
        self._left_s -= min(time.monotonic() - self._at, self._step_s)
        return self._left_s <= 0


def ended_by(exit_code: int, errors: str) -> Ended:
    """Tell from a child's exit code and stderr how its batch ended.

    Args:
        exit_code: As ``subprocess`` has it: negative for a signal.
        errors: The end of its stderr.
    """
    if exit_code == 0:
        return Ended(errors=errors)
    if "memory allocation of" in errors and exit_code == -signal.SIGABRT:
        message = "it needs more memory than --max-memory-mb allows"
        return Ended("memory", message, errors=errors)
    if exit_code == _NO_ROOM:
        message = "its worker had no descriptor, thread or memory left; see ulimit -a"
        return Ended("busy", message, passing=True, errors=errors)
    if exit_code > 0:
        return Ended("crashed", f"its worker ended with exit code {exit_code}", errors=errors)
    killed = -exit_code in {signal.SIGKILL, signal.SIGTERM}
    message = f"its worker was ended by {signal.Signals(-exit_code).name}"
    return Ended("crashed", message, passing=killed, errors=errors)


def _overdue(batch: Batch, noise: bytes) -> Ended:
    message = f"it took more than {WALL} times {_limit_of(batch)}"
    return Ended("timeout", message, errors=noise.decode(errors="replace"))


def _limit_of(batch: Batch) -> str:
    return f"--max-seconds {batch.max_seconds:g} of CPU time"


def _end(child: int) -> None:
    with suppress(ChildProcessError, ProcessLookupError):
        if os.waitpid(child, os.WNOHANG) == (0, 0):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _clear(batch: Batch) -> None:
    """Remove what a child that was killed may have left beside mirrors."""
    from sidecar.tasks.sync import clear  # noqa: PLC0415 - see preload

    for task in batch.tasks:
        if task.function == "sync":
            clear(task.source)


def _be_child(batch: Batch, results: int, errors: int, parent: int, run_batch: RunBatch) -> None:
    """Do the batch and end this process, whatever happens."""
    try:
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # not a progress bar's
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the parent too
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(parent)
        _limit(batch.max_memory_mb)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, batch.max_seconds)

        def send(answer: Answer) -> None:
            write_all(results, to_line(answer))
            signal.setitimer(signal.ITIMER_PROF, batch.max_seconds)

        run_batch(batch, send)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - the end of this process, whatever it is
        if is_out_of_room(error):
            os._exit(_NO_ROOM)
        import traceback  # noqa: PLC0415 - for bugs alone

        traceback.print_exception(error, file=sys.stderr)
    finally:
        os._exit(1)


_ROOMY = 1 << 30
"""More than a process of ours has before it decodes anything."""


def _limit(max_memory_mb: int | None) -> None:
    """Bound the address space; no core files, which would hold the user's data."""
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if max_memory_mb is None or sys.platform != "linux":
        return
    most = _address_space() + ((max_memory_mb + STACK_MB[0]) << 20)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _address_space() -> int:
    """Return the bytes of address space that this process has; without /proc a guess."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _ROOMY


class ForkWorker(Worker):
    """Does a batch in a child of this process and returns when it is over."""

    def __init__(self, inbox: Inbox) -> None:
        """Begin at rest."""
        super().__init__()
        self._inbox = inbox

    def start(self, batch: Batch) -> None:
        """Have a child do the batch."""
        ended = run_forked(batch, lambda line: self._inbox.put((self, message_of(line))))
        self._inbox.put((self, ended))


class ForkPool:
    """One fork at a time."""

    def __init__(self, inbox: Inbox) -> None:
        """Import what the children will need."""
        preload()
        self._fork = ForkWorker(inbox)

    def free(self, now: float) -> Worker | None:  # noqa: ARG002
        """Return the fork when it is at rest."""
        return None if self._fork.batch else self._fork

    def next_check(self, *, waiting: bool) -> None:
        """Nothing is to be looked at between messages."""

    def stuck(self, now: float) -> list[Worker]:  # noqa: ARG002
        """A batch is over before anybody can ask."""
        return []

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """Overdue batches end themselves."""

    def finish(self, worker: Worker, *, waiting: bool) -> None:  # noqa: ARG002
        """Note the end of a batch."""
        worker.batch = None

    def lose(self, worker: Worker, now: float) -> None:
        """A fork is never lost: its end is a message."""


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends (Linux; elsewhere the pipes tell).

    The signal comes when the parent's *thread* that started this process ends, so that must be
    one that lives as long as its process: the main thread.

    Args:
        parent: The parent's pid as seen before the start, so that a parent that has died in
            between is noticed too.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - Linux only, and late

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)
