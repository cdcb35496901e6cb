"""Bytes through pipes: every byte is written, and whole lines are read."""

import os
import select
from collections.abc import Iterable, Iterator


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, also where the other process made the pipe non-blocking.

    Raises:
        OSError: The reader is gone, or the disk is full.
    """
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


def read_chunks(descriptor: int, size: int = 1 << 16) -> Iterator[bytes]:
    """Read until the end, unbuffered: a buffered read in a daemon thread aborts the exit."""
    while data := os.read(descriptor, size):
        yield data


class LineBuffer:
    """Cuts a stream into lines; of too long ones only the beginning is kept.

    Attributes:
        rest: The line that has not ended yet.
    """

    def __init__(self, longest: int | None = None) -> None:
        """Begin; lines longer than ``longest`` bytes are cut there."""
        self.rest = b""
        self._longest = longest

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines that ended in them, without their ends."""
        *whole, rest = data.split(b"\n")
        lines: list[bytes] = []
        for part in whole:
            lines.append((self.rest + part)[: self._longest])
            self.rest = b""
        self.rest = (self.rest + rest)[: self._longest]
        return lines


def split_lines(chunks: Iterable[bytes], longest: int | None = None) -> Iterator[bytes]:
    """Cut a stream into lines, including an unfinished last one, without blank lines."""
    buffer = LineBuffer(longest)
    for chunk in chunks:
        yield from (line for line in buffer.feed(chunk) if line.strip())
    if buffer.rest.strip():
        yield buffer.rest
