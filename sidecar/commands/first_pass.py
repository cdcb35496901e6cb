"""Progress of the first pass of ``watch``: a line below the events, on the same terminal.

Events are written by their own thread, so this line is too, under the same lock: it is cleared
before an event is written. ``progress`` draws by an interval timer, which needs a process without
threads.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sidecar.commands.progress import ProgressLine
from sidecar.commands.terminal import HABITS, is_capable, terminal_width
from sidecar.discovery import discover
from sidecar.errors import SidecarError
from sidecar.files import shown
from sidecar.host import protocol
from sidecar.host.protocol import Event
from sidecar.model import Source
from sidecar.settings import Settings

_FIRST_S, _EVERY_S = 0.7, 0.2
"""Time before the first line, and between two: a shorter pass shows nothing."""
_CLEAR = b"\r\x1b[K"

Write = Callable[[bytes], None]


class FirstPass:
    """Writes events and progress to the terminal until ``ready``.

    Args:
        settings: The roots and the selection of documents.
        write: Writes to the terminal.
    """

    def __init__(self, settings: Settings, write: Write) -> None:
        """Begin without drawing."""
        self._settings = settings
        self._write = write
        self._writing = threading.Lock()
        self._is_over = threading.Event()
        self._is_drawn = False

    def begin(self, waiting: Callable[[], set[str] | None]) -> None:
        """Draw from now on; ``waiting`` says which documents are not done, None at first.

        Events would not do: what is in step has none.
        """
        draw = threading.Thread(target=self._draw_on, args=(waiting,), daemon=True)
        draw.start()

    def hear(self, event: Event) -> None:
        """End the progress by ``ready`` or ``stopped``."""
        if isinstance(event, protocol.Ready | protocol.Stopped):
            self._is_over.set()

    def write(self, line: bytes) -> None:
        """Clear the progress and write the line of an event."""
        with self._writing:
            self._write(_CLEAR + line if self._is_drawn else line)
            self._is_drawn = False

    def _draw_on(self, waiting: Callable[[], set[str] | None]) -> None:
        if self._is_over.wait(_FIRST_S):
            return
        line = ProgressLine("Syncing", self._sources(), began=time.monotonic() - _FIRST_S)
        while not self._is_over.wait(_EVERY_S):
            left = waiting()
            if left is not None:
                line.keep({shown(document) for document in frozenset(left)})
            text = line.text(time.monotonic())[: terminal_width() - 1]
            with self._writing:
                self._write(_CLEAR + text.encode("utf-8", "replace"))
                self._is_drawn = True
        self.write(b"")

    def _sources(self) -> list[Source]:
        with suppress(SidecarError):  # the watcher logs what is wrong with the roots
            return list(discover(self._settings.roots, self._settings.selection).sources.values())
        return []


def first_pass(settings: Settings, write: Write) -> FirstPass | None:
    """Return the progress of the first pass, None where stdout is not a terminal."""
    is_seen = os.isatty(1) and is_capable() and not HABITS.is_quiet
    return FirstPass(settings, write) if is_seen else None
