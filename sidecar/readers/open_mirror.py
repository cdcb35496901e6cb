"""Mirrors for other people's programs: read-only, always the newest, rows with the app's types."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import apsw
import msgspec

from sidecar.files import shown, version_of
from sidecar.mirror.describe import tables_of
from sidecar.mirror.identifiers import quote
from sidecar.mirror.naming import EXTRA
from sidecar.mirror.sqlite_files import undo_half_written
from sidecar.readers.deadline import Clock, TooLongError
from sidecar.readers.guard import authorize, guard, open_mirror_file
from sidecar.readers.query import Limits, size_of
from sidecar.reports import SchemaTable

_MOST_KILLED = 5
"""So many writers in place may be killed one after the other before a call gives up."""

T = TypeVar("T")

Value = None | int | float | str | bytes
"""What SQLite stores."""

Row = dict[str, Any]
"""Column -> value."""

LIMITS = Limits(rows=1_000_000, bytes=1 << 30, seconds=300.0)
"""What one call may take when nobody says otherwise."""


class Rows(list[tuple[Value, ...]]):
    """The rows of a query, as a list.

    Attributes:
        columns: The names of the columns; two may be equal.
        truncated: Whether a limit left rows out.
    """

    columns: tuple[str, ...] = ()
    truncated: bool = False


class OpenMirror:
    """A mirror that is open for reading. Use it as a context, or close it.

    Each call looks whether a new mirror has been published and, if so, opens that one: what two
    calls give may belong to two states of the document, what one call gives belongs to one. A
    mirror that has disappeared is read on as it was. One thread at a time may use it.

    Attributes:
        path: Of the file, absolute.
    """

    def __init__(self, path: str, limits: Limits = LIMITS) -> None:
        """Open a mirror; see ``open_mirror``."""
        self.path = path
        self._limits = limits
        self._version = version_of(path)
        if self._version is None:
            message = f"{shown(path)} is not there; epicenter-sidecar sync builds it"
            raise FileNotFoundError(message)
        self._connection = _open(path)
        self._tables: dict[str, SchemaTable] | None = None

    def __enter__(self) -> Self:
        """Return the mirror."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the mirror."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def tables(self) -> dict[str, SchemaTable]:
        """Describe the tables by name: their columns, the app's labels, types and options."""
        with self._one_state():
            return self._described()

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> Rows:
        """Run one query and return its rows, as SQLite has them, with the names of the columns.

        Raises:
            apsw.Error: The query is wrong, or would do something else than read.
            TooLongError: It takes longer than it may.
        """
        with self._one_state():
            return self._query(sql, parameters)

    def _query(self, sql: str, parameters: Sequence[Value]) -> Rows:
        found, size = Rows(), 0
        cursor = self._connection.cursor()

        def note_columns(cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
            found.columns = tuple(name for name, *_ in cursor.get_description())
            return True

        cursor.exec_trace = note_columns
        for row in self._limited(cursor, sql, parameters):
            size += sum(map(size_of, row))
            if len(found) == self._limits.rows or size > self._limits.bytes:
                found.truncated = True
                cursor.close(force=True)
                break
            found.append(row)
        return found

    @overload
    def rows(self, table: str, where: str = "", parameters: Sequence[Value] = ()) -> list[Row]: ...

    @overload
    def rows(
        self, table: str, where: str = "", parameters: Sequence[Value] = (), *, into: type[T]
    ) -> list[T]: ...

    def rows(
        self,
        table: str,
        where: str = "",
        parameters: Sequence[Value] = (),
        *,
        into: type[T] | None = None,
    ) -> list[Row] | list[T]:
        """Return rows with the app's types: booleans as bool, tags and JSON as Python values.

        Args:
            table: Name of a table.
            where: What to write behind WHERE; all rows when it is empty.
            parameters: For the question marks in it.
            into: A msgspec struct, dataclass or TypedDict to make of each row. Fields are matched
                by name, columns that it does not name are left out.

        Raises:
            KeyError: There is no such table.
            msgspec.ValidationError: A row does not fit ``into``.
            apsw.Error: The condition is wrong.
        """
        with self._one_state():
            found = self._rows(table, where, parameters)
        return found if into is None else msgspec.convert(found, list[into])  # type: ignore[valid-type]

    def _rows(self, table: str, where: str, parameters: Sequence[Value]) -> list[Row]:
        columns = self._described()[table].columns
        convert = [_CONVERTERS.get(_kind(c.name, c.type), _as_it_is) for c in columns]
        condition = f" WHERE {where}" if where else ""
        sql = f"SELECT * FROM {quote(table)}{condition}"  # the caller's own SQL
        cursor = self._limited(self._connection.cursor(), sql, parameters)
        return [
            {
                column.name: make(value)
                for column, make, value in zip(columns, convert, row, strict=True)
            }
            for row in cursor
        ]

    def _limited(
        self, cursor: apsw.Cursor, sql: str, parameters: Sequence[Value]
    ) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a query, within the time that it has."""
        clock = Clock(self._limits.seconds)
        clock.watch(self._connection)
        clock.run()
        try:
            yield from cursor.execute(sql, parameters)
        except apsw.InterruptError as error:
            message = f"the query took longer than {self._limits.seconds:g} s and was ended"
            raise TooLongError(message) from error

    def _described(self) -> dict[str, SchemaTable]:
        if self._tables is None:
            self._tables = {table.name: table for table in tables_of(self._connection, None)}
        return self._tables

    @contextmanager
    def _one_state(self) -> Generator[None]:
        """Read the newest mirror, and nothing else for as long as this lasts.

        One that is written in place is the newest only if it still is when it is locked.
        """
        while True:
            self._begin()
            version = version_of(self.path)
            if version is None or version == self._version:
                break
            self._end()
            fresh = _open(self.path)
            self._connection.close()
            self._connection, self._version, self._tables = fresh, version, None
        try:
            yield
        finally:
            self._end()

    def _begin(self) -> None:
        """Begin to read, once what a killed writer may have left half done is undone."""
        for _ in range(_MOST_KILLED):
            with suppress(apsw.ReadOnlyError):
                self._lock()
                return
            undo_half_written(self.path)
        self._lock()

    def _lock(self) -> None:
        self._connection.authorizer = None
        try:
            self._connection.execute("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        except BaseException:
            self._end()
            raise
        finally:
            self._connection.authorizer = authorize

    def _end(self) -> None:
        self._connection.authorizer = None
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        finally:
            self._connection.authorizer = authorize


def open_mirror(path: str | os.PathLike[str], *, limits: Limits = LIMITS) -> OpenMirror:
    """Open a mirror for reading, and for nothing else.

    Args:
        path: A tables.sqlite.
        limits: What one call may take.

    Raises:
        FileNotFoundError: It is not there.
        sidecar.errors.MirrorDamagedError: It is no mirror.
    """
    return OpenMirror(os.path.abspath(path), limits)


def _open(path: str) -> apsw.Connection:
    connection = open_mirror_file(path)
    guard(connection)
    return connection


def _kind(name: str, kind: str | None) -> str:
    return "json" if name == EXTRA else kind or ""


def _boolean(value: Value) -> Value:
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def _json(value: Value) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _as_it_is(value: Value) -> Value:
    return value


_CONVERTERS = {"boolean": _boolean, "tags": _json, "json": _json}
