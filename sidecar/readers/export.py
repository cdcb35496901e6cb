"""All mirrors in one SQLite file: the views of a query as tables.

The file is built beside its place and renamed over it, and replaces nothing but such a file.
"""

import os
import secrets
import stat
from collections.abc import Sequence

import apsw
import msgspec

from sidecar.errors import UsageError
from sidecar.files import shown
from sidecar.mirror.fts import TOKENIZER
from sidecar.mirror.header import bears
from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import ID, OURS
from sidecar.mirror.sqlite_files import connect, mirror_errors, remove, remove_journals, sync_file
from sidecar.readers.members import Queried
from sidecar.readers.query import NamedMirror, with_views
from sidecar.readers.views import EPOCH, WORKSPACE, View

APPLICATION_ID = 0x59534558
"""YSEX: what our exports say they are."""
FORMAT = 1

_ROWIDS = ("rowid", "_rowid_", "oid")
_MOST_COLUMNS = 1990
_NO_COLUMNS = ("rank", "rowid")
_SOURCES = f"{OURS}_sources"
"""Ours by its prefix: no table of an app begins so."""


class Exported(msgspec.Struct, frozen=True):
    """What an export wrote.

    Attributes:
        out: The file.
        tables: Its tables, without the catalogs, and their rows.
        sources: The mirrors that it was made of, those that could not be read among them.
        faults: Why some could not, one line each.
    """

    out: str
    tables: dict[str, int]
    sources: tuple[Queried, ...]
    faults: tuple[str, ...]


def check_place(out: str) -> str:
    """Return the absolute path that an export may be written to.

    Raises:
        UsageError: There is no such folder, or something that is no export is there.
    """
    path = os.path.abspath(out)
    if not os.path.isdir(os.path.dirname(path)):
        message = f"{shown(os.path.dirname(path))} is no folder; make it, or name another FILE"
        raise UsageError(message)
    if os.path.lexists(path) and not bears(path, APPLICATION_ID):
        message = f"{shown(path)} is no export and is left alone; name another FILE"
        raise UsageError(message)
    return path


def export(targets: Sequence[NamedMirror], out: str) -> Exported:
    """Write the tables of all mirrors into one file.

    Args:
        targets: The mirrors.
        out: As ``check_place`` gives it.

    Raises:
        MirrorDamagedError: None of them can be read.
        MirrorUnavailableError: The file cannot be written.
        UsageError: Something that is no export has come to its place.
    """
    folder, name = os.path.split(out)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        with mirror_errors(out):
            made = _build(targets, temporary, out)
            sync_file(temporary)
            check_place(out)
            os.replace(temporary, out)
            sync_file(folder)
    finally:
        remove(temporary)
        remove_journals(temporary)
    return made


def _build(targets: Sequence[NamedMirror], temporary: str, out: str) -> Exported:
    mode = _mode(targets)
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    flags = apsw.SQLITE_OPEN_READWRITE
    connection = connect(temporary, flags=flags)
    try:
        connection.execute("PRAGMA journal_mode = off; PRAGMA synchronous = off")
        connection.execute("PRAGMA temp_store = memory")
        connection.set_busy_timeout(5000)
        session = with_views(connection, targets)
        tables = {
            view.name: _copy(connection, view, number)
            for number, view in enumerate(session.views)
            if view.indexed is None
        }
        for view in session.views:
            if view.indexed is not None:
                _index(connection, view, session.views)
        _note_sources(connection, session.sources)
        connection.execute(
            f"PRAGMA main.application_id = {APPLICATION_ID}; PRAGMA main.user_version = {FORMAT};"
            " COMMIT"
        )
    finally:
        connection.close(force=True)
    counts = {name: rows for name, rows in tables.items() if not fold(name).startswith(OURS)}
    return Exported(shown(out), counts, session.sources, session.faults)


def _copy(connection: apsw.Connection, view: View, number: int) -> int:
    """Make a table of a view, with an index where its rows have ids; return how many there are."""
    columns = ", ".join(f"{quote(name)} {kind}".rstrip() for name, kind in view.columns)
    table = f"main.{quote(view.name)}"
    connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.execute(f"INSERT INTO {table} SELECT * FROM temp.{quote(view.name)}")
    rows = connection.changes()
    if any(name == ID for name, _ in view.columns):
        # not unique: two apps may have a workspace of one name, with rows of one id
        index = f"main.{OURS}_index_{number}"
        key = f"{ID}, {WORKSPACE}, {EPOCH}"
        connection.execute(f"CREATE INDEX {index} ON {quote(view.name)} ({key})")
    return rows


def _index(connection: apsw.Connection, view: View, views: Sequence[View]) -> None:
    """Make one full-text index of those of all mirrors; what FTS5 refuses is left out."""
    table = next(one for one in views if fold(one.name) == fold(view.indexed or ""))
    there = {fold(name) for name, _ in table.columns}
    rowid = next((name for name in _ROWIDS if name not in there), None)
    usable = [
        name
        for name, _ in view.columns
        if fold(name) in there and name != ID and fold(name) not in _NO_COLUMNS
    ][3:_MOST_COLUMNS]
    if rowid is None or not usable or fold(view.name) in there:
        return
    columns = ", ".join(map(quote, usable))
    name = quote(view.name)
    connection.execute(
        f"CREATE VIRTUAL TABLE main.{name} USING fts5 ({columns}, content={quote(table.name)},"
        f" content_rowid='{rowid}', tokenize={TOKENIZER})"
    )
    connection.execute(f"INSERT INTO main.{name} ({name}) VALUES ('rebuild')")


def _note_sources(connection: apsw.Connection, sources: Sequence[Queried]) -> None:
    connection.execute(
        f"CREATE TABLE main.{_SOURCES} (workspace TEXT, name TEXT, epoch INTEGER,"
        " path TEXT NOT NULL, mirror TEXT NOT NULL, state TEXT NOT NULL, mirror_mtime_ms INTEGER)"
    )
    connection.executemany(
        f"INSERT INTO main.{_SOURCES} VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (s.workspace, s.name, s.epoch, s.path, s.mirror, s.state, s.mirror_mtime_ms)
            for s in sources
        ],
    )


def _mode(targets: Sequence[NamedMirror]) -> int:
    """Give the permission bits that all mirrors have: no export is open to more people."""
    mode = 0o666
    for target in targets:
        try:
            mode &= stat.S_IMODE(os.stat(target.source.mirror).st_mode)
        except OSError:
            continue
    return mode | stat.S_IRUSR | stat.S_IWUSR
