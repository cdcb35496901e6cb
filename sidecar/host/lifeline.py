"""What can stop this process (signals, stdin, stdout, parent), and the commands on stdin.

Each function starts a thread and returns at once. The thread calls the callbacks.
"""

import os
import select
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator

from sidecar.errors import UsageError
from sidecar.host.protocol import LONGEST_LINE, StopReason
from sidecar.pipes import split_lines

Stop = Callable[[StopReason], None]

_CHUNK = 1 << 16
_ECHO_S = 0.05
"""A repeated signal within this time counts once: ``timeout`` signals a process and its group."""


def watch_signals(stop: Stop) -> None:
    """Stop on SIGTERM, SIGINT and SIGHUP; a second signal ends the process at once.

    A SIGHUP that is ignored at the start stays ignored, for ``nohup``. An ignored SIGINT does not:
    shells start background jobs with it ignored, and somebody who sends it wants the job to stop.

    The interpreter's own handler writes the signal's number to a pipe, and a thread reads it. A
    handler in Python would only run in the main thread, which may be waiting for a lock.
    """
    reading, writing = os.pipe()
    if os.name == "posix":
        os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            continue
        signal.signal(number, lambda _number, _frame: None)

    def run() -> None:
        first, heard = os.read(reading, 1), time.monotonic()
        stop("signal")
        while (number := os.read(reading, 1)) == first and time.monotonic() - heard < _ECHO_S:
            pass
        os._exit(128 + number[0])  # the workers end at the end of their stdin

    threading.Thread(target=run, name="signals", daemon=True).start()


def watch_stdin(
    mode: str, hear: Callable[[bytes], None], wait_for_room: Callable[[], None], stop: Stop
) -> None:
    """Read commands, line by line; the end of stdin stops.

    Args:
        mode: ``auto`` reads a pipe or a socket and leaves a terminal, a file and /dev/null
            alone; ``on`` reads whatever it is; ``off`` nothing.
        hear: Gets each line.
        wait_for_room: Called before each read.
        stop: Called at the end.
    """
    if mode == "off" or (mode == "auto" and not _is_pipe(0)):
        return

    def run() -> None:
        for line in split_lines(_chunks(wait_for_room), LONGEST_LINE + 1):
            hear(line)
        stop("stdin")

    threading.Thread(target=run, name="stdin", daemon=True).start()


def watch_stdout(stop: Stop) -> None:
    """Stop when the reader of stdout closes it, also while there is nothing to write (POSIX)."""
    if os.name != "posix" or not _is_pipe(1):
        return

    def run() -> None:
        poll = select.poll()
        poll.register(1, select.POLLERR | select.POLLHUP)
        poll.poll()
        stop("stdout")

    threading.Thread(target=run, name="stdout", daemon=True).start()


def watch_parent(pid: int, stop: Stop) -> None:
    """Stop when a process ends: by pidfd on Linux, by psutil elsewhere.

    Raises:
        UsageError: The system cannot report the end of a process.
    """
    waits = _pidfd_wait(pid) if sys.platform == "linux" else _psutil_wait(pid)

    def run() -> None:
        waits()
        stop("parent")

    threading.Thread(target=run, name="parent", daemon=True).start()


def _chunks(wait_for_room: Callable[[], None]) -> Iterator[bytes]:
    """Read stdin unbuffered: a buffered read in a daemon thread aborts the interpreter's exit."""
    while True:
        wait_for_room()
        try:
            data = os.read(0, _CHUNK)
        except BlockingIOError:
            select.select([0], [], [])
            continue
        except OSError:
            return
        if not data:
            return
        yield data


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _pidfd_wait(pid: int) -> Callable[[], object]:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return lambda: None
    except OSError as error:
        message = f"--parent-pid needs pidfd, which this system refuses: {error.strerror}"
        raise UsageError(message) from error
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll


def _psutil_wait(pid: int) -> Callable[[], object]:
    import psutil  # noqa: PLC0415 - late, and not on Linux

    try:
        return psutil.Process(pid).wait
    except psutil.NoSuchProcess:
        return lambda: None
