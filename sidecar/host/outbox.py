"""Sends events to the host from its own thread, so that a slow reader does not stop syncing."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from sidecar.host.protocol import Event, RebuiltEvent, UnchangedEvent, merge

ROOM = 10_000
"""When so many events wait, no more commands are read until the host has read them."""
_STALLED_S = 1.0


class Outbox:
    """Queue of events to the host, in order; waiting ones are merged."""

    def __init__(self, render: Callable[[Event], bytes], write: Callable[[bytes], None]) -> None:
        """Start the writer.

        Args:
            render: Returns the bytes of an event; empty bytes to leave it out.
            write: Writes bytes. It may block for ever. After it has raised OSError it is not called
                again.
        """
        self._render = render
        self._write = write
        self._waiting: dict[object, tuple[float, Event]] = {}
        """Since when each waits. Events that merge have type and document as their key."""
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Send an event, stamped with the present time. Never blocks."""
        event = stamped(event)
        with self._changed:
            key: object = object()
            if isinstance(event, (RebuiltEvent, UnchangedEvent)):
                key = (type(event), event.path)
                event = _merged(self._waiting.pop(key, None), event)
            self._waiting[key] = (time.monotonic(), event)
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Block while too many events wait. For the thread that reads commands."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < ROOM or self._closing)

    def close(self, seconds: float) -> None:
        """Send the waiting events, for at most this many seconds, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while batch := self._take():
            stalled = time.monotonic() - _STALLED_S
            for since, event in batch:
                if not isinstance(event, UnchangedEvent) or since > stalled:
                    self._send(event)

    def _take(self) -> list[tuple[float, Event]]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            batch, self._waiting = self._waiting, {}
            self._changed.notify_all()
            return list(batch.values())

    def _send(self, event: Event) -> None:
        line = self._render(event)
        try:
            if line:
                self._write(line)
        except OSError:
            self._write = _discard


def _merged(earlier: tuple[float, Event] | None, event: Event) -> Event:
    """Merge an event with the one of its kind that waits for the same document."""
    if earlier and isinstance(earlier[1], RebuiltEvent) and isinstance(event, RebuiltEvent):
        return merge(earlier[1], event)
    return event


def stamped(event: Event) -> Event:
    """Return an event with the present time."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return msgspec.structs.replace(event, time=now)


def _discard(_: bytes) -> None:
    """Drop the bytes: the reader has closed the pipe."""
