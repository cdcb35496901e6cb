"""Writes stderr from its own thread, so that a slow or closed reader does not stop the program."""

import io
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec

ROOM = 1000
"""Most lines that wait for a reader; further lines are counted and dropped."""
_MOST_TEXTS = 1000
_FORGOTTEN_S = 600.0
"""After so long without a repetition, a warning is printed again."""


class _Repeat(msgspec.Struct):
    """How often a text was logged, and when last."""

    times: int
    last: float


class Repeats:
    """Decides which lines are printed: the first, then the 10th, 100th, 1000th ... repetition."""

    def __init__(self) -> None:
        """Begin without any line."""
        self._seen: OrderedDict[str, _Repeat] = OrderedDict()

    def said(self, text: str, now: float) -> str | None:
        """Return the line to print, with its count if it is a repetition; None to leave it out.

        Args:
            text: The line.
            now: Seconds of a monotonic clock.
        """
        before = self._seen.pop(text, None)
        fresh = before is None or now - before.last > _FORGOTTEN_S
        repeat = _Repeat(1, now) if before is None or fresh else _Repeat(before.times + 1, now)
        self._seen[text] = repeat
        if len(self._seen) > _MOST_TEXTS:
            self._seen.popitem(last=False)
        if repeat.times == 1:
            return text
        is_round = repeat.times == 10 ** (len(str(repeat.times)) - 1)
        return f"{text} ({repeat.times} times by now)" if is_round else None


class Stderr(io.TextIOBase):
    """Replaces ``sys.stderr``. Writing to it never blocks and never fails."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Start the writer.

        Args:
            write: Writes text. It may block for ever. After it has raised OSError it is not called
                again.
        """
        super().__init__()
        self._write: Callable[[bytes], None] | None = write
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Queue text; drop lines for which there is no room."""
        if not text:  # as by print(..., end=""); for the writer an empty text is the end
            return 0
        with self._changed:
            if len(self._waiting) < ROOM:
                self._waiting.append(text)
            else:
                self._left_out += text.count("\n")
            self._changed.notify_all()
        return len(text)

    def finish(self, seconds: float) -> None:
        """Write the waiting lines, for at most this many seconds, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while text := self._take():
            try:
                if self._write:
                    self._write(text.encode("utf-8", "backslashreplace"))
            except OSError:
                self._write = None  # the reader has closed it: drop the rest

    def _take(self) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            text, left_out = "".join(self._waiting), self._left_out
            self._waiting.clear()
            self._left_out = 0
            if left_out:
                text += f"epicenter-sidecar: {left_out} lines were left out: stderr was not read\n"
            return text
