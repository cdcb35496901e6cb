"""The files of a mirror: their names, how SQLite opens them, and what their failures mean."""

import errno
import os
import stat
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import apsw

from sidecar.errors import Code, MirrorUnavailableError, SidecarError
from sidecar.mirror.header import HEADER_BYTES

JOURNALS = ("-journal", "-wal", "-shm")
JOURNAL_HEADER_BYTES = 28
"""What SQLite reads of a journal's first sector (file format, 3); the rest may hold anything."""
OWN_JOURNAL = b"epicenter-sidecar"
"""Comes after it in the journals of mirrors that we write in place."""
BUSY_MS = 1000
READER_BUSY_MS = 5000
"""How long a reader waits for a mirror that is being written in place."""
_LONG_PATH = 480
"""SQLite has room for 512 bytes, with our name for an unfinished mirror and that of its journal."""

_REFUSALS = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.PermissionsError,
)
"""What the world may do to SQLite; its other errors are bugs of ours."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./~")
_IN_URI = [chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256)]
_WINDOWS = sys.platform == "win32"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CROWDED = (errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.ETXTBSY)


def connect(
    path: str, *, flags: int, immutable: bool = False, locks: bool = True
) -> apsw.Connection:
    """Open a database by URI, so that paths need not be UTF-8.

    Args:
        path: Absolute path, surrogate-escaped.
        flags: ``apsw.SQLITE_OPEN_*``.
        immutable: Take no locks and read no journal: for files that nobody writes.
        locks: Whether SQLite locks the file. Not for one on which we hold a lock of our own: on
            macOS the two exclude each other.
    """
    suffix = "?immutable=1" if immutable else "" if locks else "?nolock=1"
    return apsw.Connection(uri_of(path) + suffix, flags=flags | apsw.SQLITE_OPEN_URI)


def uri_of(path: str) -> str:
    """Return a database's path as a URI for SQLite."""
    name = _quote(os.fsencode(path.replace("\\", "/") if _WINDOWS else path))
    return ("file:///" if _WINDOWS else "file:") + name


def _quote(path: bytes) -> str:
    """Escape a path for a URI; ``urllib.parse`` takes 3 ms to import, in every start."""
    return "".join(map(_IN_URI.__getitem__, path))


def open_reader(path: str, header: bytes | None = None) -> apsw.Connection:
    """Open a published mirror for reading, and wait for one that is being written in place.

    All that is read of it belongs to one state, which lasts until the connection is closed.

    One that somebody else put into WAL mode is read as it stands: SQLite would make two files
    beside it, and a reader of ours makes none.

    Args:
        path: The mirror.
        header: Its first bytes, where they have just been read: a fifth of a small mirror's time.
    """
    if not os.path.isfile(path):
        message = f"{path} is no regular file"
        raise apsw.CantOpenError(message)
    if undo_half_written(path) or header is None:
        header = header_of(path)
    connection = connect(path, flags=apsw.SQLITE_OPEN_READONLY, immutable=_is_of_wal_mode(header))
    connection.set_busy_timeout(READER_BUSY_MS)
    connection.execute("BEGIN")
    return connection


def undo_half_written(path: str) -> bool:
    """Let SQLite undo what a killed sync has left half done in a mirror written in place.

    A journal of any other program is left where it is: readers write nothing, and the next sync
    builds that mirror again.

    Returns:
        Whether there was a journal of ours.

    Raises:
        apsw.Error: It is damaged, or may not be written.
        OSError: The journal cannot be read.
    """
    check_journals(path)
    try:
        with open(path + JOURNALS[0], "rb") as file:
            header = file.read(JOURNAL_HEADER_BYTES + len(OWN_JOURNAL))
    except FileNotFoundError:
        return False
    is_ours = header.endswith(OWN_JOURNAL)
    if is_ours:
        roll_back(path)
    return is_ours


def roll_back(path: str) -> None:
    """Let SQLite undo what a killed writer has left half done in a database.

    It looks at the journal beside it, and does nothing where that has a writer that lives.

    Raises:
        apsw.Error: It is damaged, or may not be written.
    """
    check_journals(path)
    if is_in_wal_mode(path):
        return
    connection = connect(path, flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with suppress(apsw.BusyError, apsw.LockedError):  # its writer lives, or another undoes it
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    finally:
        connection.close()


def check_journals(path: str) -> None:
    """See that SQLite will not open a FIFO in the place of a journal, which would block it.

    Raises:
        apsw.CantOpenError: Something that is no file lies there.
    """
    for suffix in JOURNALS:
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.lstat(path + suffix).st_mode):
                message = f"{path}{suffix} is no file"
                raise apsw.CantOpenError(message)


