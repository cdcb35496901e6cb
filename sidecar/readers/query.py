"""One SQL query over one mirror or many. Reads, and can do nothing else.

Over one mirror the query sees the file as it is. Over several, each table is a view over the
mirrors that have it, with where a row is from in front; see ``views``.
"""

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from sidecar.errors import MirrorDamagedError, SidecarError, UsageError
from sidecar.files import shown
from sidecar.mirror.identifiers import fold
from sidecar.mirror.naming import ID
from sidecar.model import Source
from sidecar.readers.deadline import Clock, TooLongError
from sidecar.readers.guard import (
    MOST_ATTACHED,
    attach,
    errors_of,
    guard,
    open_mirror_file,
    open_nothing,
)
from sidecar.readers.members import Queried, queried
from sidecar.reports import doc_fields

if TYPE_CHECKING:
    from sidecar.readers.views import Shape, View

Cell = None | int | float | str | bytes
"""What SQLite stores."""

_BLANK = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_ROWIDS = ("rowid", "_rowid_", "oid")
_SHADOWS = ("_data", "_idx", "_docsize", "_config", "_content")
_NUMBER_BYTES = 8


class SqlError(SidecarError):
    """SQLite refuses a query: say why, exit 1."""

    word = "sql"

    def __init__(self, message: str) -> None:
        super().__init__("internal", message)


class Limits(msgspec.Struct, frozen=True):
    """What one query may take.

    Attributes:
        rows: Of the answer.
        bytes: Of the answer's cells.
        seconds: In which SQLite works.
    """

    rows: int = 1000
    bytes: int = 64 << 20
    seconds: float = 30.0


LIMITS = Limits()


class NamedMirror(msgspec.Struct, frozen=True):
    """A mirror to ask, and what its app calls the workspace."""

    source: Source
    name: str | None = None


class QueryRows:
    """The rows of one query, given one by one.

    Attributes:
        columns: Their names; two may be equal.
        truncated: Once the rows were taken: whether a limit left some out.
    """

    def __init__(self, session: "Session", sql: str, limits: Limits) -> None:
        """Run the query as far as its first row; see ``Session.run``."""
        self.columns: tuple[str, ...] = ()
        self.truncated = False
        self._sql = sql
        self._limits = limits
        self._session = session
        self._clock = session.clock
        self._cursor = session.connection.cursor()
        self._cursor.exec_trace = self._look_at_statement

    def start(self, parameters: Sequence[Cell]) -> None:
        """Run up to the first row."""
        if _BLANK.fullmatch(self._sql):
            message = "there is no SQL in this query"
            raise SqlError(message)
        self._clock.run()
        with self._errors():
            self._cursor.execute(self._sql, parameters)
        self._clock.stop()

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        """Give the rows.

        Raises:
            SqlError: SQLite fails on the way.
            TooLongError: It takes too long.
        """
        rows, size = 0, 0
        while (row := self._next()) is not None:
            size += sum(map(size_of, row))
            rows += 1
            if rows > self._limits.rows or size > self._limits.bytes:
                self.truncated = True
                self._cursor.close(force=True)
                return
            yield row

    def _next(self) -> tuple[Cell, ...] | None:
        self._clock.run()
        with self._errors():
            row: tuple[Cell, ...] | None = next(self._cursor, None)
        self._clock.stop()
        return row

    def _look_at_statement(self, cursor: apsw.Cursor, first: str, _bindings: object) -> bool:
        """See the one statement before it runs, and refuse a second one."""
        if _BLANK.fullmatch(first):  # a remark behind the statement
            return True
        if not _BLANK.fullmatch(self._sql.removeprefix(first)):
            message = "there is more than one statement; a query takes one"
            raise SqlError(message)
        self.columns = tuple(name for name, *_ in cursor.get_description())
        return True

    @contextmanager
    def _errors(self) -> Generator[None]:
        """Say what SQLite's failures mean."""
        try:
            yield
        except apsw.InterruptError as error:
            raise TooLongError from error
        except (apsw.NoMemError, apsw.TooBigError, MemoryError) as error:
            message = f"the query needs more memory than it may take ({error})"
            raise SqlError(message) from error
        except UnicodeEncodeError as error:
            message = "the SQL is no text in UTF-8"
            raise SqlError(message) from error
        except UnicodeDecodeError as error:
            message = "a text of the answer is no UTF-8; CAST(... AS BLOB) shows its bytes"
            raise SqlError(message) from error
        except (apsw.Error, ValueError) as error:
            from sidecar.readers.explain import explain  # noqa: PLC0415 - 4 ms, for errors alone

            raise SqlError(explain(str(error), self._sql, self._session.tables())) from error


class Session:
    """Mirrors that are open for queries, in one state of each until it ends.

    Attributes:
        connection: Guarded.
        sources: What was asked for, in the order of the targets.
        faults: Why mirrors are not among those that answer, one line each.
        views: Over several mirrors; nothing when there is one.
        clock: Of the query that runs.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        sources: Sequence[Queried],
        faults: Sequence[str] = (),
        views: "Sequence[View]" = (),
    ) -> None:
        """See ``asking``."""
        self.connection = connection
        self.sources = tuple(sources)
        self.faults = tuple(faults)
        self.views = tuple(views)
        self.clock = Clock(0)

    def run(self, sql: str, parameters: Sequence[Cell] = (), limits: Limits = LIMITS) -> QueryRows:
        """Run one query.

        Args:
            sql: One statement that reads.
            parameters: For its question marks.
            limits: What it may take.

        Raises:
            SqlError: It is wrong, or would do something else than read.
            TooLongError: It takes too long; iterating over the answer may raise both, too.
        """
        self.clock.seconds = limits.seconds
        self.clock.watch(self.connection)
        answer = QueryRows(self, sql, limits)
        answer.start(parameters)
        return answer

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Give the tables that a query sees, with their columns."""
        if self.views:
            return {view.name: tuple(name for name, _ in view.columns) for view in self.views}
        return {
            shape.name: tuple(name for name, _ in shape.columns)
            for shape in _shapes(self.connection, "main")
        }


