"""What the supervisor and its workers say to each other: one JSON line each, no I/O.

JSON and not pickle: a worker has read hostile bytes, and nothing it answers may run code in the
supervisor. The standard library's, because paths carry surrogate escapes, which msgspec refuses.
"""

import json
from typing import Any, Literal

import msgspec

from sidecar.errors import Code
from sidecar.model import Options, Source


class Task(msgspec.Struct, frozen=True):
    """One call of one of the worker's functions.

    Attributes:
        function: What is to be done.
        source: With which document.
        force: For ``sync``, as are the two that follow.
        known: As above.
        settled: As above.
        arguments: For the functions of commands, by name; JSON.
    """

    function: Literal["sync", "status", "verify", "inspect", "history", "restore"]
    source: Source
    force: bool = False
    known: str | None = None
    settled: bool = False
    arguments: dict[str, Any] = {}


class Job(msgspec.Struct, frozen=True):
    """Tasks for one process, done in order until one of them was heavy.

    Attributes:
        max_memory_mb: Address space for them beyond what the process has; None for no limit.
        max_seconds: For each task.
    """

    tasks: tuple[Task, ...]
    options: Options
    max_memory_mb: int | None
    max_seconds: float


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The result of the next task, as builtins.

    Attributes:
        cost_s: CPU seconds of it.
    """

    result: Any
    cost_s: float


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The job is over. Tasks without an answer were not done, or died with it.

    Attributes:
        code: Why the first task without an answer failed; None when it was only not begun.
        message: The same for people.
        killed: Somebody else ended it: worth another try.
        errors: The end of what it wrote to stderr.
    """

    code: Code | None = None
    message: str = ""
    killed: bool = False
    errors: str = ""


Message = Answer | Ended


def to_line(value: Job | Message) -> bytes:
    """Return one line of ASCII."""
    return json.dumps(msgspec.to_builtins(value)).encode("ascii") + b"\n"


def job_of(line: bytes) -> Job:
    """Read a job back."""
    return msgspec.convert(json.loads(line), Job)


def message_of(line: bytes) -> Message:
    """Read an answer back."""
    message: Message = msgspec.convert(json.loads(line), Message)
    return message
