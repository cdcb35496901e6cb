"""Compares the mirror in place with what it must hold: tables, columns, rows, cells, catalog."""

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import msgspec

from sidecar.mirror.identifiers import quote
from sidecar.mirror.sqlite_files import open_reader
from sidecar.model import Cell
from sidecar.reference.expected import ExpectedColumn, ExpectedTable, expect
from sidecar.reference.values import PlainTable
from sidecar.reports import MOST_DIFFERENCES, Difference, cell_to_json

_CATALOG = tuple(
    f"_mirror{part}" for part in ("", "_tables", "_columns", "_problems", "_roots", "_chunks")
)
_FTS_SHADOWS = ("", "_data", "_idx", "_docsize", "_config")


class Comparison(msgspec.Struct):
    """What was compared and what differed.

    Attributes:
        integrity: What SQLite says of the file as such, None when it was not asked.
        rows: Compared.
        cells: Compared.
        total: Number of differences.
        differences: The first ``MOST_DIFFERENCES``.
    """

    integrity: str | None = "ok"
    rows: int = 0
    cells: int = 0
    total: int = 0
    differences: list[Difference] = []

    def note(
        self, table: str, row_id: str | None, column: str | None, expected: Cell, actual: Cell
    ) -> None:
        """Count a difference, and keep it while there are few."""
        self.total += 1
        if len(self.differences) < MOST_DIFFERENCES:
            sides = (cell_to_json(expected), cell_to_json(actual))
            self.differences.append(Difference(table, row_id, column, *sides))


