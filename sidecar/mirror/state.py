"""What the mirror in place says of itself, and whether it can be believed."""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import apsw
import msgspec

from sidecar.errors import MirrorUnavailableError
from sidecar.files import FileVersion, version_of
from sidecar.javascript import dump_json
from sidecar.mirror.catalog import FORMAT, ROOTS
from sidecar.mirror.header import (
    APPLICATION_ID,
    COUNTERS,
    HEADER_BYTES,
    MAGIC,
    field,
    is_mirror,
    is_of,
)
from sidecar.mirror.sqlite_files import (
    JOURNALS,
    connect,
    disk_error,
    open_reader,
    undo_half_written,
)
from sidecar.model import AUTO, Options, RebuiltReason, Table, stated_columns
from sidecar.names import MIRROR

_JOURNAL = JOURNALS[0]
_OWN_PAGE = 65536


class MirrorOptions(msgspec.Struct, frozen=True):
    """The line ``options`` of ``_mirror``: what stays until a sync asks for something else.

    Attributes:
        fts: The columns that are indexed for full-text search, as in ``Options.fts``.
        tables: What is shown beside the known layouts, as in ``Options.tables``.
        in_place: As in ``Options.in_place``.
        columns: As in ``Options.columns``. They follow from the build, and are no reason for one.
    """

    fts: tuple[str, ...] = ()
    tables: tuple[str, ...] = (AUTO,)
    in_place: bool = False
    columns: dict[str, tuple[str, ...]] = {}

    def changed_by(self, options: Options) -> "MirrorOptions":
        """Give what a sync with these options builds with."""
        fts, tables, in_place = options.fts, options.tables, options.in_place
        return MirrorOptions(
            fts=self.fts if fts is None else tuple(sorted(set(fts))),
            tables=self.tables if tables is None else tuple(sorted(set(tables))),
            in_place=self.in_place if in_place is None else in_place,
            columns=self.columns if options.columns is None else options.columns,
        )

    def holding(self, tables: Iterable[Table]) -> "MirrorOptions":
        """Give the options of a mirror that shows these tables."""
        return msgspec.structs.replace(self, columns=stated_columns(tables))

    def text(self) -> str:
        """Write it as it stands in ``_mirror``: columns only where there are some."""
        found = msgspec.to_builtins(self)
        return dump_json(
            found if self.columns else {k: v for k, v in found.items() if k != "columns"}
        )


class Mirror(msgspec.Struct, frozen=True):
    """The state of the file at a mirror's place.

    Attributes:
        fault: Why it must be rebuilt whatever the document holds; None when it can be believed.
        facts: The lines of ``_mirror``.
        digests: Name -> digest of each table.
        rows: Rows of all tables.
        state_vector: The document's, client -> clock.
        roots: ``_mirror_roots`` and its digest, as if it were a table; empty where that is not
            known.
        options: What it remembers of the options it was built with.
        version: Which file this is said of; None when there was no regular file.
    """

    fault: RebuiltReason | None
    facts: dict[str, str | None] = {}
    digests: dict[str, str] = {}
    rows: int = 0
    state_vector: dict[int, int] = {}
    roots: dict[str, str] = {}
    options: MirrorOptions = MirrorOptions()
    version: FileVersion | None = None

    @property
    def source_digest(self) -> str | None:
        """Digest of the document's bytes."""
        return self.facts.get("source_digest")

    @property
    def patches(self) -> int:
        """How often it was patched since it was built from scratch."""
        text = self.facts.get("patches") or ""
        return int(text) if text.isdecimal() else 0

    @property
    def change_counter(self) -> int:
        """The change counter that its header must have: 1, or more where it is written in place."""
        text = self.facts.get("change_counter") or ""
        return int(text) if text.isdecimal() else 1

    @property
    def fts_indexes(self) -> dict[str, str]:
        """The full-text index of each table that has one."""
        return msgspec.json.decode(self.facts.get("fts_indexes") or "{}", type=dict[str, str])

    def says(self, facts: Mapping[str, str | None]) -> bool:
        """Tell whether these facts are among its own."""
        return all(self.facts.get(key) == value for key, value in facts.items())

    @property
    def source_bytes(self) -> int:
        """Size of the document, 0 when the mirror does not say."""
        text = self.facts.get("source_bytes") or ""
        return int(text) if text.isdecimal() else 0


def read_mirror(path: str) -> Mirror:
    """Read the catalog of the mirror in place.

    A file that cannot be believed has a ``fault``, and as much of the rest as could still be
    read, which the collapse guard needs.

    Raises:
        MirrorUnavailableError: It cannot be read now: too many open files, or the disk fails.
    """
    beside = [suffix for suffix in JOURNALS[:2] if os.path.lexists(path + suffix)]
    is_undone = False
    if beside == [_JOURNAL] and is_mirror(path):
        with suppress(apsw.Error, OSError):
            is_undone = undo_half_written(path)
    version = version_of(path)
    mirror = _read(path)
    is_expected = is_undone or (beside == [_JOURNAL] and mirror.options.in_place)
    fault = mirror.fault or (None if is_expected or not beside else "damaged")
    return msgspec.structs.replace(mirror, fault=fault, version=version)


