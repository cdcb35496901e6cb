"""The supervisor's side of the workers: start, feed, hear, replace and end them."""

import errno
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from sidecar.pipes import read_chunks, split_lines, write_all
from sidecar.workers.base import WALL, Worker
from sidecar.workers.messages import Batch, Ended, Message, message_of, to_line

Deliver = Callable[["ProcessWorker", Message | None], None]
Complain = Callable[[str, int], None]

MOST_WORKERS = 3
MOST_KEPT = 4
"""Workers that may keep a document beside those."""
LONG_S = 2.0
"""When all batches have run this long, another worker may take what waits behind them."""
_GRACE_S = 2.0
"""A worker ends its overdue batch by itself; one that does not within this is ended too."""
_STEP_S = 5.0
"""How often the time of busy workers is looked at. A look that comes later comes from a process
that was stopped, with its workers or as the machine slept: that time does not count."""
_BAD_START_S = (0.0, 1.0, 5.0, 30.0)

_LONGEST_LINE = 1000

log = logging.getLogger(__name__)


class ProcessWorker(Worker):
    """One worker process, and the thread that hears it.

    Must be made by a thread that lives as long as the process: see ``die_with_parent``.

    Attributes:
        worked: It has finished a batch.
    """

    def __init__(self, deliver: Deliver) -> None:
        """Start the process; ``deliver`` gets its messages, then None when it is gone.

        Raises:
            OSError: The system has no process, thread or descriptor left for it.
        """
        super().__init__()
        self.worked = False
        self._deliver = deliver
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=_environment(),
            start_new_session=True,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
        unheard = [(self._hear, self._process.stdout), (self._hear_errors, self._process.stderr)]
        try:
            while unheard:
                threading.Thread(target=unheard[0][0], name="worker", daemon=True).start()
                unheard.pop(0)
        except RuntimeError as error:
            self.kill()
            self._process.wait()
            for stream in (self._process.stdin, *(stream for _, stream in unheard)):
                _pipe(stream).close()
            raise OSError(errno.EAGAIN, str(error)) from error

    def start(self, batch: Batch) -> None:
        """Send it a batch. A worker that has died meanwhile says so through ``deliver``."""
        try:
            if self._process.stdin:
                write_all(self._process.stdin.fileno(), to_line(batch))
        except OSError as error:
            log.debug("a worker was gone before its batch came: %s", error)

    def kill(self) -> None:
        """End it at once; its batch's child dies with it, or with the end of its stdin."""
        self._process.kill()

    def retire(self) -> None:
        """Let it end by itself."""
        if self._process.stdin:
            self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the process.

        Raises:
            subprocess.TimeoutExpired: It is still there.
        """
        self._process.wait(seconds)

    def _hear(self) -> None:
        stream = _pipe(self._process.stdout)
        for line in split_lines(read_chunks(stream.fileno())):
            self._deliver(self, message_of(line))
        stream.close()
        self._process.wait()
        self._deliver(self, None)

    def _hear_errors(self) -> None:
        """Log what it writes to stderr: nothing but what Python says of a bug or of a bad start.

        It is always read, so that a reader of ours that stalls never stalls the worker.
        """
        stream = _pipe(self._process.stderr)
        for line in split_lines(read_chunks(stream.fileno()), _LONGEST_LINE):
            log.warning("worker %s: %s", self._process.pid, line.decode("utf-8", "replace"))
        stream.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for; the type of Popen cannot say that it is there."""
    if stream is None:
        raise TypeError
    return stream


