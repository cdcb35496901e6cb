"""Put a finished mirror in the old one's place, so that readers see one of the two, whole."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

import apsw

from sidecar.errors import MirrorReplacedError, MirrorUnavailableError
from sidecar.files import FileVersion, shown, version_of
from sidecar.mirror import temporary
from sidecar.mirror.sqlite_files import (
    BUSY_MS,
    JOURNALS,
    check_journals,
    connect,
    last_good_of,
    mirror_errors,
    remove_journals,
    sync_file,
)
from sidecar.mirror.state import change_counter, is_mirror, row_count
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
    replace: Replace = os.replace,
) -> FileVersion | None:
    """Rename a finished candidate over the mirror and bring the folder to disk.

    Args:
        candidate: The new file, closed by SQLite and on disk.
        mirror: The mirror's place.
        compared: The version of the mirror that the candidate was compared with.
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
        if version_of(mirror) != compared:
            message = f"{mirror} was replaced by another process; try again when that is done"
            raise MirrorReplacedError(message)
        candidate.make_ready()
        if journals:
            _replace_with_journals(candidate.path, mirror, replace)
        else:
            _replace(candidate.path, mirror, replace)
        published = candidate.version() or version_of(mirror)
    with suppress(OSError):  # the mirror stands; a folder that we may not open is no failure
        sync_file(os.path.dirname(mirror))
    return published


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


def _replace(candidate: str, mirror: str, replace: Replace) -> None:
    """Rename; where a reader holds the file and the system refuses, copy into the open file."""
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
                _copy_into(candidate, mirror)
                return
            time.sleep(wait_s)
        else:
            return


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
            _back_up(source, target.path, locks=False)
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


def _back_up(source: apsw.Connection, path: str, *, locks: bool = True) -> None:
    """Copy a database page by page; into a file of our own without locks and journal.

    Raises:
        apsw.Error: One of the two is busy, or no database.
    """
    target = connect(path, flags=apsw.SQLITE_OPEN_READWRITE, locks=locks)
    try:
        target.set_busy_timeout(BUSY_MS)
        if not locks:  # nobody reads it: no journal, which could be left behind
            target.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(-1)
    finally:
        target.close(force=True)


def _copy_into(candidate: str, mirror: str) -> None:
    """Copy page by page with SQLite's backup, under its locks: readers see old or new, whole."""
    source = connect(candidate, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        _back_up(source, mirror)
    except (apsw.NotADBError, apsw.CorruptError):
        _overwrite(candidate, mirror)  # nobody reads it as a database
        return
    except apsw.Error as error:
        message = f"{mirror} is held by another program: {error}"
        raise MirrorUnavailableError("busy", message) from error
    finally:
        source.close()
    _expect_counter(mirror)


def _expect_counter(mirror: str) -> None:
    """Write down the change counter that the mirror has from now on; it is 1 only in new files."""
    target = connect(mirror, flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        target.set_busy_timeout(BUSY_MS)
        expected = str(change_counter(mirror) + 1)
        target.execute("INSERT OR REPLACE INTO _mirror VALUES ('change_counter', ?)", (expected,))
    finally:
        target.close()


def _overwrite(candidate: str, mirror: str) -> None:
    with open(candidate, "rb") as source, open(mirror, "wb") as target:
        while data := source.read(1 << 20):
            target.write(data)


def _replace_with_journals(candidate: str, mirror: str, replace: Replace) -> None:
    """Replace a mirror that someone else opened for writing.

    Their journal would be applied to our file, or ours read without it. So the old file is put
    out of WAL mode and locked while the rename happens; where that is refused, the journals are
    removed and the rename follows at once.
    """
    try:
        old = _locked(mirror)
    except apsw.Error:
        remove_journals(mirror)
        _replace(candidate, mirror, replace)
        return
    try:
        remove_journals(mirror)
        _replace(candidate, mirror, replace)
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
