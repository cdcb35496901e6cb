"""File events on Linux, straight from inotify. The only user of ctypes for it.

watchfiles wakes twenty times a second to look whether its other thread has heard something: 15 ms
of CPU in ten seconds at rest on a small machine, where nothing at all is asked for, and 50 to
100 ms until an event is heard. It also stops at a file name that is no UTF-8, hides the overflow
of the queue, and follows links out of the root when it watches recursively.
"""

import ctypes
import errno
import os
import select
import struct
from collections.abc import Iterable

from sidecar.service.hints import Hint

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_Q_OVERFLOW, _IGNORED = 0x4000, 0x8000
_ONLYDIR = 0x1000000
_MASK = (
    _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
    | _DELETE_SELF | _MOVE_SELF | _ONLYDIR
)  # fmt: skip
_HEADER = struct.Struct("iIII")
_CHUNK = 1 << 16
_RACED = (errno.ENOENT, errno.ENOTDIR, errno.EACCES)


class Inotify:
    """Watches folders, each for its own entries only."""

    def __init__(self) -> None:
        """Open a queue.

        Raises:
            OSError: The user has too many of them, or the system has none.
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._call("inotify_init1", os.O_CLOEXEC | os.O_NONBLOCK)
        self._woken = os.eventfd(0)
        self._folders: dict[int, str] = {}
        self._watches: dict[str, int] = {}
        self._poll = select.poll()
        self._poll.register(self._queue, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders and no others; ones that are gone again are left out.

        Every one is asked for anew: a folder that was replaced has a new watch under its old name.

        Returns:
            Whether one is watched that was not before: look again, it may have filled meanwhile.

        Raises:
            OSError: There are more folders than the user may watch.
        """
        before = self._watches
        self._watches = {}
        for folder in folders:
            watch = self._add(folder)
            if watch is not None:
                self._watches[folder] = watch
        self._folders = {watch: folder for folder, watch in self._watches.items()}
        for watch in set(before.values()) - set(self._watches.values()):
            self._libc.inotify_rm_watch(self._queue, watch)
        return any(before.get(folder) != watch for folder, watch in self._watches.items())

    def wait(self, seconds: float) -> set[Hint] | None:
        """Return what changed, nothing after ``seconds``, None when events were lost."""
        if not self._poll.poll(seconds * 1000):
            return set()
        try:
            data = os.read(self._queue, _CHUNK)
        except BlockingIOError:
            return set()
        return self._hints(data)

    def wake(self) -> None:
        """End a wait, now and for ever, from another thread."""
        os.eventfd_write(self._woken, 1)

    def close(self) -> None:
        """Give everything back."""
        os.close(self._queue)
        os.close(self._woken)

    def _hints(self, data: bytes) -> set[Hint] | None:
        hints: set[Hint] = set()
        position, lost = 0, False
        while position < len(data):
            watch, mask, _, length = _HEADER.unpack_from(data, position)
            position += _HEADER.size
            name = data[position : position + length].rstrip(b"\0")
            position += length
            folder = self._folders.get(watch)
            lost |= bool(mask & _Q_OVERFLOW)
            if folder is not None:
                hints.add(Hint(folder, os.fsdecode(name)))
            if folder is not None and mask & (_IGNORED | _MOVE_SELF):
                self._watches.pop(folder, None)
        return None if lost else hints

    def _add(self, folder: str) -> int | None:
        try:
            return self._call("inotify_add_watch", self._queue, os.fsencode(folder), _MASK)
        except OSError as error:
            if error.errno in _RACED:
                return None
            raise

    def _call(self, name: str, *arguments: object) -> int:
        result: int = getattr(self._libc, name)(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
        return result
