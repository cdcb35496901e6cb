"""Locks that die with their holder: one per root, one per document. The only user of OS locks.

Lock files are in the user's state folder, never beside the data. A lock belongs to the open file,
so the system releases it when the holder dies, in whatever way. A root's lock file contains the
holder's pid, for messages. The file is removed on release. So after locking, the open file is
compared with the one at the path: another process may have removed it between open and lock.
"""

import errno
import hashlib
import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from sidecar.errors import LockedError, MirrorUnavailableError, RootError, SidecarError

_POLL_S = 0.05
_PID_BYTES = 20
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)

if sys.platform == "win32":
    import msvcrt

    _LOCK_OFFSET = 1 << 30  # the locked byte cannot be read by others, the pid must be

    def try_lock(descriptor: int) -> bool | None:
        """Take the system's lock on an open file; False when another process holds it."""
        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool | None:
        """Take the system's lock on an open file; it ends when the file is closed.

        Returns:
            False when another process holds it, None where the file system has no locks.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise
        return True


@contextmanager
def lock(
    state_folder: str, kind: str, path: str, *, keep_waiting: Callable[[], bool] = lambda: False
) -> Generator[None]:
    """Hold the lock of one thing while the context lasts.

    Args:
        state_folder: Where lock files live; made when missing.
        kind: ``root`` or ``document``.
        path: What is locked; links in it are resolved, so that one thing has one lock.
        keep_waiting: Called each time another process holds the lock; False gives up.

    Raises:
        LockedError: Another process holds it.
        MirrorUnavailableError: The disk of the state folder is full, or no descriptor is free.
        RootError: The state folder cannot be used.
    """
    try:
        file = _lock_file(state_folder, kind, path)
        descriptor = _acquire(file, kind, path, keep_waiting)
        if kind == "root":  # not for documents: writing and freeing the block is most of the time
            _sign(descriptor)
    except OSError as error:
        raise _state_error(state_folder, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(file)
        os.close(descriptor)


def _lock_file(state_folder: str, kind: str, path: str) -> str:
    real = os.path.normcase(os.path.realpath(path))
    name = hashlib.sha256(os.fsencode(real)).hexdigest()[:32]
    folder = os.path.join(state_folder, "locks")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, f"{kind}-{name}.lock")


def _acquire(file: str, kind: str, path: str, keep_waiting: Callable[[], bool]) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        holder: int | None = None
        try:
            if try_lock(descriptor) is not False:
                if _is_at(descriptor, file):
                    descriptor, held = -1, descriptor
                    return held
                continue
            holder = _holder(descriptor)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        if not keep_waiting():
            raise LockedError(_message(kind, path, holder), holder)
        time.sleep(_POLL_S)


def _sign(descriptor: int) -> None:
    """Write our pid into the file, for messages; ignore a full disk."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())


def _is_at(descriptor: int, file: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _PID_BYTES)
    return int(text) if text.isdigit() else None


def _message(kind: str, path: str, holder: int | None) -> str:
    if kind != "root":
        return f"{path} is being synced by another process; try again when that is done"
    who = f"process {holder}" if holder else "another process"
    return f"{path} is held by {who}; stop it first, or wait for it with --wait-lock"


def _state_error(state_folder: str, error: OSError) -> SidecarError:
    text = f"the state folder {state_folder} cannot be used: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MirrorUnavailableError("disk_full", text)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return MirrorUnavailableError("busy", text)
    return RootError(f"{text}; name another with --state-dir")
