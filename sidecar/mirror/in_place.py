"""A finished mirror written into the file that is there, for readers that keep that file open.

SQLite's backup API would write every page, and every old page into its journal as well: 42 MB for
one edited cell of a mirror of 20 MB. So only the pages that differ are written, under SQLite's
exclusive lock and behind a rollback journal in SQLite's own format (file format, section 3). After
a kill at any moment the next program that opens the file for writing rolls it back, as it would
after SQLite's own transaction. The header's counters go on as after a transaction, too, so an open
connection sees the new state with its next read.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import apsw

from sidecar.errors import MirrorUnavailableError
from sidecar.files import FileVersion, shown
from sidecar.mirror.header import COUNTERS, HEADER_BYTES, MAGIC, field
from sidecar.mirror.sqlite_files import (
    JOURNALS,
    OWN_JOURNAL,
    check_journals,
    connect,
    remove,
    roll_back,
    sync_file,
)

WAIT_S = 5.0
"""How long readers and writers of the mirror are waited for."""
_JOURNAL_MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_SECTOR = 512
_COOKIE = 40
"""Where it has the schema cookie, by which open connections know that tables have changed."""
_LOCK_BYTE = 1 << 30
"""SQLite locks bytes from here on; the page they are in holds nothing (1.5)."""
_SCHEMA = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY 1, 2, 3, 4"


def write_into(candidate: str, mirror: str, check: Callable[[], None]) -> FileVersion:
    """Make the mirror in place equal to a candidate, in one transaction.

    Args:
        candidate: A finished mirror that nobody else uses. Its change counter is set.
        mirror: An SQLite database.
        check: Is called once nobody else can write, and may raise to leave the mirror as it is.

    Returns:
        The mirror that this leaves in place.

    Raises:
        MirrorUnavailableError: ``busy``: somebody held the mirror for longer than ``WAIT_S``.
        apsw.Error: It is no database, or cannot be locked.
        OSError: It cannot be written. The old state stays.
    """
    _take_mode(candidate, mirror)
    connection = _lock(mirror)
    try:
        check()
        schema_cookie, counter = _prepare(candidate, connection)
        with open(mirror, "r+b") as target, open(candidate, "rb") as source:
            Pages(source, target, counter, schema_cookie).write(mirror + JOURNALS[0])
            written = FileVersion.of(os.fstat(target.fileno()))
    except BaseException:
        connection.close(force=True)
        with suppress(apsw.Error):  # else whoever opens it next for writing does that
            roll_back(mirror)
        raise
    connection.close(force=True)  # it has nothing to commit
    return written


def _take_mode(candidate: str, mirror: str) -> None:
    """Give the mirror the candidate's permission bits; its owner must be able to write."""
    mode = stat.S_IMODE(os.stat(candidate).st_mode) | stat.S_IWUSR
    if stat.S_IMODE(os.stat(mirror).st_mode) != mode:
        os.chmod(mirror, mode)