def _read(path: str) -> Mirror:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # a link or FIFO of someone else's
            return Mirror("foreign")
        with open(path, "rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return Mirror("missing")
    except PermissionError:
        return Mirror("damaged")
    except OSError as error:
        raise disk_error(error, path) from error
    fault = _format_fault(header)
    if fault == "foreign":
        return Mirror(fault)
    try:
        mirror = _read_catalog(path, fault, header)
    except (apsw.Error, TypeError, ValueError):
        return Mirror(fault or "damaged")
    return msgspec.structs.replace(mirror, digests={}, roots={}) if fault == "format" else mirror


def refuse_foreign(path: str) -> None:
    """Leave alone what is not ours: only ``tables.sqlite`` is a name that nobody else uses.

    Raises:
        MirrorUnavailableError: ``foreign_mirror``: something that is no mirror is in the place of
            one, and that place is not called ``tables.sqlite``; or it cannot be read now.
    """
    if os.path.basename(path) == MIRROR or not os.path.lexists(path):
        return
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "rb") as file:
                if is_of(file.read(HEADER_BYTES), APPLICATION_ID):
                    return
    except FileNotFoundError:
        return
    except PermissionError:
        pass
    except OSError as error:
        raise disk_error(error, path) from error
    message = f"{path} is no mirror and is left alone; move it away, or name a place by --into"
    raise MirrorUnavailableError("foreign_mirror", message)


def row_count(path: str) -> int | None:
    """Count the rows of a mirror by its catalog; None when it has none that can be read."""
    mirror = read_mirror(path)
    return mirror.rows if mirror.facts else None


def _format_fault(header: bytes) -> RebuiltReason | None:
    """Tell by its header whether a file is a mirror of this format."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return "damaged"
    if not is_of(header, APPLICATION_ID):
        return "foreign"
    return None if field(header, 60) == FORMAT else "format"


def _size(header: bytes) -> int:
    """Give the size that a file with this header has (SQLite file format, 1.3)."""
    page = int.from_bytes(header[16:18], "big")
    return field(header, 28) * (_OWN_PAGE if page == 1 else page)


def change_counter(path: str) -> int:
    """Read the file change counter, which every transaction of SQLite raises.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        return field(file.read(HEADER_BYTES).ljust(HEADER_BYTES, b"\0"), COUNTERS[0])


def _read_catalog(path: str, fault: RebuiltReason | None, header: bytes) -> Mirror:
    """Read the catalog, and the header while nobody can write.

    A mirror is written in one transaction, so its change counter is 1, or what it was when it was
    last written in place; any SQL write by someone else raises it.

    Raises:
        apsw.Error: It is damaged, or held by a writer.
    """
    try:
        is_whole, counter, facts, tables = _lines(open_reader(path, header))
    except (apsw.BusyError, apsw.LockedError):
        is_whole, counter, facts, tables = _lines_of_locked(path)
    if not is_whole or counter != int(facts.get("change_counter") or 1):
        fault = fault or "damaged"
    vector, remembered = facts.get("state_vector") or "", facts.get("options") or ""
    try:
        state_vector = msgspec.json.decode(vector, type=dict[int, int])
        options = msgspec.json.decode(remembered, type=MirrorOptions)
    except msgspec.MsgspecError:  # someone else wrote them
        fault, state_vector, options = fault or "damaged", {}, MirrorOptions()
    roots = facts.get("roots_digest")
    return Mirror(
        fault=fault,
        state_vector=state_vector,
        options=options,
        roots={ROOTS: roots} if roots else {},
        facts=facts,
        digests={name: digest for name, digest, _ in tables},
        rows=sum(rows for _, _, rows in tables),
    )


def _lines_of_locked(path: str) -> tuple[bool, int, dict[str, Any], list[Any]]:
    """Read a mirror that somebody holds locked for longer than a reader waits, which is no damage.

    While no journal lies beside it nobody has begun to write, and it can be read without the lock.

    Raises:
        MirrorUnavailableError: ``busy``: somebody writes to it.
    """
    before = change_counter(path)
    found = _lines(connect(path, flags=apsw.SQLITE_OPEN_READONLY, immutable=True))
    if os.path.lexists(path + _JOURNAL) or before != change_counter(path):
        raise MirrorUnavailableError("busy", f"{path} is being written by another program")
    return found


def _lines(connection: apsw.Connection) -> tuple[bool, int, dict[str, Any], list[Any]]:
    """Read a mirror as of one moment, and close the connection.

    Returns:
        Whether it is whole and in no WAL mode, its change counter, its facts, its tables.
    """
    try:
        facts: Any = connection.execute("SELECT key, value FROM _mirror")
        lines = dict(facts)
        tables: Any = connection.execute("SELECT name, digest, rows FROM _mirror_tables")
        found = list(tables)
        header = connection.read("main", 0, 0, HEADER_BYTES)[1]
        size = _size(header)
        ends_there = not connection.read("main", 0, size, 1)[0]
        is_whole = size > 0 and ends_there and connection.read("main", 0, size - 1, 1)[0]
        is_in_wal_mode = not header[18] == header[19] == 1
        return is_whole and not is_in_wal_mode, field(header, COUNTERS[0]), lines, found
    finally:
        connection.close()
