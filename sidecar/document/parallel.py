"""Walk the rows on two cores: a forked helper walks the later part and sends its chunks back.

The walk is as dear as the decode and holds the interpreter's lock, so a thread would not help; a
fork after the decode shares the document without a copy. What the helper sends is what the walk
would have given, and whatever it fails to send is walked here: with or without it the mirror is
the same, byte for byte.
"""

import os
import select
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NoReturn, Self

import msgspec

from sidecar.model import ROWS_PER_CHUNK, Chunk, Table

LEAST_CELLS = 100_000
"""Below this the fork costs more than it saves."""

_OWN_SHARE = 0.5
"""Part of each table that is walked here. Inserting it and the rest takes about as long as the
helper's walk and the measuring of the document at its end."""

_HEADER = struct.Struct("<iI")
_ACCOUNT = -1
_PIPE_BYTES = 1 << 20

_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(Chunk).decode


def is_worthwhile(tables: Sequence[Table]) -> bool:
    """Tell whether a helper would save time: a second core, a fork, and enough cells."""
    return (
        hasattr(os, "fork")
        and (os.cpu_count() or 1) > 1
        and sum(table.rows * (len(table.fields) + 1) for table in tables) >= LEAST_CELLS
    )


class Helper:
    """A forked process that walks the later part of every table, in their order.

    Use as a context: leaving it ends the process.
    """

    def __init__(self, tables: Sequence[Table], account: Callable[[], int]) -> None:
        """Fork the helper.

        Args:
            tables: The tables, ready to be walked.
            account: Measures the document once the rows are sent; see ``account``.
        """
        self._tables = tables
        self._measure = account
        self._buffer = bytearray()
        self._waiting: dict[int, list[bytes]] = {}
        self._ended = False
        self._pipe, write = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._pipe)  # so that writing fails when the parent is gone
            _help(tables, account, write, parent)
        os.close(write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def shared(self) -> list[Table]:
        """Give the tables again, with chunks that come from both processes."""
        return [
            msgspec.structs.replace(table, chunks=self._chunks_of(index))
            for index, table in enumerate(self._tables)
        ]

    def account(self) -> int:
        """Give what the helper measured, or measure it here if it could not say."""
        message = self._next(_ACCOUNT)
        return self._measure() if message is None else int.from_bytes(message, "little")

    def _chunks_of(self, index: int) -> Callable[[int, int | None], Iterator[Chunk]]:
        table = self._tables[index]

        def chunks(_first: int = 0, _last: int | None = None) -> Iterator[Chunk]:
            done = _own_chunks(table)
            for chunk in table.chunks(0, done):
                yield chunk
                self._drain()
            while (message := self._next(index)) is not None:
                if not message:
                    return
                yield _decode(message)
                done += 1
            yield from table.chunks(done, None)

        return chunks

    def _next(self, index: int) -> bytes | None:
        """Give the next message of one table, waiting for it; None when none will come."""
        while not self._waiting.get(index):
            if self._ended:
                return None
            self._read()
        return self._waiting[index].pop(0)

    def _drain(self) -> None:
        """Take what the helper has sent so far, so that it need not wait for us."""
        while not self._ended and select.select([self._pipe], [], [], 0)[0]:
            self._read()

    def _read(self) -> None:
        data = os.read(self._pipe, _PIPE_BYTES)
        self._ended = not data
        self._buffer += data
        position = 0
        while len(self._buffer) - position >= _HEADER.size:
            index, size = _HEADER.unpack_from(self._buffer, position)
            end = position + _HEADER.size + size
            if end > len(self._buffer):
                break
            message = bytes(self._buffer[position + _HEADER.size : end])
            self._waiting.setdefault(index, []).append(message)
            position = end
        del self._buffer[:position]


def _own_chunks(table: Table) -> int:
    return round(table.rows / ROWS_PER_CHUNK * _OWN_SHARE)


def _help(tables: Sequence[Table], account: Callable[[], int], pipe: int, parent: int) -> NoReturn:
    """Be the helper: send the later chunks of all tables, an empty message behind each table's.

    Nothing of the parent's is cleaned up here; a failure only means that the parent walks itself.
    """
    try:
        _widen(pipe)
        for index, table in enumerate(tables):
            for chunk in table.chunks(_own_chunks(table), None):
                _send(pipe, index, _encode(chunk))
                if os.getppid() != parent:
                    break
            _send(pipe, index, b"")
        _send(pipe, _ACCOUNT, account().to_bytes(8, "little"))
    finally:
        os._exit(0)


def _send(pipe: int, index: int, message: bytes) -> None:
    data = memoryview(_HEADER.pack(index, len(message)) + message)
    while data:
        data = data[os.write(pipe, data) :]


def _widen(pipe: int) -> None:
    """Let the helper run ahead; a narrow pipe only makes it wait."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return
