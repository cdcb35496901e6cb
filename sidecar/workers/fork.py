"""A batch in a forked child of this process: its end costs nothing but the batch (POSIX).

Preloaded fork, work, exit: 2 ms. The child has the calling thread alone, so it must need no lock
that another thread may hold: callers have one thread, or others that only draw.
"""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from sidecar.pipes import LineBuffer, write_all
from sidecar.workers.base import WALL, Inbox, Worker
from sidecar.workers.messages import Answer, Batch, Ended, batch_of, message_of, to_line
from sidecar.workers.run import STACK_MB, is_out_of_room, preload, run_batch

RunBatch = Callable[..., object]

_ERRORS_KEPT = 4096
_STEP_S = 1.0
_CHUNK = 1 << 16
_LEAST_PATIENCE_S, _PATIENCE = 10.0, 5
"""How long a child that keeps a document has for its next batch, beside what its first took."""


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
    kept: "list[Child] | None" = None,
) -> Ended:
    """Do a batch in a child process and wait for its end.

    Args:
        batch: What to do, and the limits.
        forward: Gets each whole answer line as it comes.
        lifeline: A descriptor whose end means that nobody wants the batch any more.
        run_batch: What the child does.
        kept: Holds the child that lives on with its document, if one does; None lets none do so.

    Raises:
        AbandonedError: The lifeline ended; the child is dead.
    """
    if kept:
        child, answered = kept.pop(), 0

        def count(line: bytes) -> None:
            nonlocal answered
            answered += 1
            forward(line)

        ended = child.serve(batch, count, lifeline, kept)
        if not ended.code and (ended.holds or answered):
            return ended
        # Its end costs one fresh decode, and never counts against the document.
        batch = msgspec.structs.replace(batch, tasks=batch.tasks[answered:])
        if not batch.tasks:
            return Ended(errors=ended.errors)
    if kept is None:
        batch = msgspec.structs.replace(batch, keep=None)
    found = Child.start(batch, run_batch)
    if isinstance(found, Ended):
        return found
    return found.attend(batch, forward, lifeline, kept)


class Child:
    """A child process that does batches, and the pipes to it."""

    def __init__(self, pid: int, results: int, errors: int, orders: int) -> None:
        """Take the ends of its pipes."""
        self._pid = pid
        self._first_s = 0.0
        self._results, self._errors, self._orders = results, errors, orders

    @classmethod
    def start(cls, batch: Batch, run_batch: RunBatch) -> "Child | Ended":
        """Fork one that does a batch; say why there is none where the system has no room."""
        parent, pipes = os.getpid(), list[int]()
        try:
            pipes += os.pipe()
            pipes += os.pipe()
            pipes += os.pipe()
            pid = os.fork()
        except OSError as error:
            for descriptor in pipes:
                os.close(descriptor)
            return Ended("busy", f"no process can be had for it: {error.strerror}", passing=True)
        results, results_in, errors, errors_in, orders, orders_in = pipes
        if pid == 0:
            os.close(orders_in)
            _be_child(batch, _Ends(results_in, errors_in, orders), parent, run_batch)
        for descriptor in (results_in, errors_in, orders):
            os.close(descriptor)
        return cls(pid, results, errors, orders_in)

    def serve(
        self,
        batch: Batch,
        forward: Callable[[bytes], None],
        lifeline: int | None,
        kept: "list[Child]",
    ) -> Ended:
        """Have another batch done. A child that is gone says so by its end.

        One that hangs has no longer than a fresh decode might take by now; what it did not do in
        that time is done by a fresh child.
        """
        with suppress(OSError):
            write_all(self._orders, to_line(batch))
        patience_s = min(_LEAST_PATIENCE_S + _PATIENCE * self._first_s, batch.max_seconds)
        return self.attend(batch, forward, lifeline, kept, patience_s)

    def attend(
        self,
        batch: Batch,
        forward: Callable[[bytes], None],
        lifeline: int | None,
        kept: "list[Child] | None",
        patience_s: float | None = None,
    ) -> Ended:
        """Forward answers until the batch is over; a child that lives on is put into ``kept``.

        Args:
            batch: What it has to do.
            forward: Gets each whole answer line as it comes.
            lifeline: As for ``run_forked``.
            kept: As for ``run_forked``.
            patience_s: By the clock for each task; None for ``WALL`` times its CPU seconds.

        Raises:
            AbandonedError: The lifeline ended; the child is dead.
        """
        ended: Ended | None = None
        patience_s = WALL * batch.max_seconds if patience_s is None else patience_s
        begun = time.monotonic()
        try:
            ends = _Ends(self._results, self._errors, lifeline)
            ended = _attend(self._pid, batch, ends, forward, patience_s)
            self._first_s = self._first_s or time.monotonic() - begun
            return ended
        finally:
            if ended is not None and ended.holds is not None and kept is not None:
                kept.append(self)
            else:
                _end(self._pid)
                if ended is None or ended.code:
                    _clear(batch)
                for descriptor in (self._results, self._errors, self._orders):
                    os.close(descriptor)


