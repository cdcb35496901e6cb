"""Files by path: which version one is, how long it has rested, how its name is shown."""

import errno
import os
import stat
import sys
import time
from typing import NamedTuple


class FileVersion(NamedTuple):
    """One version of a file. Compared for equality, but for ``rested_s``."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, seen: os.stat_result) -> "FileVersion":
        """Name the version that a ``stat`` has seen."""
        return cls(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def version_of(path: str) -> FileVersion | None:
    """Name the version of a file on disk; None when it is not there or no regular file."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return FileVersion.of(seen) if stat.S_ISREG(seen.st_mode) else None


def rested_s(version: FileVersion) -> float:
    """Return the seconds since a file was changed, negative when that cannot be known.

    The one use of a file's times but for equality: file events are heard late, and what is heard
    may be over. A clock that jumps, or a server's that is another one, makes a debounce shorter by
    the lag of the events, or longer by itself, and no more. ctime cannot be set; on Windows it is
    the time of creation.
    """
    changed_ns = version.mtime_ns if sys.platform == "win32" else version.ctime_ns
    return time.time() - changed_ns / 1e9


def reason_of(error: OSError) -> str:
    """Say why something cannot be read, and what to do about it."""
    text = error.strerror or str(error)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{text}; raise the limit of open files, see ulimit -n"
    return f"{text}; check its permissions" if isinstance(error, PermissionError) else text


def is_below(path: str, folder: str) -> bool:
    """Tell by its name whether a path lies in a folder, at any depth."""
    return path.startswith(os.path.join(folder, ""))


def shown(path: str) -> str:
    """Return a path as text: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")
