"""Connections that can do nothing but read.

What a query may do is decided by SQLite's authorizer while a statement is prepared: it knows every
table, function and pragma that the statement will touch, whatever the text looks like.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager

import apsw

from sidecar.errors import MirrorDamagedError
from sidecar.files import shown
from sidecar.mirror.header import APPLICATION_ID, is_of
from sidecar.mirror.sqlite_files import (
    READER_BUSY_MS,
    check_journals,
    connect,
    header_of,
    undo_half_written,
    uri_of,
)

MOST_ATTACHED = 100
"""Mirrors that one connection reads; SQLite takes 125 as apsw builds it."""

_WAL_MODE = b"\2\2"
_READING = frozenset(
    (apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION)
)
_PRAGMAS = frozenset(
    (
        *("application_id", "compile_options", "data_version", "database_list", "encoding"),
        *("foreign_key_list", "function_list", "index_info", "index_list", "index_xinfo"),
        *("page_count", "page_size", "pragma_list", "table_info", "table_list", "table_xinfo"),
        *("user_version", "collation_list", "freelist_count", "schema_version"),
    )
)
"""Those that tell something; of these, those in ``_SETTERS`` would change it if given a value."""
_SETTERS = frozenset(("application_id", "encoding", "page_size", "schema_version", "user_version"))
_FUNCTIONS = frozenset(
    (
        *("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "fts5"),
        *("sqlite_log", "optimize", "lsmode", "shell_putsnl", "fsdir", "zipfile"),
    )
)
"""Functions that reach outside the database, some of them only in other builds of SQLite."""
_TABLES = frozenset(("fsdir", "zipfile", "csv", "sqlite_dbpage", "sqlite_dbptr", "carray"))
"""The same for table-valued ones."""

_SCHEMAS = frozenset(("sqlite_master", "sqlite_temp_master"))
"""Older versions of SQLite ask to update these when they set up json_each or an index for reading;
a statement that would really do it is refused by SQLite itself."""

_MB = 1 << 20
_HEAP_BYTES = 1024 * _MB
_LIMITS = {
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 500,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 1000,
    apsw.SQLITE_LIMIT_LENGTH: 256 * _MB,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    apsw.SQLITE_LIMIT_SQL_LENGTH: _MB,
    apsw.SQLITE_LIMIT_WORKER_THREADS: 0,
}


def open_mirror_file(path: str) -> apsw.Connection:
    """Open one mirror for reading; ``guard`` it before somebody else's SQL runs.

    Raises:
        MirrorDamagedError: It is no mirror, or not one that we left so.
    """
    check(path)
    with errors_of(path):
        return _set_up(connect(path, flags=apsw.SQLITE_OPEN_READONLY))


def open_nothing() -> apsw.Connection:
    """Open an empty database in memory, to ``attach`` mirrors to."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    return _set_up(apsw.Connection("file::memory:", flags=flags))


def _set_up(connection: apsw.Connection) -> apsw.Connection:
    connection.set_busy_timeout(READER_BUSY_MS)
    connection.execute("PRAGMA temp_store = memory")  # a large sort must not fill the disk
    return connection


def attach(connection: apsw.Connection, path: str, name: str) -> None:
    """Attach a mirror for reading under a plain name.

    Raises:
        MirrorDamagedError: As ``open_mirror_file``.
    """
    check(path)
    with errors_of(path):
        connection.execute(f"ATTACH ? AS {name}", (uri_of(path) + "?mode=ro",))


def limit_memory() -> None:
    """Bound what SQLite takes in this process, for one that does nothing but answer."""
    apsw.hard_heap_limit(_HEAP_BYTES)


def guard(connection: apsw.Connection) -> None:
    """Let a connection do nothing but read from now on."""
    for option, value in _OPTIONS.items():
        connection.config(option, value)
    for limit, value in _LIMITS.items():
        connection.limit(limit, value)
    connection.authorizer = authorize


_OPTIONS = {
    apsw.SQLITE_DBCONFIG_DEFENSIVE: 1,
    apsw.SQLITE_DBCONFIG_DQS_DDL: 0,
    apsw.SQLITE_DBCONFIG_DQS_DML: 0,  # "no column" in double quotes must not become a text
    apsw.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER: 0,
    apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION: 0,
    apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER: 0,
    apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA: 0,
}


@contextmanager
def errors_of(path: str) -> Generator[None]:
    """Say of which mirror it is that something cannot be read.

    Raises:
        MirrorDamagedError: ``apsw.Error`` was raised inside.
    """
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        message = f"{shown(path)} is being written ({error}); try again"
        raise MirrorDamagedError("busy", message) from error
    except (apsw.Error, UnicodeDecodeError) as error:
        message = f"{shown(path)} cannot be read ({error}); run sync to build it again"
        raise MirrorDamagedError("internal", message) from error


def check(path: str) -> None:
    """See that a file is a mirror, and that reading it will not make files beside it.

    Raises:
        MirrorDamagedError: It is not.
    """
    try:
        os.stat(path)
        with errors_of(path):
            check_journals(path)
            header = header_of(path) if os.path.isfile(path) else b""
        if not is_of(header, APPLICATION_ID):
            message = f"{shown(path)} is no mirror; epicenter-sidecar sync builds one"
            raise MirrorDamagedError("foreign", message)
        if header[18:20] == _WAL_MODE:
            message = f"{shown(path)} was changed by another program; run sync to build it again"
            raise MirrorDamagedError("foreign", message)
        with errors_of(path):
            undo_half_written(path)
    except OSError as error:  # gone meanwhile, or out of reach
        message = f"{shown(path)} cannot be read: {error.strerror or error}"
        raise MirrorDamagedError("gone", message) from error


def authorize(
    action: int, first: str | None, second: str | None, _db: str | None, _trigger: str | None
) -> int:
    """Answer SQLite, which asks for each thing that a statement would touch."""
    if action == apsw.SQLITE_PRAGMA:
        name = (first or "").lower()
        is_told = name in _PRAGMAS and (second is None or name not in _SETTERS)
        return apsw.SQLITE_OK if is_told else apsw.SQLITE_DENY
    if action == apsw.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS:
        return apsw.SQLITE_DENY
    if action == apsw.SQLITE_READ and (first or "").lower() in _TABLES:
        return apsw.SQLITE_DENY
    if action == apsw.SQLITE_UPDATE and first in _SCHEMAS:
        return apsw.SQLITE_OK
    return apsw.SQLITE_OK if action in _READING else apsw.SQLITE_DENY