def is_in_wal_mode(path: str) -> bool:
    """Tell by the header whether a write-ahead log would be needed, which mirrors never have.

    Raises:
        apsw.Error: It cannot be read.
    """
    return _is_of_wal_mode(header_of(path))


def _is_of_wal_mode(header: bytes) -> bool:
    return header[18:20] == b"\x02\x02"


def header_of(path: str) -> bytes:
    """Read the first 100 bytes of a database, through SQLite.

    With POSIX locks a process that closes any descriptor of a file gives up all that it has
    locked in it; SQLite keeps count of its own. So where other connections may be reading, nothing
    of ours opens the file in another way.

    Raises:
        apsw.Error: It cannot be read.
    """
    connection = connect(path, flags=apsw.SQLITE_OPEN_READONLY, immutable=True)
    try:
        return connection.read("main", 0, 0, HEADER_BYTES)[1]
    finally:
        connection.close()


def last_good_of(mirror: str) -> str:
    """Return where a mirror is kept when its document collapses: tables.last-good.sqlite."""
    return os.path.splitext(mirror)[0] + ".last-good.sqlite"


def make_folder(folder: str, *, like: str) -> None:
    """Make a folder for mirrors, and those above it, where there is none.

    Args:
        folder: Its path.
        like: The documents' folder, whose permission bits it takes over.

    Raises:
        SidecarError: It cannot be made.
    """
    missing: list[str] = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for path in reversed(missing):
        with mirror_errors(path), suppress(FileExistsError):
            os.mkdir(path, os.stat(like).st_mode & 0o777 | 0o700)


def remove(path: str) -> None:
    """Remove a file that may not be there.

    Raises:
        OSError: It is there and cannot be removed.
    """
    with suppress(FileNotFoundError):
        os.unlink(path)


def remove_journals(path: str) -> None:
    """Remove what SQLite may have left beside a database."""
    for suffix in JOURNALS:
        remove(path + suffix)


def sync_file(path: str) -> None:
    """Wait until a file or folder is on disk; folders are skipped where they cannot be opened."""
    if _WINDOWS and os.path.isdir(path):
        return
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def mirror_errors(
    path: str, connection: Callable[[], apsw.Connection | None] = lambda: None
) -> Generator[None]:
    """Turn what the disk and SQLite raise into coded failures that keep the old mirror.

    Args:
        path: What is being written, for the message.
        connection: Gives the connection in use, which knows what the system said.

    Raises:
        MirrorUnavailableError: ``disk_full``, ``read_only``, ``busy``, ``gone`` or ``denied``.
    """
    try:
        yield
    except _REFUSALS as error:
        code = _sqlite_code(error, connection())
        is_long = isinstance(error, apsw.CantOpenError) and len(os.fsencode(path)) > _LONG_PATH
        why = f"SQLite takes no path of more than {_LONG_PATH} bytes" if is_long else error
        raise MirrorUnavailableError(code, f"{path}: {why}") from error
    except OSError as error:
        raise disk_error(error, path) from error


def disk_error(error: OSError, path: str) -> SidecarError:
    """Give the coded failure for what the system said of a mirror's file."""
    text = f"{path}: {error.strerror or error}"
    if error.errno in _FULL:
        return MirrorUnavailableError("disk_full", f"{text}; free some space")
    if error.errno == errno.EROFS:
        return MirrorUnavailableError("read_only", f"{text}; the folder must be writable")
    if error.errno in _CROWDED:
        return MirrorUnavailableError("busy", text)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MirrorUnavailableError("gone", text)
    return MirrorUnavailableError("denied", f"{text}; check the folder's permissions")


def _sqlite_code(error: apsw.Error, connection: apsw.Connection | None) -> Code:
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return "busy"
    if isinstance(error, apsw.ReadOnlyError):
        return "read_only"
    full = isinstance(error, apsw.FullError) or (
        connection is not None and connection.system_errno in _FULL
    )
    return "disk_full" if full else "denied"
