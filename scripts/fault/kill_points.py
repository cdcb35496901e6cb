"""Where a sync can be killed: every call that touches the disk, every step, every line.

A ``Killer`` is told of each point in turn, and ends its own process with SIGKILL at the one that
was asked for; a ``Failer`` lets the call that follows fail. ``arm`` puts points before and after
each named step of the flow, each call of the operating system that changes a file or waits for the
disk, and each of SQLite's own writes.
"""

import errno
import functools
import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

import apsw

import sidecar
from sidecar.mirror.build import Candidate
from sidecar.mirror.in_place import Journal, Pages
from sidecar.mirror.patch import Patch
from sidecar.tasks import sync as flow

SYSTEM_CALLS = ("open", "read", "readv", "fsync", "fchmod", "chmod", "unlink", "replace")
STEPS = ("sweep", "read_mirror", "read_stable", "keep_last_good", "publish")
CONTEXTS = ("lock", "decoded")
WRITES = ((Pages, "put"), (Journal, "add"), (Journal, "seal"))
"""What writes a mirror in place, besides SQLite."""
HOME = os.path.dirname(sidecar.__file__)  # noqa: PTH120 - compared with the names of code objects
CALLS = (*SYSTEM_CALLS, *(name for _, name in WRITES))
"""What can fail, and is no write of SQLite's."""


class Killer:
    """Counts points, and kills its process at one of them.

    Attributes:
        seen: The labels of the points so far.
        kept: What must live as long as this.
    """

    def __init__(self, at: int | None) -> None:
        """Prepare to kill at point number ``at``, counted from 0; never when it is None."""
        self._at = at
        self.seen: list[str] = []
        self.kept: list[object] = []

    def point(self, label: str) -> None:
        """Pass a point, or end here."""
        here = len(self.seen) == self._at
        self.seen.append(label)
        if here:
            self.end(label)

    def end(self, label: str) -> None:
        """Do what was asked for at the chosen point."""
        del label
        os.kill(os.getpid(), signal.SIGKILL)

    def around(self, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give a function with a point before it and one after it."""

        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.point(f"before {label}")
            result = function(*arguments, **named)
            self.point(f"after {label}")
            return result

        return wrapped

    def inside(
        self, label: str, function: Callable[..., AbstractContextManager[Any]]
    ) -> Callable[..., AbstractContextManager[Any]]:
        """Give a context manager with points around its entry and its exit."""

        @contextmanager
        def wrapped(*arguments: Any, **named: Any) -> Generator[Any]:
            self.point(f"before {label}")
            with function(*arguments, **named) as value:
                self.point(f"after {label}")
                yield value
            self.point(f"after leaving {label}")

        return wrapped


class Failer(Killer):
    """Lets one call to the disk fail instead of killing."""

    def __init__(self, at: int | None, number: int) -> None:
        """Prepare to fail at point number ``at`` with this ``errno``."""
        super().__init__(at)
        self._number = number

    def end(self, label: str) -> None:
        """Raise what the call before which this stands would raise.

        Raises:
            OSError: From a call of the operating system.
            apsw.Error: From SQLite's own.
        """
        when, _, call = label.partition(" ")
        if when != "before":
            return
        if call.startswith("SQLite"):
            full = self._number in (errno.ENOSPC, errno.EDQUOT)
            raise (apsw.FullError if full else apsw.IOError)(os.strerror(self._number))
        if call in CALLS:
            raise OSError(self._number, os.strerror(self._number))


def arm(killer: Killer, *, refuse_rename: bool = False) -> None:
    """Put the points into this process, for good.

    Args:
        killer: Is told of each point.
        refuse_rename: Behave as Windows does while a reader holds the mirror open.
    """
    for name in SYSTEM_CALLS:
        if hasattr(os, name):
            setattr(os, name, killer.around(name, getattr(os, name)))
    for name in STEPS:
        setattr(flow, name, killer.around(name, getattr(flow, name)))
    for name in CONTEXTS:
        setattr(flow, name, killer.inside(name, getattr(flow, name)))
    for kind, name in WRITES:
        setattr(kind, name, killer.around(name, getattr(kind, name)))
    for name in ("fill", "finish"):
        setattr(Candidate, name, killer.around(name, getattr(Candidate, name)))
    Patch.fill = killer.around("fill", Patch.fill)  # type: ignore[method-assign]
    if refuse_rename:
        refuse_renames()
    else:
        _publish_by(os.replace)
    killer.kept.append(_Disk(killer))


def arm_lines(killer: Killer) -> None:
    """Put a point before every line of the program that is run, and nowhere else."""

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(HOME):
            return None
        if event == "line":
            killer.point(f"{path[len(HOME) + 1 :]}:{frame.f_lineno}")
        return trace

    sys.settrace(trace)


def refuse_renames() -> None:
    """Let this process take the Windows road from now on: a mirror in place cannot be replaced."""
    # the waits for a refused rename would only cost time here
    time.sleep = _at_once  # type: ignore[assignment]  # its stub admits int-likes too
    _publish_by(_refused)


def _publish_by(replace: Callable[[str, str], None]) -> None:
    publish = "publish"
    setattr(flow, publish, functools.partial(getattr(flow, publish), replace=replace))


def _at_once(_seconds: float) -> None:
    """Do not sleep."""


def _refused(source: str, target: str) -> None:
    if os.path.exists(target):  # noqa: PTH110 - surrogate-escaped str
        raise PermissionError(13, "another program holds the file")
    os.rename(source, target)  # noqa: PTH104 - surrogate-escaped str


class _Disk(apsw.VFS):
    """SQLite's way to the disk, with a point around each of its writes. Becomes the default."""

    def __init__(self, killer: Killer) -> None:
        self._killer = killer
        self._base = apsw.vfs_names()[0]
        super().__init__("killer", self._base, True)  # noqa: FBT003 - the default from now on

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802, FBT001 - SQLite's name
        self._killer.point("before SQLite's delete")
        super().xDelete(name, sync)
        self._killer.point("after SQLite's delete")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _DiskFile(self._killer, self._base, name, flags)


class _DiskFile(apsw.VFSFile):
    """One of SQLite's files."""

    def __init__(self, killer: Killer, base: str, name: Any, flags: list[int]) -> None:
        self._killer = killer
        super().__init__(base, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._killer.point("before SQLite's write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._killer.point("before SQLite's sync")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._killer.point("before SQLite's truncate")
        super().xTruncate(size)
