"""Files by path: their version, the time since the last change, their name as text."""

import errno
import os
import stat
import sys
import time
from typing import NamedTuple


class FileVersion(NamedTuple):
    """One version of a file. Only compared for equality, except in ``rested_s``."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, seen: os.stat_result) -> "FileVersion":
        """Return the version from the result of a ``stat``."""
        return cls(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def version_of(path: str) -> FileVersion | None:
    """Return the version of a file; None when it does not exist or is not a regular file."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return FileVersion.of(seen) if stat.S_ISREG(seen.st_mode) else None


def rested_s(version: FileVersion) -> float:
    """Return the seconds since a file was changed, negative when that cannot be known.

    The only place that uses file times for more than equality: file events arrive late, and the
    writes that they report may have ended. If the clock jumps or a file server has another clock,
    one debounce is at most as much shorter as the events were late, or up to one debounce longer.
    ctime is used because programs cannot set it; on Windows ctime is the time of creation.
    """
    changed_ns = version.mtime_ns if sys.platform == "win32" else version.ctime_ns
    return time.time() - changed_ns / 1e9


def reason_of(error: OSError) -> str:
    """Return why a file or folder cannot be read, and what to do about it."""
    text = error.strerror or str(error)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{text}; raise the limit of open files, see ulimit -n"
    return f"{text}; check its permissions" if isinstance(error, PermissionError) else text


def is_below(path: str, folder: str) -> bool:
    """Return whether a path lies in a folder, at any depth, by comparing names only."""
    return path.startswith(os.path.join(folder, ""))


def shown(path: str) -> str:
    """Return a path as text: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")