def compare_mirror(path: str, tables: Sequence[PlainTable]) -> Comparison:
    """Compare a mirror with the tables of its document. Nothing is written.

    Args:
        path: The mirror.
        tables: All tables of the document.

    Returns:
        The comparison; damage that stops it stands in ``integrity``.
    """
    found = Comparison()
    try:
        connection = open_reader(path)
        try:
            found.integrity = _integrity(connection)
            _Comparer(connection, found).compare(expect(tables))
        finally:
            connection.close()
    except (apsw.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        found.integrity = str(error) if found.integrity == "ok" else found.integrity
    return found


def _integrity(connection: apsw.Connection) -> str:
    lines = [line for (line,) in connection.execute("PRAGMA integrity_check(10)")]
    return "; ".join(map(str, lines))


class _Comparer:
    """Compares one open mirror; what differs is noted in ``found``."""

    def __init__(self, connection: apsw.Connection, found: Comparison) -> None:
        self._connection = connection
        self._found = found
        self._note = found.note
        self._counts: dict[str, int] = {}

    def compare(self, expected: Sequence[ExpectedTable]) -> None:
        self._objects({table.name for table in expected})
        for table in expected:
            try:
                self._table(table)
            except UnicodeDecodeError as error:
                self._note(table.name, None, None, "text in UTF-8", str(error))
        self._catalog_tables(expected)
        self._catalog_columns(expected)
        self._full_text(self._indexes())

    def _objects(self, tables: set[str]) -> None:
        """Compare what there is, by name; the indexes of primary keys have no SQL of their own."""
        schema = self._connection.execute("SELECT name, type, sql IS NULL FROM sqlite_schema")
        actual = {name: kind for name, kind, automatic in schema if not automatic}
        ours = {name + shadow for name in self._indexes().values() for shadow in _FTS_SHADOWS}
        expected = {*tables, *_CATALOG, *ours}
        for name in sorted(expected - actual.keys()):
            self._note(name, None, None, "table", None)
        for name in sorted(actual.keys() - expected):
            self._note(name, None, None, None, actual[name])

    def _indexes(self) -> dict[str, str]:
        """Give the full-text index of each table that has one, as the catalog has them."""
        facts = self._connection.execute("SELECT value FROM _mirror WHERE key = 'fts_indexes'").get
        return msgspec.json.decode(facts or "{}", type=dict[str, str])

    def _table(self, table: ExpectedTable) -> None:
        actual = self._shape(table.name)
        if not actual:
            return
        wanted = {column.name: column for column in table.columns}
        for name in sorted(wanted.keys() - actual.keys()):
            self._note(table.name, None, name, _describe(wanted[name], table), None)
        for name in sorted(actual.keys() - wanted.keys()):
            self._note(table.name, None, name, None, f"column {actual[name][0]}".rstrip())
        if "id" in actual:
            self._rows(table, list(actual))
        for name in [name for name in wanted if name in actual]:
            kind, full = actual[name]
            found = f"{kind} NOT NULL" if full else kind
            if found != _describe(wanted[name], table):
                self._note(table.name, None, name, _describe(wanted[name], table), found)
        if list(actual) != list(wanted) and actual.keys() == wanted.keys():
            self._note(table.name, None, None, "columns by name", "columns in another order")

    def _shape(self, table: str) -> dict[str, tuple[str, bool]]:
        """Give declared type and NOT NULL of each column of a table that may not be there."""
        columns: Any = self._connection.execute(f"PRAGMA table_xinfo({quote(table)})")
        return {name: (kind, bool(full)) for _, name, kind, full, *_ in columns}

    def _rows(self, table: ExpectedTable, names: list[str]) -> None:
        places = [
            (index, names.index(column.name), column.name)
            for index, column in enumerate(table.columns)
            if column.name in names
        ]
        key = names.index("id")
        actual = self._actual(table.name)
        row = next(actual, None)
        count = 0
        for count, wanted in enumerate(table.rows(), 1):  # noqa: B007 - the last one counts
            while row is not None and not (isinstance(row[key], str) and row[key] >= wanted[0]):
                self._surplus(table.name, row[key])
                row = next(actual, None)
            if row is None or row[key] != wanted[0]:
                self._note(table.name, wanted[0], None, "row", None)
                continue
            self._cells(table.name, wanted, row, places)
            row = next(actual, None)
        while row is not None:
            self._surplus(table.name, row[key])
            row = next(actual, None)
        self._counts[table.name] = count

    def _actual(self, table: str) -> Iterator[tuple[Cell, ...]]:
        return iter(self._connection.execute(f"SELECT * FROM {quote(table)} ORDER BY id"))

    def _surplus(self, table: str, key: Cell) -> None:
        self._note(table, key if isinstance(key, str) else str(key), None, None, "row")

    def _cells(
        self,
        table: str,
        wanted: Sequence[Cell],
        actual: Sequence[Cell],
        places: Sequence[tuple[int, int, str]],
    ) -> None:
        self._found.rows += 1
        self._found.cells += len(places)
        for index, place, name in places:
            one, other = wanted[index], actual[place]
            if one != other or type(one) is not type(other):
                self._note(table, str(wanted[0]), name, one, other)

    def _catalog_tables(self, expected: Sequence[ExpectedTable]) -> None:
        columns = ("source", "label", "description", "icon", "declared", "rows")
        wanted = {table.name: (*table.about, self._count(table)) for table in expected}
        sql = f"SELECT name, {', '.join(columns)} FROM _mirror_tables"
        actual = {name: tuple(rest) for name, *rest in self._connection.execute(sql)}
        self._lines("_mirror_tables", columns, wanted, actual)

    def _count(self, table: ExpectedTable) -> int:
        """Count the rows of a table, also of one whose comparison came to no end."""
        if table.name not in self._counts:
            self._counts[table.name] = sum(1 for _ in table.rows())
        return self._counts[table.name]

    def _catalog_columns(self, expected: Sequence[ExpectedTable]) -> None:
        columns = "position source type sqlite_type nullable label description icon options"
        wanted: dict[str, tuple[Any, ...]] = {}
        for table in expected:
            for position, column in enumerate(table.columns):
                nullable = int(not _is_full(column, table))
                about = (column.source, column.type, column.sqlite_type, nullable, *column.about)
                wanted[f"{table.name}.{column.name}"] = (position, *about)
        sql = f"SELECT table_name || '.' || name, {', '.join(columns.split())} FROM _mirror_columns"
        actual = {name: tuple(rest) for name, *rest in self._connection.execute(sql)}
        self._lines("_mirror_columns", columns.split(), wanted, actual)

    def _lines(
        self,
        table: str,
        columns: Sequence[str],
        wanted: dict[str, tuple[Any, ...]],
        actual: dict[str, tuple[Any, ...]],
    ) -> None:
        for name in sorted(wanted.keys() - actual.keys()):
            self._note(table, name, None, "row", None)
        for name in sorted(actual.keys() - wanted.keys()):
            self._note(table, name, None, None, "row")
        for name in sorted(wanted.keys() & actual.keys()):
            for column, one, other in zip(columns, wanted[name], actual[name], strict=True):
                if one != other:
                    self._note(table, name, column, one, other)

    def _full_text(self, indexes: dict[str, str]) -> None:
        """Have FTS5 compare indexes with their tables, in one copy, because that is a write."""
        if not indexes:
            return
        copy = apsw.Connection("")
        try:
            with copy.backup("main", self._connection, "main") as backup:
                backup.step()
            for table, index in indexes.items():
                name = quote(index)
                try:
                    copy.execute(f"INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)")
                except apsw.Error as error:
                    self._note(index, None, None, f"the words of {table}", str(error))
        finally:
            copy.close()


def _is_full(column: ExpectedColumn, table: ExpectedTable) -> bool:
    return column.required and column.name not in table.without_value


def _describe(column: ExpectedColumn, table: ExpectedTable) -> str:
    return f"{column.sqlite_type} NOT NULL" if _is_full(column, table) else column.sqlite_type
