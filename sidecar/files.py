"""Files by path: which version one is, how long it has rested, how its name is shown."""

import os
import stat
import sys
import time

Signature = tuple[int, int, int, int, int]
"""Device, inode, size, mtime and ctime: compared for equality, but for ``service.quiet``."""


SIZE, MTIME_NS, CTIME_NS = 2, 3, 4
"""Where they stand in it."""


def signature(path: str) -> Signature | None:
    """Name the version of a file on disk; None when it is no regular file or not there."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def shown(path: str) -> str:
    """Return a path as text: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")


def version_of(found: os.stat_result) -> str:
    """Name one version of a file. Times are only ever compared for equality."""
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def version_on_disk(path: str) -> str | None:
    """Name the version of the file that is in place now, None when there is none."""
    try:
        return version_of(os.stat(path))
    except OSError:
        return None


_Version = tuple[int, int, int, int]


def _version(path: str) -> _Version | None:
    try:
        seen = os.stat(path)
    except FileNotFoundError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


_CHANGED = {"win32": MTIME_NS}.get(sys.platform, CTIME_NS)
"""ctime cannot be set; on Windows it is the time of creation."""


def quiet_s(version: Signature) -> float:
    """Return the seconds since a file was changed, negative when that cannot be told."""
    return time.time() - version[_CHANGED] / 1e9