class _Ends(NamedTuple):
    """The descriptors of one side: of the parent's to listen to, of the child's to use.

    ``lifeline`` is the child's way to hear of further batches.
    """

    results: int
    errors: int
    lifeline: int | None


def _attend(  # noqa: C901 - one loop over the pipes
    child: int, batch: Batch, ends: _Ends, forward: Callable[[bytes], None], patience_s: float
) -> Ended:
    """Forward answers until the child ends, lives on at rest, is overdue or is abandoned."""
    poll = select.poll()
    waiting = {ends.results, ends.errors}
    for descriptor in ends:
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    lines, noise = LineBuffer(), b""
    patience = _Patience(patience_s)
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
                patience = _Patience(patience_s)
                if rests := _forward_each(whole, forward):
                    return rests
        if patience.is_over():
            return _overdue(batch, noise)
    _, status = os.waitpid(child, 0)
    return _ended(batch, os.waitstatus_to_exitcode(status), noise.decode(errors="replace"))


def _forward_each(lines: list[bytes], forward: Callable[[bytes], None]) -> Ended | None:
    """Forward answers; give the line with which a child says that it lives on."""
    for line in lines:
        if line.startswith(_RESTS):
            return msgspec.convert(json.loads(line), Ended)
        forward(line + b"\n")
    return None


_RESTS = b'{"type": "ended"'


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
    from sidecar.tasks.sync import clear  # see preload

    for task in batch.tasks:
        if task.function == "sync":
            clear(task.source)


def _be_child(batch: Batch, ends: _Ends, parent: int, run_batch: RunBatch) -> None:
    """Do the batch, and others while a document is kept, and end this process whatever happens."""
    results, errors, orders = ends
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

        def next_batch(document: str) -> Batch | None:
            return _rest(document, batch, results, orders)

        if batch.keep is None or orders is None:
            run_batch(batch, send)
        else:
            run_batch(batch, send, next_batch)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - the end of this process, whatever it is
        if is_out_of_room(error):
            os._exit(_NO_ROOM)
        import traceback  # for bugs alone

        traceback.print_exception(error, file=sys.stderr)
    finally:
        os._exit(1)


def _rest(document: str, batch: Batch, results: int, orders: int | None) -> Batch | None:
    """Wait for the next batch of a child that keeps a document; None when it is to end."""
    keep, memory_mb = batch.keep, _resident_mb()
    if keep is None or orders is None or memory_mb > keep.most_mb or _is_scarce():
        return None
    signal.setitimer(signal.ITIMER_PROF, 0)
    write_all(results, to_line(Ended(holds=document, holds_mb=memory_mb)))
    until = time.monotonic() + keep.seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([orders], [], [], min(left, _LOOK_S))[0]:
            break
        if _is_scarce():
            return None
    else:
        return None
    lines = LineBuffer()
    while data := os.read(orders, _CHUNK):
        if whole := lines.feed(data):
            signal.setitimer(signal.ITIMER_PROF, batch.max_seconds)
            return batch_of(whole[0])
    return None


_LOOK_S = 5.0
"""How often a child at rest looks whether memory has become scarce."""
MEMINFO = "/proc/meminfo"
_SCARCE = 0.05
"""Share of the machine's memory below which nothing is kept."""


def _resident_mb() -> int:
    """Return the memory that this process has; its peak where there is no /proc."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    except OSError:
        import resource  # not on Windows

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak >> (20 if sys.platform == "darwin" else 10)


def _is_scarce() -> bool:
    """Tell whether the machine is short of memory; unknown where there is no /proc."""
    try:
        with open(MEMINFO, "rb") as meminfo:
            sizes = {line.split()[0]: int(line.split()[1]) for line in meminfo}
    except OSError:
        return False
    return sizes.get(b"MemAvailable:", 1) < _SCARCE * sizes.get(b"MemTotal:", 1)


_ROOMY = 1 << 30
"""More than a process of ours has before it decodes anything."""


def _limit(max_memory_mb: int | None) -> None:
    """Bound the address space; no core files, which would hold the user's data."""
    import resource  # not on Windows

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

    def resting(self) -> list[Worker]:
        """Nothing is kept."""
        return []

    def keeps(self, document: str) -> bool:  # noqa: ARG002
        """Nothing is kept."""
        return False

    def drop(self, document: str) -> None:
        """Nothing is kept."""

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
        import ctypes  # Linux only, and late

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)
