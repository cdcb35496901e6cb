"""Files of our own beside a mirror's place, which no other process takes for its own.

Processes that build one mirror may share no lock: other state folders, other users, containers,
two ``--out`` to one file. So each makes a file with a name that nobody else has,
``.MIRROR.RANDOM.tmp``, and holds the system's lock on it until it is renamed. Whoever gets that
lock knows that the builder is gone and may remove the file; where there are no locks a file goes
when it is an hour old.
"""

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sidecar.errors import MirrorReplacedError
from sidecar.files import FileVersion
from sidecar.locks import try_lock
from sidecar.mirror.sqlite_files import remove, remove_journals

SUFFIX = ".tmp"
_RANDOM_BYTES = 6
_LONGEST_NAME = 200
"""Bytes of the mirror's name that are used; file systems take 255 in all."""
_REST = re.compile(rf"[0-9a-f]{{{2 * _RANDOM_BYTES}}}\.tmp")
_ABANDONED_S = 3600.0
_WINDOWS = os.name == "nt"


class Temporary:
    """A file being made for a mirror's place. It holds an OS lock from ``create`` to ``discard``.

    Attributes:
        path: The file, an empty text before ``create``.
    """

    def __init__(self, target: str) -> None:
        """Prepare one beside ``target``, the place that it is made for."""
        self.path = ""
        self._target = target
        self._descriptor: int | None = None

    def create(self, mode: int) -> None:
        """Make the file, empty and only as open as ``mode``, and lock it.

        Raises:
            OSError: It cannot be made.
        """
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
        while self._descriptor is None:
            self.path = _new_path(self._target)
            descriptor = os.open(self.path, flags, mode)
            # a sweep may have looked at the file before it was locked
            if try_lock(descriptor) is not False and _is_at(descriptor, self.path):
                self._descriptor = descriptor
            else:
                os.close(descriptor)
        if hasattr(os, "fchmod"):
            os.fchmod(self._descriptor, mode | 0o600)

    def empty(self) -> None:
        """Take everything out of the file."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)

    def make_ready(self) -> None:
        """Make sure that the path still names this file, just before it is renamed.

        Raises:
            MirrorReplacedError: Another process has removed it.
        """
        if self._descriptor is None or not _is_at(self._descriptor, self.path):
            message = f"{self.path} was removed by another process before it was published"
            raise MirrorReplacedError(message)
        if _WINDOWS:  # an open file cannot be renamed there, nor could anybody remove it
            os.close(self._descriptor)
            self._descriptor = None

    def version(self) -> FileVersion | None:
        """Name this version of the file, None if it is still here under its own name or closed."""
        if self._descriptor is None or os.path.lexists(self.path):
            return None
        return FileVersion.of(os.fstat(self._descriptor))

    def discard(self) -> None:
        """Remove the file, unless it was renamed, and let go of the lock.

        Raises:
            OSError: It cannot be removed.
        """
        if not self.path:
            return
        path, self.path = self.path, ""
        descriptor, self._descriptor = self._descriptor, None
        try:
            is_ours = descriptor is None or _is_at(descriptor, path)
            if _WINDOWS and descriptor is not None:
                os.close(descriptor)
                descriptor = None
            if is_ours:
                remove_journals(path)
                remove(path)
        finally:
            if descriptor is not None:
                os.close(descriptor)


def sweep(folder: str, targets: Sequence[str]) -> None:
    """Remove the files that killed processes left in a folder. Anybody may do that.

    Args:
        folder: The folder.
        targets: The places in it that the files were made for.
    """
    for path in _left_in(folder, targets):
        with suppress(OSError):
            _remove_if_abandoned(path)


def _new_path(target: str) -> str:
    folder = os.path.dirname(target)
    return os.path.join(folder, _prefix(target) + os.urandom(_RANDOM_BYTES).hex() + SUFFIX)


def _prefix(target: str) -> str:
    name = os.fsencode(os.path.basename(target))[:_LONGEST_NAME]
    return f".{os.fsdecode(name)}."


def _left_in(folder: str, targets: Sequence[str]) -> Iterator[str]:
    try:
        names = [name for name in os.listdir(folder) if name.endswith(SUFFIX)]
    except OSError:
        return
    prefixes = [_prefix(target) for target in targets] if names else []
    for name in names:
        if any(_is_random(name, prefix) for prefix in prefixes):
            yield os.path.join(folder, name)


def _is_random(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and bool(_REST.fullmatch(name, len(prefix)))


def _remove_if_abandoned(path: str) -> None:
    """Remove a file unless somebody is at work on it.

    Raises:
        OSError: It is gone, or may not be opened.
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return
    if _WINDOWS:  # where an open file cannot be removed, that is the lock
        remove(path)
        return
    descriptor = _open(path)
    try:
        locked = try_lock(descriptor)
        if locked is None:
            locked = time.time() - os.fstat(descriptor).st_mtime > _ABANDONED_S
        if locked and _is_at(descriptor, path):
            remove_journals(path)
            remove(path)
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    """Open a file for its lock, which on network file systems takes the right to write."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, os.O_RDWR | flags)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
