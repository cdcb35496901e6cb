"""Put a finished mirror in the old one's place, so that readers see one of the two, whole."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

import apsw

from sidecar.errors import MirrorReplacedError, MirrorUnavailableError
from sidecar.files import FileVersion, shown, version_of
from sidecar.mirror import temporary
from sidecar.mirror.header import is_mirror
from sidecar.mirror.sqlite_files import (
    BUSY_MS,
    JOURNALS,
    check_journals,
    connect,
    is_in_wal_mode,
    last_good_of,
    mirror_errors,
    remove_journals,
    sync_file,
)
from sidecar.mirror.state import row_count
from sidecar.mirror.temporary import Temporary
from sidecar.names import MIRROR

Replace = Callable[[str, str], None]
_WRITE_VERSION, _WAL_MODE, _ROLLBACK_MODE = 18, b"\2\2", b"\1\1"
_REFUSED_WAITS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def publish(
    candidate: Temporary,
    mirror: str,
    compared: FileVersion | None,
    *,
    in_place: bool = False,
    replace: Replace = os.replace,
) -> FileVersion | None:
    """Bring a finished candidate to disk in the mirror's place.

    Args:
        candidate: The new file, closed by SQLite.
        mirror: The mirror's place.
        compared: The version of the mirror that the candidate was compared with.
        in_place: Whether the mirror that is there stays the same file. One that is none of ours or
            no database is replaced all the same.
        replace: How a file is renamed over another.

    Returns:
        The mirror that this leaves in place.

    Raises:
        MirrorReplacedError: Another process has replaced the mirror or removed the candidate.
        MirrorUnavailableError: The old mirror stays.
    """
    with mirror_errors(mirror):
        journals = any(os.path.lexists(mirror + suffix) for suffix in JOURNALS)
        if journals:
            _check_whose(mirror)
        _check_version(mirror, compared)
        candidate.make_ready()
        published = _write_in_place(candidate.path, mirror, compared) if in_place else None
        if published is None:
            sync_file(candidate.path)
            put = _replace_with_journals if journals else _replace
            published = put(candidate.path, mirror, replace) or candidate.version()
        published = published or version_of(mirror)
    with suppress(OSError):  # the mirror stands; a folder that we may not open is no failure
        sync_file(os.path.dirname(mirror))
    return published


def _check_version(mirror: str, compared: FileVersion | None) -> None:
    if version_of(mirror) != compared:
        message = f"{mirror} was replaced by another process; try again when that is done"
        raise MirrorReplacedError(message)


def _write_in_place(
    candidate: str, mirror: str, compared: FileVersion | None
) -> FileVersion | None:
    """Write a candidate into the mirror in place; None where there is none to write into.

    Args:
        candidate: Its path.
        mirror: Its path.
        compared: Its version must still be this one when it is locked.
    """
    from sidecar.mirror.in_place import write_into  # noqa: PLC0415 - seldom asked for

    if os.path.islink(mirror) or not is_mirror(mirror):
        return None
    must_settle = is_in_wal_mode(mirror) or any(os.path.lexists(mirror + s) for s in JOURNALS)

    def check() -> None:
        if not must_settle:  # SQLite has just written to it, to be rid of a journal
            _check_version(mirror, compared)

    try:
        return write_into(candidate, mirror, check)
    except (apsw.NotADBError, apsw.CorruptError):  # nobody reads it as a database
        return None
    except (apsw.ReadOnlyError, PermissionError):  # somebody else's file in a folder of ours
        return None


def sweep(mirror: str) -> None:
    """Remove what killed processes left beside a mirror; what others are at work on stays."""
    temporary.sweep(os.path.dirname(mirror), (mirror, last_good_of(mirror)))


def keep_last_good(mirror: str, rows: int) -> str:
    """Keep the mirror in place beside itself, unless a fuller one is there.

    Args:
        mirror: The mirror that is about to collapse; it stays where it is.
        rows: Its rows.

    Returns:
        The path of the copy.

    Raises:
        MirrorUnavailableError: It could not be kept; the mirror must not be replaced.
    """
    kept = last_good_of(mirror)
    if (row_count(kept) or 0) > rows:
        return kept
    if os.path.basename(mirror) != MIRROR and os.path.lexists(kept) and not is_mirror(kept):
        message = f"{shown(kept)} is no mirror and is left alone; rename it, or --no-last-good"
        raise MirrorUnavailableError("foreign_mirror", message)
    copy = Temporary(kept)
    with mirror_errors(kept):
        try:
            copy.create(0o600)
            _copy(mirror, copy)
            if not row_count(copy.path):
                message = f"{kept} would hold none of the {rows} rows of the mirror"
                raise MirrorUnavailableError("busy", message)
            os.chmod(copy.path, os.lstat(mirror).st_mode & 0o777)
            sync_file(copy.path)
            if (row_count(kept) or 0) <= rows:  # another process may have been here
                copy.make_ready()
                os.replace(copy.path, kept)
        finally:
            with suppress(OSError):
                copy.discard()
    return kept


def _replace(candidate: str, mirror: str, replace: Replace) -> FileVersion | None:
    """Rename; where a reader holds the file and the system refuses, write into the open file.

    Returns:
        The file that was written into, None where the candidate stands there now.
    """
    for wait_s in (*_REFUSED_WAITS_S, None):
        try:
            replace(candidate, mirror)
        except FileNotFoundError as error:
            if os.path.lexists(candidate):
                raise
            raise MirrorReplacedError(f"{candidate} was removed by another process") from error
        except PermissionError:
            if not os.path.exists(mirror) or not _refuses_open_files(replace):
                raise
            if wait_s is None:
                return _copy_into(candidate, mirror)
            time.sleep(wait_s)
        else:
            break
    return None


def _refuses_open_files(replace: Replace) -> bool:
    """Only Windows refuses to rename over an open file; a test says so with its own rename."""
    return os.name == "nt" or replace is not os.replace


def _check_whose(mirror: str) -> None:
    """Leave alone the journal of a file that is not there, in a place that is not ours by name.

    Raises:
        MirrorUnavailableError: ``foreign_mirror``: SQLite would take the journal for ours.
    """
    if os.path.basename(mirror) == MIRROR or os.path.lexists(mirror):
        return
    found = next(mirror + suffix for suffix in JOURNALS if os.path.lexists(mirror + suffix))
    message = f"{shown(found)} belongs to somebody else; remove it, or name another place"
    raise MirrorUnavailableError("foreign_mirror", message)


def _copy(mirror: str, target: Temporary) -> None:
    """Copy a mirror, by SQLite where it can read it: someone may be writing to the original.

    Not a link: whoever holds the old file open could still write into the last copy.
    """
    try:
        check_journals(mirror)
        source = connect(mirror, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            source.set_busy_timeout(BUSY_MS)
            _back_up(source, target.path)
        finally:
            source.close(force=True)
    except apsw.Error:
        target.empty()
        import shutil  # noqa: PLC0415 - 8 ms that nearly no start needs

        shutil.copyfile(mirror, target.path)
    _leave_wal_mode(target.path)


def _leave_wal_mode(path: str) -> None:
    """Say in the header of a copy that it has no WAL, or each who reads it would make one.

    By the file format (1.3.3): SQLite itself would do it under locks, and the file is ours.
    """
    with open(path, "r+b") as file:
        file.seek(_WRITE_VERSION)
        if file.read(2) == _WAL_MODE:
            file.seek(_WRITE_VERSION)
            file.write(_ROLLBACK_MODE)


def _back_up(source: apsw.Connection, path: str) -> None:
    """Copy a database page by page into a file of our own, without locks and journal.

    Raises:
        apsw.Error: The source is busy, or no database.
    """
    target = connect(path, flags=apsw.SQLITE_OPEN_READWRITE, locks=False)
    try:
        target.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")  # nobody reads it
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(-1)
    finally:
        target.close(force=True)


def _copy_into(candidate: str, mirror: str) -> FileVersion | None:
    """Write into the open file, under SQLite's locks: readers see old or new, whole."""
    from sidecar.mirror.in_place import write_into  # noqa: PLC0415 - seldom asked for

    try:
        return write_into(candidate, mirror, lambda: None)
    except (apsw.NotADBError, apsw.CorruptError):
        _overwrite(candidate, mirror)  # nobody reads it as a database
        return version_of(mirror)


def _overwrite(candidate: str, mirror: str) -> None:
    with open(candidate, "rb") as source, open(mirror, "wb") as target:
        while data := source.read(1 << 20):
            target.write(data)


def _replace_with_journals(candidate: str, mirror: str, replace: Replace) -> FileVersion | None:
    """Replace a mirror that someone else opened for writing.

    Their journal would be applied to our file, or ours read without it. So the old file is put
    out of WAL mode and locked while the rename happens; where that is refused, the journals are
    removed and the rename follows at once.
    """
    try:
        old = _locked(mirror)
    except apsw.Error:
        remove_journals(mirror)
        return _replace(candidate, mirror, replace)
    try:
        remove_journals(mirror)
        return _replace(candidate, mirror, replace)
    finally:
        old.close(force=True)  # it has nothing to commit
        remove_journals(mirror)


def _locked(mirror: str) -> apsw.Connection:
    """Open a mirror, settle its journal and take its write lock.

    Raises:
        apsw.Error: It is busy, or no database.
    """
    check_journals(mirror)
    connection = connect(mirror, flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN IMMEDIATE")
    except apsw.Error:
        connection.close(force=True)
        raise
    return connection
