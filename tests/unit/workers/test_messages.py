"""What the supervisor and its workers send survives the way: one line of ASCII each."""

import pytest

from sidecar.discovery import source_of
from sidecar.model import Failed, Options, Unchanged
from sidecar.workers.messages import (
    Answer,
    Batch,
    Ended,
    Keep,
    Message,
    Task,
    batch_of,
    message_of,
    to_line,
)

ODD = source_of("/app/workspaces/w\udcff 表\n/0/workspace.yjs")


def test_a_batch_arrives_as_it_was_sent() -> None:
    """Paths may hold bytes that are no UTF-8, and line breaks."""
    tasks = (Task("sync", ODD, {"force": True}), Task("verify", ODD))
    batch = Batch(tasks, Options("/state", fts=("*",)), 500, 60.0, Keep(5.0, 100, 1000))
    line = to_line(batch)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert batch_of(line) == batch


@pytest.mark.parametrize(
    "message",
    [
        Answer(Unchanged("bytes", "d1"), 0.1),
        Answer(Failed("busy", "x\udcff", "retry"), 0.0),
        Ended(),
        Ended("crashed", "SIGSEGV", errors="\x1b[0m", holds=ODD.document, holds_mb=3),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    """Of whatever type: the tag says which."""
    assert message_of(to_line(message)) == message
