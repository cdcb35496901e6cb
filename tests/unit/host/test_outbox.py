"""The outbox: events in order, merged while they wait, and a slow reader."""

import os
import threading

import pytest

from sidecar.host import outbox as room
from sidecar.host.outbox import Outbox
from sidecar.host.protocol import (
    Collapsed,
    DocEvent,
    Event,
    FailedEvent,
    Pong,
    RebuiltEvent,
    UnchangedEvent,
)
from sidecar.pipes import write_all
from tests.support.waiting import wait_until


class Reader:
    """A reader that can be stopped: the write blocks until it continues."""

    def __init__(self) -> None:
        """Begin reading at once."""
        self.lines: list[bytes] = []
        self.writing = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def write(self, line: bytes) -> None:
        """Take a line, unless stopped."""
        self.writing.set()
        assert self.go.wait(30)
        self.lines.append(line)


def name(event: Event) -> bytes:
    """Render an event as its type, its document and what changed."""
    parts = [str(event.__struct_config__.tag)]
    if isinstance(event, DocEvent):
        parts.append(event.path)
    if isinstance(event, RebuiltEvent):
        parts += event.changed
    return " ".join(parts).encode()


def rebuilt(path: str, *changed: str) -> RebuiltEvent:
    """Make an event of a rebuild."""
    return RebuiltEvent(
        workspace=None,
        epoch=None,
        path=path,
        reason="changed",
        changed=list(changed),
        removed=[],
        rows=0,
        problems=0,
        warm=False,
        regressed=False,
        ms=0,
    )


def unchanged(path: str) -> UnchangedEvent:
    """Make an event of an equal document."""
    return UnchangedEvent(workspace=None, epoch=None, path=path, reason="bytes")


@pytest.fixture
def reader() -> Reader:
    """Return a reader that reads."""
    return Reader()


@pytest.fixture
def outbox(reader: Reader) -> Outbox:
    """Return an outbox that writes to the reader."""
    return Outbox(name, reader.write)


def stall(outbox: Outbox, reader: Reader) -> None:
    """Stop the reader in the middle of a line."""
    reader.go.clear()
    outbox.put(Pong())
    assert reader.writing.wait(30)


def let_go(outbox: Outbox, reader: Reader) -> list[bytes]:
    """Let the reader read to the end."""
    reader.go.set()
    outbox.close(30)
    return reader.lines


def test_a_reader_that_keeps_up_gets_everything(outbox: Outbox, reader: Reader) -> None:
    """In order, each with its time."""
    for number, event in enumerate([rebuilt("/a", "t"), unchanged("/a"), rebuilt("/a", "u")]):
        outbox.put(event)
        wait_until(lambda n=number: len(reader.lines) > n, "the line")  # type: ignore[misc]
    assert let_go(outbox, reader) == [b"rebuilt /a t", b"unchanged /a", b"rebuilt /a u"]


def test_waiting_rebuilds_of_a_document_merge(outbox: Outbox, reader: Reader) -> None:
    """A thousand rebuilds that are not read become one, with everything that changed."""
    stall(outbox, reader)
    for number in range(1000):
        outbox.put(rebuilt("/a", f"t{number % 3}"))
        outbox.put(rebuilt("/b", "u"))
    assert let_go(outbox, reader)[1:] == [b"rebuilt /a t0 t1 t2", b"rebuilt /b u"]


def test_a_merged_rebuild_follows_its_collapse(outbox: Outbox, reader: Reader) -> None:
    """`collapsed` is sent before its `rebuilt`, also when that is merged with an earlier one."""
    collapsed = Collapsed(
        workspace=None, epoch=None, path="/a", rows_before=1, kept="/k", rows=0, why=""
    )
    stall(outbox, reader)
    for event in (rebuilt("/a", "t"), collapsed, rebuilt("/a", "u")):
        outbox.put(event)
    assert let_go(outbox, reader)[1:] == [b"collapsed /a", b"rebuilt /a t u"]


def test_what_must_be_read_is_kept(outbox: Outbox, reader: Reader) -> None:
    """Failures and replies wait, each of them."""
    failed = FailedEvent(code="torn", message="", retry_ms=None)
    stall(outbox, reader)
    for event in (failed, Pong(), failed, Pong()):
        outbox.put(event)
    assert let_go(outbox, reader)[1:] == [b"failed", b"pong", b"failed", b"pong"]


def test_unchanged_does_not_wait_for_a_stalled_reader(
    outbox: Outbox, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old `unchanged` is dropped."""
    monkeypatch.setattr(room, "_STALLED_S", 0.0)
    stall(outbox, reader)
    for path in ("/a", "/b", "/a"):
        outbox.put(unchanged(path))
    assert let_go(outbox, reader)[1:] == []


def test_the_end_does_not_wait_for_a_stalled_reader(outbox: Outbox, reader: Reader) -> None:
    """Closing gives up after its time; the writer is a daemon."""
    stall(outbox, reader)
    outbox.close(0.01)
    assert reader.lines == []
    reader.go.set()


def test_nothing_is_written_after_a_broken_pipe() -> None:
    """The first refusal is the last write."""
    calls: list[bytes] = []

    def refuse(line: bytes) -> None:
        calls.append(line)
        raise BrokenPipeError

    outbox = Outbox(name, refuse)
    outbox.put(Pong())
    wait_until(lambda: calls, "the write")
    outbox.put(Pong())
    outbox.close(30)
    assert calls == [b"pong"]


def test_commands_wait_while_nobody_reads(
    outbox: Outbox, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that sends commands and never reads cannot fill the memory."""
    monkeypatch.setattr(room, "ROOM", 2)
    stall(outbox, reader)
    outbox.put(Pong())
    outbox.put(Pong())
    waiter = threading.Thread(target=outbox.wait_for_room)
    waiter.start()
    waiter.join(0.05)
    assert waiter.is_alive()
    let_go(outbox, reader)
    waiter.join(30)
    assert not waiter.is_alive()


@pytest.mark.skipif(os.name != "posix", reason="a pipe is made so only where there is poll")
def test_a_non_blocking_pipe_gets_every_byte() -> None:
    """Hosts may use a pipe in non-blocking mode; the writer waits for a full one."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = os.urandom(1 << 20)

    def write() -> None:
        write_all(writing, data)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    got = bytearray()
    while part := os.read(reading, 1 << 16):
        got += part
    writer.join()
    os.close(reading)
    assert got == data