def _lock(mirror: str) -> apsw.Connection:
    """Open the mirror and wait until nobody else reads or writes it.

    Raises:
        MirrorUnavailableError: That takes too long.
        apsw.Error: It is no database.
    """
    check_journals(mirror)
    connection = connect(mirror, flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(round(WAIT_S * 1000))
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # somebody may have chosen another one
        connection.execute("BEGIN EXCLUSIVE")
    except (apsw.BusyError, apsw.LockedError) as error:
        connection.close(force=True)
        message = f"{shown(mirror)} is held by another program: {error}"
        raise MirrorUnavailableError("busy", message) from error
    except BaseException:
        connection.close(force=True)
        raise
    return connection


def _prepare(candidate: str, mirror: apsw.Connection) -> tuple[int, int]:
    """Write down in the candidate what the mirror's change counter will be.

    Returns:
        The schema cookie and the change counter that the mirror will have.

    Raises:
        apsw.NotADBError: The mirror in place is empty, which SQLite itself would take.
    """
    header = mirror.read("main", 0, 0, HEADER_BYTES)[1]
    if not header.startswith(MAGIC):
        raise apsw.NotADBError
    cookie, counter = field(header, _COOKIE), (field(header, COUNTERS[0]) + 1) % (1 << 32)
    new = connect(candidate, flags=apsw.SQLITE_OPEN_READWRITE, locks=False)
    try:
        new.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF").fetchall()
        new.execute("UPDATE _mirror SET value = ? WHERE key = 'change_counter'", (str(counter),))
        if new.execute(_SCHEMA).fetchall() != _schema_of(mirror):
            cookie = (cookie + 1) % (1 << 31)
    finally:
        new.close()
    return cookie, counter


def _schema_of(connection: apsw.Connection) -> object:
    try:
        found: Any = connection.execute(_SCHEMA)
        return list(found)
    except (apsw.Error, UnicodeDecodeError):  # damaged: whatever it was, it changes
        return None


class Pages:
    """The pages of a candidate and those of the file in place, by the latter's page size.

    Attributes:
        target: The file in place.
    """

    def __init__(self, source: BinaryIO, target: BinaryIO, counter: int, cookie: int) -> None:
        """Begin with open files, and the counter and cookie that the header will have."""
        self._source, self.target = source, target
        self._fields = {**dict.fromkeys(COUNTERS, counter), _COOKIE: cookie}
        header = target.read(HEADER_BYTES)
        self._size = int.from_bytes(header[16:18], "big")
        self._size = 65536 if self._size == 1 else self._size
        self._before = os.fstat(target.fileno()).st_size // self._size
        self._bytes = os.fstat(source.fileno()).st_size

    def write(self, journal: str) -> None:
        """Write the pages that differ, behind a journal of the old ones."""
        remove(journal)  # it would have been rolled back: it is empty
        mode = stat.S_IMODE(os.fstat(self.target.fileno()).st_mode)
        with open(journal, "x+b", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            if hasattr(os, "fchmod"):  # who may write the mirror must be able to roll it back
                os.fchmod(file.fileno(), mode)
            changed = self._keep(Journal(file, self._size, self._before))
        sync_file(os.path.dirname(journal))
        for number in changed:
            self.put(number)
        self.target.truncate(self._bytes)
        self.target.flush()
        os.fsync(self.target.fileno())
        remove(journal)

    def _keep(self, journal: "Journal") -> list[int]:
        """Write old pages that will be lost into the journal; return which pages differ."""
        changed: list[int] = []
        for number in range(max(self._before, -(-self._bytes // self._size))):
            if number * self._size == _LOCK_BYTE:
                changed.append(number)
                continue
            before = self._read(self.target, number)
            if before != self._new(number):
                changed.append(number)
                if number < self._before:
                    journal.add(number + 1, before)
        journal.seal()
        return changed

    def put(self, number: int) -> None:
        """Write one page of the candidate into the file in place."""
        offset, data = number * self._size, self._new(number)
        if offset == _LOCK_BYTE:  # the locked bytes themselves cannot be written everywhere
            offset, data = offset + _SECTOR, data[_SECTOR:]
        if data:
            self.target.seek(offset)
            self.target.write(data)

    def _new(self, number: int) -> bytes:
        data = self._read(self._source, number)
        if number:
            return data
        first = bytearray(data)
        for offset, value in self._fields.items():
            first[offset : offset + 4] = value.to_bytes(4, "big")
        return bytes(first)

    def _read(self, file: BinaryIO, number: int) -> bytes:
        file.seek(number * self._size)
        return file.read(self._size)


class Journal:
    """A rollback journal. SQLite believes as many of its records as its header counts."""

    def __init__(self, file: BinaryIO, page_size: int, pages: int) -> None:
        """Begin it, for a database with so many pages of a size."""
        self._file = file
        self._nonce = int.from_bytes(os.urandom(4), "big")
        self._size = page_size
        self._count = 0
        rest = (0, self._nonce, pages, _SECTOR, page_size)
        header = _JOURNAL_MAGIC + b"".join(map(_big, rest))
        file.write((header + OWN_JOURNAL).ljust(_SECTOR, b"\0"))
        file.flush()  # readers see whose it is

    def add(self, number: int, page: bytes) -> None:
        """Keep a page, by its number from 1."""
        checksum = self._nonce + sum(page[place] for place in _sampled(self._size))
        self._file.write(_big(number) + page + _big(checksum % (1 << 32)))
        self._count += 1

    def seal(self) -> None:
        """Bring it to disk: the records first, then how many there are."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.seek(len(_JOURNAL_MAGIC))
        self._file.write(_big(self._count))
        self._file.flush()
        os.fsync(self._file.fileno())


def _sampled(page_size: int) -> Iterator[int]:
    """Give the places of the bytes that a record's checksum counts."""
    yield from range(page_size - 200, 0, -200)


def _big(number: int) -> bytes:
    return number.to_bytes(4, "big")
