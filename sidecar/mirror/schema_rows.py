"""The rows of ``sqlite_schema`` while the tables of a mirror are being made.

Each CREATE TABLE reads all of ``sqlite_schema``, and SQLite looks up names in hash tables of 64
buckets: 8,000 tables take 16 s, twice as many four times as long. So the rows of finished tables
are removed from time to time, and SQLite forgets those tables. At the end they are inserted again,
with the types and NOT NULLs that are only known after all rows were read. These changes do not
affect how rows are stored, which is the condition for using ``writable_schema``.
"""

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import apsw

_MOST_TABLES = 50


class SchemaRows:
    """Rows that were removed from ``sqlite_schema``, inside the transaction of a build."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Begin with a database without tables."""
        self._connection = connection
        self._taken: list[Any] = []
        self._tables = 0

    def table_filled(self) -> None:
        """Count a table that was created and filled, and will not be written to again."""
        self._tables += 1
        if self._tables % _MOST_TABLES == 0:
            self._taken += self._take_out()
            self._connection.execute("PRAGMA writable_schema=RESET")

    def put_back(self, definitions: Mapping[str, str]) -> None:
        """Put all rows back, tables in the order in which they were made.

        Args:
            definitions: The final CREATE TABLE of each table that was filled.
        """
        rows = [*self._taken, *self._take_out()]
        final = [
            (kind, name, table, page, definitions.get(name, sql) if kind == "table" else sql)
            for kind, name, table, page, sql in rows
        ]
        self._connection.executemany("INSERT INTO sqlite_schema VALUES (?,?,?,?,?)", final)
        self._connection.execute("PRAGMA writable_schema=RESET")
        self._taken = []

    @property
    def is_long(self) -> bool:
        """Whether there are so many tables that statements should run with few of them."""
        return self._tables > _MOST_TABLES

    @contextmanager
    def only(self, tables: Collection[str]) -> Generator[None]:
        """Keep only these tables in the schema; tables created meanwhile join the others."""
        self._taken += self._take_out()
        wanted = [row for row in self._taken if row[2] in tables]
        self._connection.executemany("INSERT INTO sqlite_schema VALUES (?,?,?,?,?)", wanted)
        self._connection.execute("PRAGMA writable_schema=RESET")
        yield
        self._taken += self._take_out()[len(wanted) :]
        self._connection.execute("PRAGMA writable_schema=RESET")

    def _take_out(self) -> list[Any]:
        self._connection.execute("PRAGMA writable_schema=ON")
        rows: Any = self._connection.execute("SELECT * FROM sqlite_schema ORDER BY rowid")
        taken = list(rows)
        self._connection.execute("DELETE FROM sqlite_schema")
        return taken