class ProcessPool:
    """One worker at rest; a second and a third while documents wait behind long batches.

    One that keeps a document after its batch counts for itself, until it has kept it long enough.
    """

    def __init__(
        self,
        deliver: Deliver,
        complain: Complain = lambda _message, _retry_ms: None,
        *,
        keep_s: float = 0.0,
        keep_mb: int = 0,
    ) -> None:
        """Begin without a worker; ``hire`` starts the first.

        Args:
            deliver: Gets the workers' messages.
            complain: Told once when no worker can be started, with the wait until the next try.
            keep_s: How long a document is kept after its last batch.
            keep_mb: Memory for all that are kept.
        """
        self._keep_s = keep_s
        self._keep_mb = keep_mb
        self._deliver = deliver
        self._complain = complain
        self._workers: list[ProcessWorker] = []
        self._bad_starts = 0
        self._hire_at = 0.0
        self._refused = False
        self._looked_at = float("-inf")

    @property
    def busy(self) -> list[ProcessWorker]:
        """The workers that have a batch."""
        return [worker for worker in self._workers if worker.batch]

    def hire(self, now: float) -> None:
        """Keep one worker ready."""
        if not self._free_of_documents:
            self._start(now)

    @property
    def _free_of_documents(self) -> list[ProcessWorker]:
        """The workers that keep no document."""
        return [worker for worker in self._workers if worker.holds is None]

    def resting(self) -> list[Worker]:
        """Return the workers that keep a document and have no batch."""
        return [*self._kept]

    def keeps(self, document: str) -> bool:
        """Tell whether a worker keeps a document."""
        return any(worker.holds == document for worker in self._workers)

    def drop(self, document: str) -> None:
        """End the worker that keeps a document which is gone; its memory goes with it."""
        for worker in self._kept:
            if worker.holds == document:
                self._release(worker)

    def free(self, now: float) -> ProcessWorker | None:
        """Return a worker for a document that is due, None while it has to wait."""
        self.hire(now)
        workers = self._free_of_documents
        for worker in workers:
            if not worker.batch:
                return worker
        if len(workers) < MOST_WORKERS and now >= self._second_at():
            return self._start(now)
        return None

    def _start(self, now: float) -> ProcessWorker | None:
        """Start a worker; None when the system has no room for one, or had none a moment ago."""
        if now < self._hire_at:
            return None
        try:
            worker = ProcessWorker(self._deliver)
        except OSError as error:
            message = f"no worker can be started: {error.strerror}; see ulimit -a"
            log.warning("%s", message)
            self._wait_to_hire(now, _BAD_START_S[1])
            if not self._refused:
                self._complain(message, round((self._hire_at - now) * 1000))
            self._refused = True
            return None
        self._refused = False
        self._workers.append(worker)
        return worker

    def _wait_to_hire(self, now: float, least_s: float = 0.0) -> None:
        wait_s = _BAD_START_S[min(self._bad_starts, len(_BAD_START_S) - 1)]
        self._hire_at = now + max(wait_s, least_s)
        self._bad_starts += 1

    def next_check(self, *, waiting: bool) -> float | None:
        """Return when to look again if no message comes: see ``WorkerPool``."""
        times = [self._looked_at + _STEP_S] if self.busy else []
        times += [worker.since + LONG_S for worker in self.busy if len(worker.waiting_tasks) > 1]
        times += [worker.since + self._keep_s for worker in self._kept]
        workers = self._free_of_documents
        if waiting and not workers:
            times.append(self._hire_at)
        elif waiting and len(workers) < MOST_WORKERS:
            times.append(max(self._second_at(), self._hire_at))
        return min(times, default=None)

    def stuck(self, now: float) -> list[Worker]:
        """Return those that have been at one task for long, with others behind it."""
        crowded = [worker for worker in self.busy if len(worker.waiting_tasks) > 1]
        return [worker for worker in crowded if now >= worker.since + LONG_S]

    def end_overdue(self, now: float, max_seconds: float) -> None:
        """End the workers that have not ended an overdue task themselves."""
        for worker in self._kept:
            if now >= worker.since + self._keep_s:
                self._release(worker)
        stopped_s = now - self._looked_at - _STEP_S
        self._looked_at = now
        for worker in self.busy:
            if stopped_s > _GRACE_S:
                worker.since += stopped_s
            if now > worker.since + WALL * max_seconds + _GRACE_S:
                message = f"it took more than {WALL} times --max-seconds {max_seconds:g}"
                worker.end = Ended("timeout", message)
                worker.kill()

    def finish(self, worker: Worker, *, waiting: bool) -> None:
        """Note the end of a worker's batch; further workers leave when nothing waits."""
        worker.batch = None
        self._bad_starts = 0
        for process in self._workers:
            if process is worker:
                process.worked = True
                if process.holds is None:
                    self._thin_out(process, waiting=waiting)
                break
        kept = sorted(self._kept, key=lambda one: one.since)
        while len(kept) > MOST_KEPT or sum(one.holds_mb for one in kept) > self._keep_mb:
            self._release(kept.pop(0))

    @property
    def _kept(self) -> list[ProcessWorker]:
        """The workers at rest that keep a document."""
        return [w for w in self._workers if w.holds is not None and not w.batch]

    def _release(self, worker: ProcessWorker) -> None:
        """End a worker that keeps a document; its memory goes with it."""
        worker.holds = None
        self._workers.remove(worker)
        worker.retire()

    def _thin_out(self, worker: ProcessWorker, *, waiting: bool) -> None:
        if len(self._free_of_documents) > 1 and not waiting:
            self._workers.remove(worker)
            worker.retire()

    def lose(self, worker: Worker, now: float) -> None:
        """Note that a worker is gone, and replace it; slower when starting it does not work."""
        gone = [process for process in self._workers if process is worker]
        self._workers = [process for process in self._workers if process is not worker]
        if not all(process.worked for process in gone):
            self._wait_to_hire(now)
        self.hire(now)

    def dismiss(self, seconds: float) -> None:
        """End all workers: each ends its batch and clears up; one that takes too long is killed."""
        until = time.monotonic() + seconds
        for worker in self._workers:
            worker.retire()
        for worker in self._workers:
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()

    def _second_at(self) -> float:
        return max((worker.since for worker in self.busy), default=0.0) + LONG_S


def _command() -> list[str]:
    """Start a worker that imports nothing from the current folder (``-P``).

    This package is found where it was found here, but behind all others: its folder may be the
    current one.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "--sidecar-worker", str(os.getpid())]
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return [sys.executable, "-P", "-c", _START, home, str(os.getpid())]


_START = """import sys
sys.path.append(sys.argv[1])
from sidecar.workers.__main__ import main
main(int(sys.argv[2]))
"""


def _environment() -> dict[str, str]:
    """Return this process's environment, without the ways into the current folder.

    An empty entry of PYTHONPATH is the current folder: ``PYTHONPATH=$PYTHONPATH:/lib`` is one.
    """
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    if entries := environment.pop("PYTHONPATH", ""):
        kept = [entry for entry in entries.split(os.pathsep) if os.path.normpath(entry) != "."]
        environment["PYTHONPATH"] = os.pathsep.join(kept)
    return environment
