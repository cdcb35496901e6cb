"""Mirrors in the web browser: the only user of Datasette, which is an extra.

Datasette keeps a connection for each database; a mirror is replaced under it. So each database
here looks at its file whenever a request begins, and opens the new one; a request reads to its end
what it has begun with.
"""

# pyright: basic
# Datasette has no types; what comes from it is looked at by mypy as far as can be.

import asyncio
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm
from markupsafe import Markup, escape

from sidecar.errors import MirrorDamagedError, SidecarError
from sidecar.mirror.describe import read_tables
from sidecar.mirror.sqlite_files import READER_BUSY_MS, uri_of
from sidecar.mirror.state import read_mirror
from sidecar.readers.guard import authorize, check
from sidecar.readers.members import queried
from sidecar.readers.problems import read_problems
from sidecar.readers.query import NamedMirror
from sidecar.reports import SchemaColumn, SchemaTable

_TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
_SETTINGS = {
    "allow_download": False,
    "default_page_size": 100,
    "max_returned_rows": 1000,
    "num_sql_threads": 1,  # one thread may share connections, and a request can keep its own
    "sql_time_limit_ms": 3000,
    "suggest_facets": False,  # which columns to count by is known from the catalog
}
_LONGEST_JSON = 2000
_STATES = {"in_step": "in step", "changed": "behind its document", "missing": "not readable"}

_ONE_AT_A_TIME = threading.RLock()
"""Datasette's SQLite and ours are two libraries in one process, and with POSIX locks whoever closes
a file gives up what the other has locked in it. So only one of them reads at a time."""

NamedDatabase = tuple[NamedMirror, str, str | None]
"""A mirror, the name of its database, and the workspace's icon."""

_request: ContextVar[object] = ContextVar("request")
"""The request that is being answered; a connection belongs to one until it ends."""


class MirrorDatabase(Database):  # type: ignore[misc]
    """A mirror that is opened anew when it was replaced.

    Attributes:
        mirror: Its document, and the workspace's name.
        file: Path of the mirror.
        icon: The workspace's.
    """

    def __init__(self, datasette: Datasette, mirror: NamedMirror, icon: str | None) -> None:
        """Open nothing yet."""
        super().__init__(datasette, path=mirror.source.mirror, is_mutable=True)
        self.mirror = mirror
        self.file: str = mirror.source.mirror
        self.icon = icon
        self._opened: tuple[object, sqlite3.Connection] | None = None
        self._pinned: dict[object, sqlite3.Connection] = {}

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run something on the connection of the request."""
        request = _request.get(None)
        loop = _loop()

        def run() -> Any:
            with _ONE_AT_A_TIME:
                return fn(self._of(request))

        return await loop.run_in_executor(self.ds.executor, run)

    def release(self, request: object) -> None:
        """Let go of the connection that a request had; in Datasette's thread."""
        connection = self._pinned.pop(request, None)
        still_used = [*self._pinned.values(), self._opened[1] if self._opened else None]
        if connection is not None and connection not in still_used:
            connection.close()

    def _of(self, request: object) -> sqlite3.Connection:
        if request in self._pinned:
            return self._pinned[request]
        connection = self._newest()
        if request is not None:
            self._pinned[request] = connection
        return connection

    def _newest(self) -> sqlite3.Connection:
        version = _version(self.file)
        if self._opened and (version is None or version == self._opened[0]):
            return self._opened[1]
        before = self._opened[1] if self._opened else None
        self._opened = version, self._open()
        if before is not None and before not in self._pinned.values():
            before.close()
        self._cached_table_counts = None
        return self._opened[1]

    def _open(self) -> sqlite3.Connection:
        check(self.file)
        connection = sqlite3.connect(
            uri_of(self.file) + "?mode=ro",
            uri=True,
            check_same_thread=False,
            timeout=READER_BUSY_MS / 1000,
        )
        self.ds._prepare_connection(connection, self.name)  # noqa: SLF001 - as Database does
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        connection.set_authorizer(authorize)
        return connection


