"""What the supervisor and its workers say to each other: one JSON line each, no I/O.

JSON and not pickle: a worker has read hostile bytes, and nothing it answers may run code in the
supervisor. The standard library's, because paths carry surrogate escapes, which msgspec refuses.
"""

import json
from typing import Any, Generic, Literal, TypeVar

import msgspec

from sidecar.errors import Code
from sidecar.model import Failed, Memory, Options, Rebuilt, Restored, Source, Unchanged
from sidecar.reports import History, Inspection, Status, Verification

T = TypeVar("T")


class Task(msgspec.Struct, frozen=True):
    """One call of one of the functions of ``tasks``.

    Attributes:
        function: Which one.
        source: With which document.
        arguments: What else it takes, by name; JSON.
        memory: What a watch remembers of the document, for those that take it.
    """

    function: Literal["sync", "status", "verify", "inspect", "history", "restore"]
    source: Source
    arguments: dict[str, Any] = {}
    memory: Memory | None = None


class Keep(msgspec.Struct, frozen=True):
    """How a worker may keep the document that it synced last, so that its next edit is cheap.

    Attributes:
        seconds: After the last edit.
        most_mb: Memory that its process may have then.
        min_bytes: Smaller documents are not kept.
    """

    seconds: float
    most_mb: int
    min_bytes: int


class Batch(msgspec.Struct, frozen=True):
    """Tasks for one process, done in order until one of them was heavy.

    Attributes:
        keep: Whether the process may live on with the document; None when it may not.
        max_memory_mb: Address space for them beyond what the process has; None for no limit.
        max_seconds: CPU seconds for each task.
    """

    tasks: tuple[Task, ...]
    options: Options
    max_memory_mb: int | None
    max_seconds: float
    keep: Keep | None = None


class Reported(msgspec.Struct, Generic[T], frozen=True):
    """What a task of a command that looks gives; the tag says which."""

    report: T


class StatusAnswer(Reported[Status], frozen=True, tag="status"):
    """Of ``status``."""


class VerifyAnswer(Reported[Verification], frozen=True, tag="verify"):
    """Of ``verify``."""


class InspectAnswer(Reported[Inspection], frozen=True, tag="inspect"):
    """Of ``inspect``."""


class HistoryAnswer(Reported[History], frozen=True, tag="history"):
    """Of ``history``."""


class RestoreAnswer(Reported[Restored], frozen=True, tag="restore"):
    """Of ``restore``."""


Result = (
    Unchanged
    | Rebuilt
    | Failed
    | StatusAnswer
    | VerifyAnswer
    | InspectAnswer
    | HistoryAnswer
    | RestoreAnswer
)
"""What a task gives: the outcome of a sync, a failure of any task, or what it reports."""


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The result of the next task.

    Attributes:
        cost_s: CPU seconds of it.
    """

    result: Result
    cost_s: float


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The batch is over. Tasks without an answer were not done, or died with it.

    Attributes:
        code: Why the first task without an answer failed; None when it was only not begun.
        message: The same for people.
        passing: No fault of the document's, as when somebody else ended it: worth another try.
        errors: The end of what it wrote to stderr.
        holds: Path of the document that the process keeps, None when it keeps none.
        holds_mb: Memory that it has.
    """

    code: Code | None = None
    message: str = ""
    passing: bool = False
    errors: str = ""
    holds: str | None = None
    holds_mb: int = 0


Message = Answer | Ended


def to_line(value: Batch | Message) -> bytes:
    """Return one line of ASCII."""
    return json.dumps(msgspec.to_builtins(value)).encode("ascii") + b"\n"


def batch_of(line: bytes) -> Batch:
    """Read a batch back."""
    return msgspec.convert(json.loads(line), Batch)


def message_of(line: bytes) -> Message:
    """Read an answer back."""
    message: Message = msgspec.convert(json.loads(line), Message)
    return message
