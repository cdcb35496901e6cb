"""How far the first pass of ``watch`` has come: a line below the events, on the same terminal.

Events are written by a thread of their own, so this line is too, under one lock with them: what is
drawn is taken away before an event is written. ``progress`` draws by a timer, which only a process
without threads can do.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from sidecar.commands.progress import ProgressLine
from sidecar.commands.terminal import HABITS, is_capable, terminal_width
from sidecar.discovery import discover
from sidecar.errors import SidecarError
from sidecar.host import protocol
from sidecar.host.protocol import Event
from sidecar.model import Source
from sidecar.settings import Settings

_FIRST_S, _EVERY_S = 0.7, 0.2
"""A pass that takes less shows nothing."""
_CLEAR = b"\r\x1b[K"

_ENDS = (protocol.RebuiltEvent, protocol.UnchangedEvent, protocol.FailedEvent)
"""How a sync of a document may end."""

Write = Callable[[bytes], None]


class FirstPass:
    """Stands between events and the terminal until ``ready``.

    Args:
        settings: Which documents there are.
        write: Writes to the terminal.
    """

    def __init__(self, settings: Settings, write: Write) -> None:
        """Begin; nothing is drawn yet."""
        self._settings = settings
        self._write = write
        self._writing = threading.Lock()
        self._done: SimpleQueue[str] = SimpleQueue()
        self._is_over = threading.Event()
        self._is_drawn = False
        threading.Thread(target=self._draw_on, name="first pass", daemon=True).start()

    def hear(self, event: Event) -> None:
        """Count a document as done; with ``ready`` or the end of the process, all are. No wait."""
        if isinstance(event, protocol.Ready | protocol.Stopped):
            self._is_over.set()
        elif isinstance(event, _ENDS) and isinstance(event.path, str):
            self._done.put(event.path)

    def write(self, line: bytes) -> None:
        """Write the line of an event in the place of what is drawn."""
        with self._writing:
            self._write(_CLEAR + line if self._is_drawn else line)
            self._is_drawn = False

    def _draw_on(self) -> None:
        if self._is_over.wait(_FIRST_S):
            return
        line = ProgressLine("Syncing", self._sources(), began=time.monotonic() - _FIRST_S)
        while not self._is_over.wait(_EVERY_S):
            while not self._done.empty():
                line.step(self._done.get())
            text = line.text(time.monotonic())[: terminal_width() - 1]
            with self._writing:
                self._write(_CLEAR + text.encode("utf-8", "replace"))
                self._is_drawn = True
        self.write(b"")

    def _sources(self) -> list[Source]:
        with suppress(SidecarError):  # the watcher says what is wrong with the roots
            return list(discover(self._settings.roots, self._settings.selection).sources.values())
        return []


def first_pass(settings: Settings, write: Write) -> FirstPass | None:
    """Return what shows the first pass, None where nobody would see it."""
    is_seen = os.isatty(1) and is_capable() and not HABITS.is_quiet
    return FirstPass(settings, write) if is_seen else None