class MirrorPlugin:
    """What Datasette learns of the mirrors: names, labels, what to count by, how JSON looks."""

    def __init__(
        self,
        databases: Mapping[str, MirrorDatabase],
        look_again: Callable[[], None],
    ) -> None:
        """Read nothing yet.

        Args:
            databases: By name; others may be added later.
            look_again: Adds what has come since.
        """
        self.__name__ = __name__  # Datasette asks for a plugin's
        self._databases = databases
        self._look_again = look_again
        self._known: dict[str, tuple[object, dict[str, SchemaTable]]] = {}

    def tables(self, database: str) -> dict[str, SchemaTable]:
        """Give the tables of a mirror as its catalog describes them, read once for each mirror."""
        with _ONE_AT_A_TIME:
            return self._tables(database)

    def _tables(self, database: str) -> dict[str, SchemaTable]:
        path = self._databases[database].file
        version = _version(path)
        if database not in self._known or self._known[database][0] != version:
            try:
                described = {table.name: table for table in read_tables(path)}
            except MirrorDamagedError:
                described = {}
            self._known[database] = version, described
        return self._known[database][1]

    @hookimpl
    def get_metadata(self) -> dict[str, Any]:
        """Give titles, descriptions and facets."""
        return {
            "title": "Mirrors",
            "databases": {
                database: {
                    "tables": {
                        name: _table_metadata(one) for name, one in self.tables(database).items()
                    }
                }
                for database in self._databases
            },
        }

    @hookimpl
    def render_cell(
        self, value: object, column: str, table: str | None, database: str
    ) -> object | None:
        """Show JSON with line breaks, and booleans as words."""
        if database not in self._databases or table is None or not isinstance(value, (str, int)):
            return None
        described = self.tables(database).get(table)
        columns = described.columns if described else ()
        kind = next((one.type for one in columns if one.name == column), None)
        if isinstance(value, str) and (kind in {"json", "tags"} or column == "_extra"):
            return Markup("<pre>{}</pre>").format(_pretty(value))
        if kind == "boolean" and value in {0, 1}:
            return escape("yes" if value else "no")
        return None

    @hookimpl
    def extra_template_vars(self, view_name: str) -> dict[str, Any]:
        """Give the first page its list of workspaces."""
        if view_name != "index":
            return {}
        with _ONE_AT_A_TIME:
            self._look_again()
            return {"workspaces": [_workspace(db) for db in self._databases.values()]}


def make_datasette(find: Callable[[], Sequence[NamedDatabase]]) -> Datasette:
    """Make a Datasette over mirrors.

    Args:
        find: Gives the mirrors that are there. It is called again for each first page, so that
            new workspaces appear in one that runs.
    """
    datasette = Datasette([], settings=_SETTINGS, template_dir=_TEMPLATES)
    databases: dict[str, MirrorDatabase] = {}

    def add_new() -> None:
        known = {database.file for database in databases.values()}
        for mirror, name, icon in find():
            if mirror.source.mirror not in known:
                database = MirrorDatabase(datasette, mirror, icon)
                datasette.add_database(database, name=_free(name, databases))
                databases[str(database.name)] = database

    add_new()
    pm.register(MirrorPlugin(databases, add_new), name="sidecar-mirrors")
    return datasette


def _free(name: str, taken: Container[str]) -> str:
    """Give a name that no database has yet."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def make_app(datasette: Datasette) -> Any:
    """Give Datasette's ASGI application, in which each request keeps its connections."""
    app = datasette.app()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        request = object()
        token = _request.set(request)
        try:
            await app(scope, receive, send)
        finally:
            _request.reset(token)
            databases = list(datasette.databases.values())
            for mirror in (db for db in databases if isinstance(db, MirrorDatabase)):
                await _loop().run_in_executor(datasette.executor, mirror.release, request)

    return answer


def _workspace(database: MirrorDatabase) -> dict[str, Any]:
    """Tell the first page of one workspace: name, age, state, problems, tables."""
    source = database.mirror.source
    try:
        facts: dict[str, str | None] | None = read_mirror(source.mirror).facts or None
        problems = len(read_problems(source.mirror))
        tables = read_tables(source.mirror)
    except SidecarError:
        facts, problems, tables = None, 0, ()
    answer = queried(source, database.mirror.name, facts)
    return {
        "database": database.name,
        "icon": database.icon or "",
        "id": answer.workspace,
        "epoch": answer.epoch,
        "state": _STATES[answer.state],
        "published": _age(answer.mirror_mtime_ms),
        "problems": problems,
        "tables": [
            {"name": table.name, "label": table.label or table.name, "rows": table.rows}
            for table in tables
        ],
    }


def _table_metadata(table: SchemaTable) -> dict[str, Any]:
    """Tell Datasette of one table: its words, and which columns are worth counting by."""
    facets: list[str | dict[str, str]] = []
    for column in table.columns:
        if column.type in {"select", "boolean"}:
            facets.append(column.name)
        elif column.type == "tags":
            facets.append({"array": column.name})
    metadata: dict[str, Any] = {
        "title": table.label or table.name,
        "columns": {
            column.name: about for column in table.columns if (about := _about(column)) is not None
        },
        "facets": facets,
    }
    if table.description:
        metadata["description"] = table.description
    return metadata


def _about(column: SchemaColumn) -> str | None:
    parts = [part for part in (column.label, column.description) if part]
    return ": ".join(parts) or None


def _pretty(text: str) -> str:
    try:
        shown = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        shown = text
    return shown if len(shown) <= _LONGEST_JSON else shown[:_LONGEST_JSON] + "…"


def _age(unix_ms: int | None) -> str:
    if unix_ms is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_ms / 1000))


def _version(path: str) -> object:
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
