"""An end to what takes too long, also where SQLite does not listen.

SQLite asks now and then whether it shall go on, and so time limits and Ctrl-C end most queries.
It does not ask inside one function: a LIKE with many wildcards over a long text may take hours.
So a thread watches the clock too, and ends the process where nothing else did.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import apsw

_STEPS = 20_000
"""Between two questions of SQLite: some 0.2 ms."""
_GRACE_S = 1.0
_LOOK_S = 0.2
INTERRUPTED = 130


class TooLongError(Exception):
    """A query took longer than it may."""


class Clock:
    """Counts the time in which SQLite works; the reader of the answer may take its own.

    Attributes:
        seconds: What it may take.
    """

    def __init__(self, seconds: float) -> None:
        """Stand still, at nothing."""
        self.seconds = seconds
        self._spent = 0.0
        self._since: float | None = None

    def run(self) -> None:
        """SQLite works from now on."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """SQLite has given a row, or its last one."""
        since, self._since = self._since, None
        if since is not None:
            self._spent += time.monotonic() - since

    @property
    def left(self) -> float:
        """The seconds that are left, negative when there are none."""
        since = self._since
        running = 0.0 if since is None else time.monotonic() - since
        return self.seconds - self._spent - running

    def watch(self, connection: apsw.Connection) -> None:
        """Have SQLite ask whether it shall go on."""
        connection.set_progress_handler(self._is_over, _STEPS)

    def _is_over(self) -> bool:
        return self.left < 0


@contextmanager
def last_resort(clock: Clock, too_long: Callable[[], int]) -> Generator[None]:
    """End this process when neither the clock nor Ctrl-C did: for a command, not for a library.

    Args:
        clock: Of the query.
        too_long: Says that it took too long, and gives the exit code.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    is_done = threading.Event()

    def guard() -> None:
        while not is_done.is_set():
            ready, _, _ = select.select([ours], [], [], _LOOK_S)
            if ready and signal.SIGINT in os.read(ours, 64) and not is_done.wait(_GRACE_S):
                os._exit(INTERRUPTED)
            if clock.left < -_GRACE_S and not is_done.is_set():
                os._exit(too_long())

    before = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    thread = threading.Thread(target=guard, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        signal.set_wakeup_fd(before)
        os.write(theirs, b"\0")
        thread.join()
        os.close(ours)
        os.close(theirs)
