"""What goes to stderr, from a thread of its own: a reader that stalls or is gone stalls nothing."""

import io
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec

ROOM = 1000
"""Lines that may wait for a reader; later ones are counted and left out."""
_MOST_TEXTS = 1000
_FORGOTTEN_S = 600.0
"""A warning that was not repeated for so long is printed again."""


class _Repeat(msgspec.Struct):
    """How often one text came, and when it came last."""

    times: int
    last: float


class Repeats:
    """Which lines are said: each once, then when it has come 10, 100, 1000 ... times. No clock."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._seen: OrderedDict[str, _Repeat] = OrderedDict()

    def said(self, text: str, now: float) -> str | None:
        """Return a line with its count if it was said before; None to leave it out.

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
    """Stands in the place of ``sys.stderr``. Writing to it never blocks and never fails."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Start the writer.

        Args:
            write: May block for ever, and is never called twice after it has raised OSError.
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
        """Take text, as much as there is room for."""
        with self._changed:
            if len(self._waiting) < ROOM:
                self._waiting.append(text)
            else:
                self._left_out += text.count("\n")
            self._changed.notify_all()
        return len(text)

    def finish(self, seconds: float) -> None:
        """Send what waits, for at most this long, and end."""
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
                self._write = None  # its reader is gone: nobody hears the rest

    def _take(self) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            text, left_out = "".join(self._waiting), self._left_out
            self._waiting.clear()
            self._left_out = 0
            if left_out:
                text += f"epicenter-sidecar: {left_out} lines were left out: nobody read stderr\n"
            return text