@contextmanager
def asking(targets: Sequence[NamedMirror]) -> Generator[Session]:
    """Open mirrors for queries; all that is asked of them belongs to one state of each.

    Args:
        targets: Which; at most ``MOST_ATTACHED``. A single one is asked as it is, without views.

    Raises:
        UsageError: There are too many.
        MirrorDamagedError: None of them can be read.
    """
    if len(targets) > MOST_ATTACHED:
        message = (
            f"a query takes at most {MOST_ATTACHED} mirrors, and here are {len(targets)}; "
            "name a workspace, or fewer PATHs"
        )
        raise UsageError(message)
    session = _open_one(*targets) if len(targets) == 1 else _open_all(targets)
    try:
        guard(session.connection)
        yield session
    finally:
        session.connection.close(force=True)


def _open_one(target: NamedMirror) -> Session:
    path = target.source.mirror
    _see(target.source)
    connection = open_mirror_file(path)
    with errors_of(path):
        connection.execute("BEGIN")
        source = queried(target.source, target.name, _facts(connection, "main"))
    return Session(connection, [source])


def _open_all(targets: Sequence[NamedMirror]) -> Session:
    connection = open_nothing()
    try:
        return with_views(connection, targets)
    except BaseException:
        connection.close(force=True)
        raise


def with_views(connection: apsw.Connection, targets: Sequence[NamedMirror]) -> Session:
    """Attach mirrors to a database, begin a transaction and make the views over them.

    Raises:
        MirrorDamagedError: None of them can be read.
    """
    from sidecar.readers.views import Member, Origin, plan_views  # noqa: PLC0415 - for several

    faults: dict[str, str] = {}
    for number, target in enumerate(targets):
        try:
            _attach(connection, target.source, f"m{number}")
        except MirrorDamagedError as error:
            faults[f"m{number}"] = error.message
    connection.execute("BEGIN")
    sources: list[Queried] = []
    members: list[Member] = []
    for number, target in enumerate(targets):
        schema, facts = f"m{number}", None
        if schema not in faults:
            with errors_of(target.source.mirror):
                facts = _facts(connection, schema)
                shapes = tuple(_shapes(connection, schema))
            workspace = doc_fields(target.source)["workspace"]
            origin = Origin(workspace, target.name, target.source.epoch)
            members.append(Member(schema, origin, shapes))
        sources.append(queried(target.source, target.name, facts))
    if not members:
        raise MirrorDamagedError("gone", next(iter(faults.values())))
    views = plan_views(members)
    for view in views:
        connection.execute(view.create)
    return Session(connection, sources, tuple(faults.values()), views)


def _attach(connection: apsw.Connection, source: Source, schema: str) -> None:
    _see(source)
    attach(connection, source.mirror, schema)


def _see(source: Source) -> None:
    if not os.path.lexists(source.mirror):
        message = f"{shown(source.document)} has no mirror yet; run sync to build it"
        raise MirrorDamagedError("gone", message)


def _facts(connection: apsw.Connection, schema: str) -> dict[str, str | None]:
    lines: Any = connection.execute(f"SELECT key, value FROM {schema}._mirror")
    return dict(lines)


def _shapes(connection: apsw.Connection, schema: str) -> "Generator[Shape]":
    """Read the tables of a mirror: the user's, the catalog's and the indexes."""
    from sidecar.readers.views import Shape  # noqa: PLC0415 - for several mirrors

    text = _facts(connection, schema).get("fts_indexes")
    indexes = {
        index: table
        for table, index in msgspec.json.decode(text or "{}", type=dict[str, str]).items()
    }
    hidden = {index + shadow for index in indexes for shadow in _SHADOWS}
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in _columns(connection, schema):
        if table not in hidden and not table.startswith("sqlite_"):
            columns.setdefault(table, []).append((name, kind))
    for table, named in columns.items():
        indexed = indexes.get(table)
        if indexed is None:
            yield Shape(table, tuple(named))
        else:
            taken = {fold(name) for name, _ in columns[indexed]}
            rowid = next(name for name in _ROWIDS if name not in taken)
            extra = (("rank", ""), (table, ""))
            yield Shape(table, ((ID, "TEXT"), *named, *extra), indexed, rowid)


def _columns(connection: apsw.Connection, schema: str) -> Any:
    return connection.execute(
        f"SELECT t.name, c.name, c.type FROM {schema}.sqlite_schema AS t"
        f" JOIN temp.pragma_table_info(t.name, '{schema}') AS c WHERE t.type = 'table'"
    )


def size_of(cell: Cell) -> int:
    """Count what a cell takes: the characters of a text, the bytes of anything else."""
    return len(cell) if isinstance(cell, (str, bytes)) else _NUMBER_BYTES
