"""Every failure raised on purpose, split by what the caller does about it.

The code is stable and travels to the host; the message is free text that says what to do next.
Anything else that escapes is a bug: it ends as a traceback, or as code ``internal`` in a worker.
"""

import errno
from typing import Literal

Code = Literal[
    "empty",
    "torn",
    "undecodable",
    "v2",
    "foreign",
    "too_large",
    "too_deep",
    "memory",
    "timeout",
    "crashed",
    "denied",
    "foreign_mirror",
    "disk_full",
    "read_only",
    "busy",
    "gone",
    "root",
    "locked",
    "protocol",
    "internal",
]


class SidecarError(Exception):
    """A failure with a stable code.

    Attributes:
        code: One of ``Code``; hosts branch on it.
        message: One line for people, with the next step.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message


class UsageError(SidecarError):
    """The command line or a setting makes no sense: say so and stop, exit 2."""

    def __init__(self, message: str) -> None:
        super().__init__("root", message)


class RootError(SidecarError):
    """A root folder cannot be used: stop, exit 3."""

    def __init__(self, message: str) -> None:
        super().__init__("root", message)


class LockedError(SidecarError):
    """Another process holds the lock: stop, exit 4.

    Attributes:
        holder_pid: The process that holds it, None when it did not say.
    """

    def __init__(self, message: str, holder_pid: int | None) -> None:
        super().__init__("locked", message)
        self.holder_pid = holder_pid


class DocumentUnavailableError(SidecarError):
    """The document is being written or is out of reach: keep the old mirror and try again soon."""


class DocumentUnusableError(SidecarError):
    """This version of the document will never decode: keep the old mirror and say so once."""


class MirrorUnavailableError(SidecarError):
    """The mirror's place is full, busy or read-only: keep the old mirror and retry slowly."""


class MirrorReplacedError(MirrorUnavailableError):
    """Another process was at the mirror meanwhile: look again and begin anew."""

    def __init__(self, message: str) -> None:
        super().__init__("busy", message)


class MirrorDamagedError(SidecarError):
    """The file at the mirror's place is not one of ours, or no longer whole: rebuild it."""


class ProtocolError(SidecarError):
    """A line on stdin is no command: answer it and go on."""

    def __init__(self, message: str) -> None:
        super().__init__("protocol", message)


def is_scarcity(error: BaseException) -> bool:
    """Tell whether the system had no descriptor, process or thread left, as it may have again."""
    if isinstance(error, OSError):
        return error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
    return isinstance(error, RuntimeError) and "start new thread" in str(error)
