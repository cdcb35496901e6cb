"""How far a piece of work has come: one line on stderr, where that is a terminal.

No colour and no thread: a thread beside ``fork`` may deadlock, so on POSIX an interval timer draws
the line, and elsewhere each step does. Weights are bytes of documents, as one of a hundred may take
longer than all others. Of the document at work it is guessed how much is done, by the pace so far.
"""

import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sidecar.commands.terminal import HABITS, is_capable, terminal_width
from sidecar.files import shown, version_of
from sidecar.model import Source

_FIRST_S, _EVERY_S = 0.7, 0.2
"""What takes less shows nothing."""
_MOST_GUESSED = 0.95
"""Of a document that is at work."""
_LEAST_BYTES = 20_000
"""What the smallest document weighs: it costs a process of its own all the same."""
_PACE = {"Syncing": 15e6, "Comparing": 1.5e6}
_OTHER_PACE = 8e6
"""Bytes a second on one core of a small machine, until there is a pace of this run."""
_MINUTE_S = 60


class Progress:
    """The way of one piece of work; this one shows nothing."""

    def step(self, document: str | None = None) -> None:
        """A document is done: the one of this path as it is shown, or the next one."""

    def hide(self) -> None:
        """Take the line away for others to write."""


class ProgressLine(Progress):
    """A line that is drawn again and again.

    Args:
        what: The work, in a few words.
        sources: The documents it is done with.
    """

    def __init__(self, what: str, sources: Sequence[Source], began: float | None = None) -> None:
        """Begin, or have begun at a moment of the monotonic clock; nothing is drawn yet."""
        self._what = what
        self._left = {shown(source.document): _weight(source) for source in sources}
        self._count = len(self._left)
        self._total = sum(self._left.values()) or 1
        self._done = 0
        self._began = self._stepped = time.monotonic() if began is None else began
        self._is_drawn = False

    def step(self, document: str | None = None) -> None:
        """Count a document as done."""
        name = document if document in self._left else next(iter(self._left), None)
        self._done += self._left.pop(name, 0) if name else 0
        self._stepped = time.monotonic()

    def draw(self) -> None:
        """Write the line over itself."""
        if time.monotonic() - self._began >= _FIRST_S:
            text = self.text(time.monotonic())[: terminal_width() - 1]
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._is_drawn = True

    def hide(self) -> None:
        """Clear the line."""
        if self._is_drawn:
            self._is_drawn = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def text(self, now: float) -> str:
        """Return what the line says at a moment: percent, documents, pace and time left."""
        elapsed = max(now - self._began, 1e-3)
        pace = self._done / max(self._stepped - self._began, 1e-3) if self._done else 0.0
        pace = pace or _PACE.get(self._what.split()[0], _OTHER_PACE)
        at_work = max(self._left.values(), default=0)
        done = self._done + min(at_work * _MOST_GUESSED, (now - self._stepped) * pace)
        share = max(0.001, min(done / self._total, 0.99))
        parts = [self._what, f"{share:.0%}"]
        if self._count > 1:
            parts.append(f"{self._count - len(self._left)} of {self._count}")
        parts.append(f"{done / elapsed / 1e6:.1f} MB/s")
        return "  ".join([*parts, f"about {_duration(elapsed * (1 - share) / share)} left"])


@contextmanager
def progress(what: str, sources: Sequence[Source], *, is_shown: bool = True) -> Generator[Progress]:
    """Show how far work with documents has come, from about a second on.

    Args:
        what: The work, in a few words.
        sources: The documents; each is a step.
        is_shown: Whether somebody may want to see it.
    """
    if not is_shown or HABITS.is_quiet or not sys.stderr.isatty() or not is_capable():
        yield Progress()
        return
    line = ProgressLine(what, sources)
    HABITS.lines.append(line.hide)
    try:
        with _timer(line):
            yield line
    finally:
        line.hide()
        HABITS.lines.remove(line.hide)


@contextmanager
def _timer(line: ProgressLine) -> Generator[None]:
    if sys.platform == "win32":
        yield
        return

    def draw(_signal: int, _frame: FrameType | None) -> None:
        line.draw()

    before: Any = signal.signal(signal.SIGALRM, draw)
    signal.setitimer(signal.ITIMER_REAL, _FIRST_S, _EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _weight(source: Source) -> int:
    version = version_of(source.document)
    return max(version.size if version else 0, _LEAST_BYTES)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{max(1, round(seconds))} s"
    return f"{seconds // _MINUTE_S:.0f} min {seconds % _MINUTE_S:02.0f} s"
