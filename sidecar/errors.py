"""Every failure raised on purpose, split by what the caller does about it.

The code is stable and is sent to the host; the message is free text and contains the next step.
Any other exception is a bug: it ends as a traceback, or as code ``internal`` in a worker.
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
        word: What ``--json`` has for a code, where a mistake of the caller is no fault of ours.
    """

    word: str | None = None

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message


class UsageError(SidecarError):
    """The command line or a setting is not valid: report it and stop, exit 2."""

    word = "usage"

    def __init__(self, message: str) -> None:
        super().__init__("root", message)


class RootError(SidecarError):
    """A root folder cannot be used: stop, exit 3."""

    def __init__(self, message: str) -> None:
        super().__init__("root", message)


class LockedError(SidecarError):
    """Another process holds the lock: stop, exit 4.

    Attributes:
        holder_pid: The process that holds it, None when that is not known.
    """

    def __init__(self, message: str, holder_pid: int | None) -> None:
        super().__init__("locked", message)
        self.holder_pid = holder_pid


class DocumentUnavailableError(SidecarError):
    """The document is being written or cannot be read now: keep the old mirror and retry soon."""


class DocumentUnusableError(SidecarError):
    """This version of the document cannot be decoded: keep the old mirror and report it once."""


class MirrorUnavailableError(SidecarError):
    """The mirror's place is full, busy or read-only: keep the old mirror and retry slowly."""


class MirrorReplacedError(MirrorUnavailableError):
    """Another process replaced the mirror during the sync: start the sync again."""

    def __init__(self, message: str) -> None:
        super().__init__("busy", message)


class MirrorDamagedError(SidecarError):
    """The file at the mirror's place is not one of ours, or no longer whole: rebuild it."""


class ProtocolError(SidecarError):
    """A line on stdin is not a command: reply with the error and go on."""

    def __init__(self, message: str) -> None:
        super().__init__("protocol", message)


def is_scarcity(error: BaseException) -> bool:
    """Return whether the system had no free descriptor, process or thread, which may pass."""
    if isinstance(error, OSError):
        return error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
    return isinstance(error, RuntimeError) and "start new thread" in str(error)
