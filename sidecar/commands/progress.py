"""Progress of a command: one line on stderr, if that is a terminal.

No thread: a thread beside ``fork`` may deadlock. So on POSIX an interval timer draws the line, and
elsewhere each step does. Documents count by their size, because one may take longer than a hundred
others. The progress within the present document is estimated from the speed so far.
"""

import math
import signal
import sys
import time
from collections.abc import Generator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sidecar.commands.terminal import HABITS, is_capable, terminal_width
from sidecar.files import shown, version_of
from sidecar.model import Source

_FIRST_S, _EVERY_S = 0.7, 0.2
"""Time before the first line, and between two: shorter work shows nothing."""
_MOST_GUESSED = 0.95
"""Largest estimated part of the present document."""
_LEAST_KNOWN = 0.2
"""Part of the work from which on its pace is known; small documents tell little of large ones."""
_LEAST_BYTES = 50_000
"""Least weight of a document: even a small one needs its own process."""
_PACE = {"Syncing": 8e6, "Comparing": 1.5e6}
_OTHER_PACE = 8e6
"""Bytes a second on one core of a small machine; used until this run has its own speed."""
_MINUTE_S = 60


class Progress:
    """Progress of some work; this class shows nothing."""

    def step(self, document: str | None = None) -> None:
        """Count a document as done: the one with this shown path, or the next one."""

    def hide(self) -> None:
        """Clear the line, so that others can write."""


class ProgressLine(Progress):
    """Progress that draws a line on stderr.

    Args:
        what: The work, in a few words.
        sources: The documents.
    """

    def __init__(self, what: str, sources: Sequence[Source], began: float | None = None) -> None:
        """Begin now or at ``began`` of the monotonic clock, without drawing."""
        self._what = what
        self._left = {shown(source.document): _weight(source) for source in sources}
        self._count = len(self._left)
        self._total = sum(self._left.values()) or 1
        self._done = 0
        self._began = self._stepped = time.monotonic() if began is None else began
        self._share = 0.001
        self._first: tuple[float, int] | None = None
        """When the first document was done, and its weight."""
        self._is_drawn = False

    def step(self, document: str | None = None) -> None:
        """Count a document as done."""
        name = document if document in self._left else next(iter(self._left), None)
        self._done += self._left.pop(name, 0) if name else 0
        self._stepped = time.monotonic()
        self._first = self._first or (self._stepped, self._done)

    def keep(self, documents: AbstractSet[str]) -> None:
        """Count as done all documents but these."""
        for name in [name for name in self._left if name not in documents]:
            self.step(name)

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
        """Return the text of the line at a time: percent, documents, speed and time left."""
        pace = self._pace()
        of_left = max if self._first else min  # large documents come last
        at_work = of_left(self._left.values(), default=0)
        here = (now - self._stepped) * pace
        if self._done < self._total * _LEAST_KNOWN and at_work:
            here = at_work * -math.expm1(-here / at_work)  # slower and slower, never at its end
        done = self._done + min(at_work * _MOST_GUESSED, here)
        self._share = max(self._share, min(done / self._total, 0.99))
        spent = self._done / pace + now - self._stepped
        left = spent * (1 - self._share) / self._share
        parts = [self._what, f"{self._share:.0%}"]
        if self._count > 1:
            parts.append(f"{self._count - len(self._left)} of {self._count}")
        parts.append(f"{done / max(spent, 1e-3) / 1e6:.1f} MB/s")
        return "  ".join([*parts, f"about {_duration(left)} left"])

    def _pace(self) -> float:
        """Return the bytes a second so far; what came before the first document is mostly start."""
        usual = _PACE.get(self._what.split()[0], _OTHER_PACE)
        if self._first is None:
            return usual
        since, weight = self._first
        pace = self._done / max(self._stepped - self._began, 1e-3)
        if self._stepped > since:
            pace = max(pace, (self._done - weight) / (self._stepped - since))
        is_known = self._done >= self._total * _LEAST_KNOWN
        return max(pace if is_known else min(pace, usual), 1.0)


@contextmanager
def progress(what: str, sources: Sequence[Source], *, is_shown: bool = True) -> Generator[Progress]:
    """Show the progress of work with documents, if it takes more than about a second.

    Args:
        what: The work, in a few words.
        sources: The documents; each is a step.
        is_shown: Whether to show it at all.
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
