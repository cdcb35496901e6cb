"""What the mirror in place says of itself, and whether it can be believed."""

import os
import stat
from collections.abc import Mapping
from typing import Any

import apsw
import msgspec

from sidecar.errors import MirrorUnavailableError
from sidecar.files import FileVersion, version_of
from sidecar.javascript import dump_json
from sidecar.mirror.catalog import APPLICATION_ID, FORMAT, ROOTS
from sidecar.mirror.sqlite_files import connect, disk_error, open_reader
from sidecar.model import AUTO, Options, RebuiltReason
from sidecar.names import MIRROR

_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_OWN_PAGE = 65536


class MirrorOptions(msgspec.Struct, frozen=True):
    """The line ``options`` of ``_mirror``: what stays until a sync asks for something else.

    Attributes:
        fts: The columns that are indexed for full-text search, as in ``Options.fts``.
        tables: What is shown beside the known layouts, as in ``Options.tables``.
        in_place: As in ``Options.in_place``.
    """

    fts: tuple[str, ...] = ()
    tables: tuple[str, ...] = (AUTO,)
    in_place: bool = False

    def changed_by(self, options: Options) -> "MirrorOptions":
        """Give what a sync with these options builds with."""
        fts, tables, in_place = options.fts, options.tables, options.in_place
        return MirrorOptions(
            fts=self.fts if fts is None else tuple(sorted(set(fts))),
            tables=self.tables if tables is None else tuple(sorted(set(tables))),
            in_place=self.in_place if in_place is None else in_place,
        )

    def text(self) -> str:
        """Write it as it stands in ``_mirror``."""
        return dump_json(msgspec.to_builtins(self))


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
    version = version_of(path)
    return msgspec.structs.replace(_read(path), version=version)


def _read(path: str) -> Mirror:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # a link or FIFO of someone else's
            return Mirror("foreign")
        fault = _header_fault(path)
    except FileNotFoundError:
        return Mirror("missing")
    except PermissionError:
        return Mirror("damaged")
    except OSError as error:
        raise disk_error(error, path) from error
    if fault == "foreign":
        return Mirror(fault)
    try:
        mirror = _read_catalog(path, fault)
    except (apsw.Error, TypeError, ValueError):
        return Mirror(fault or "damaged")
    return msgspec.structs.replace(mirror, digests={}, roots={}) if fault == "format" else mirror


def is_mirror(path: str) -> bool:
    """Tell whether a file is a mirror of any format, so that it may be written over."""
    return bears(path, APPLICATION_ID)


def bears(path: str, application_id: int) -> bool:
    """Tell whether a file is an SQLite database with this application id in its header."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER)
    except OSError:
        return False
    return _is_of(header, application_id)


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
                if _is_of(file.read(_HEADER), APPLICATION_ID):
                    return
    except FileNotFoundError:
        return
    except PermissionError:
        pass
    except OSError as error:
        raise disk_error(error, path) from error
    message = f"{path} is no mirror and is left alone; move it away, or name a place by --into"
    raise MirrorUnavailableError("foreign_mirror", message)


def _is_of(header: bytes, application_id: int) -> bool:
    return header.startswith(_MAGIC) and _field(header.ljust(_HEADER), 68) == application_id


def row_count(path: str) -> int | None:
    """Count the rows of a mirror by its catalog; None when it has none that can be read."""
    mirror = read_mirror(path)
    return mirror.rows if mirror.facts else None


def _header_fault(path: str) -> RebuiltReason | None:
    """Judge a file by its header (SQLite file format, 1.3) and by what lies beside it.

    A mirror is written in one transaction and not in WAL mode, so its change counter is 1; any
    SQL write by someone else raises it.
    """
    with open(path, "rb") as file:
        header = file.read(_HEADER)
        size = os.fstat(file.fileno()).st_size
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        return "damaged"
    if _field(header, 68) != APPLICATION_ID:
        return "foreign"
    if _field(header, 60) != FORMAT:
        return "format"
    page = int.from_bytes(header[16:18], "big")
    whole = size == _field(header, 28) * (_OWN_PAGE if page == 1 else page)
    rollback = header[18] == header[19] == 1
    beside = any(os.path.lexists(path + suffix) for suffix in ("-wal", "-journal"))
    return None if whole and rollback and not beside else "damaged"


def change_counter(path: str) -> int:
    """Read the file change counter, which every transaction of SQLite raises.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        return _field(file.read(_HEADER).ljust(_HEADER, b"\0"), 24)


def _read_catalog(path: str, fault: RebuiltReason | None) -> Mirror:
    try:
        facts, tables = _lines(open_reader(path))
    except (apsw.BusyError, apsw.LockedError):
        # Held for longer than a reader waits, which is no damage. While no journal lies beside it,
        # nobody has begun to write, and it can be read without the lock.
        facts, tables = _lines(connect(path, flags=apsw.SQLITE_OPEN_READONLY, immutable=True))
        fault = fault or _header_fault(path)
    if change_counter(path) != int(facts.get("change_counter") or 1):
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


def _lines(connection: apsw.Connection) -> tuple[dict[str, Any], list[Any]]:
    """Read facts and tables, and close the connection."""
    try:
        facts: Any = connection.execute("SELECT key, value FROM _mirror")
        lines = dict(facts)
        tables: Any = connection.execute("SELECT name, digest, rows FROM _mirror_tables")
        return lines, list(tables)
    finally:
        connection.close()


def _field(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "big")
