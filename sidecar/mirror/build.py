"""A whole new mirror from scratch, in one transaction, under a temporary name."""

import os
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import apsw

from sidecar.digests import TableDigest, digest_bytes
from sidecar.errors import MirrorUnavailableError
from sidecar.javascript import dump_json
from sidecar.mirror.catalog import Built, write_catalog
from sidecar.mirror.fts import create_indexes
from sidecar.mirror.identifiers import quote
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import Column, TableSchema, create_table, plan, sqlite_type
from sidecar.mirror.sqlite_files import (
    connect,
    mirror_errors,
    sync_file,
)
from sidecar.mirror.temporary import Temporary
from sidecar.model import Cell, Problem, Workspace

_SMALL_TABLE = 1 << 20
_SMALL_PAGE, _LARGE_PAGE = 4096, 32768
"""Large pages make the build a quarter faster and small mirrors eight times larger."""


class Candidate:
    """A mirror being built beside its place. Leaving the context removes what was not published.

    Attributes:
        file: The temporary file.
        digests: Name in the mirror -> digest, of the tables filled so far.
        rows: Rows of all tables so far.
        problems: What could not be shown as asked so far, by names in the mirror.
    """

    def __init__(self, mirror: str, *, mode: int, table_bytes: int) -> None:
        """Prepare a candidate.

        Args:
            mirror: The mirror's place.
            mode: Permission bits of the document, which the mirror takes over.
            table_bytes: Size of the document for each of its tables, which decides the page size.
        """
        self.file = Temporary(mirror)
        self.problems: list[Problem] = []
        self._mirror = mirror
        self._mode = mode
        self._page_size = _SMALL_PAGE if table_bytes < _SMALL_TABLE else _LARGE_PAGE
        self._tables: list[Built] = []
        self._connection: apsw.Connection | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Name in the mirror -> digest, of the tables filled so far."""
        return {built.name: built.digest for built in self._tables}

    @property
    def rows(self) -> int:
        """Rows of all tables so far."""
        return sum(built.rows for built in self._tables)

    def __enter__(self) -> Self:
        try:
            with mirror_errors(self._mirror):
                self._begin()
        except BaseException:
            with suppress(OSError):
                self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._discard()
        except OSError as left:
            if error is None:
                message = f"the unfinished {self._mirror} cannot be removed: {left}"
                raise MirrorUnavailableError("denied", message) from left

    def fill(self, workspace: Workspace) -> None:
        """Walk, digest and insert all rows of all tables, one pass."""
        self.problems += workspace.problems
        with mirror_errors(self._mirror, lambda: self._connection):
            for schema in plan(workspace.tables):
                self._fill_table(schema)

    def finish(self, facts: Mapping[str, str | None], fts: tuple[str, ...]) -> None:
        """Add the indexes and the catalog, and bring the file to disk.

        Args:
            facts: What ``_mirror`` says of the document; the content's digest is added.
            fts: The columns to index, as in ``Options.fts``.
        """
        connection = self._open()
        with mirror_errors(self._mirror, lambda: self._connection):
            indexes, problems = create_indexes(connection, self._tables, fts)
            self.problems += problems
            own_facts = {
                "content_digest": digest_bytes(dump_json(self.digests).encode()),
                "fts_indexes": dump_json(indexes),
            }
            write_catalog(connection, {**facts, **own_facts}, self._tables, self.problems)
            connection.execute("COMMIT")
            connection.close()
            self._connection = None
            sync_file(self.file.path)
            os.chmod(self.file.path, self._mode)

    def _fill_table(self, schema: TableSchema) -> None:
        connection, writer, digest = self._open(), RowWriter(schema), TableDigest(schema.table)
        declared = [(c.name, sqlite_type(c, ()), False) for c in schema.columns]
        connection.execute(create_table(schema.name, declared))
        marks = ",".join("?" * (len(schema.columns) + 2))
        insert = f"INSERT INTO {quote(schema.name)} VALUES ({marks})"  # noqa: S608 - quoted
        for chunk in schema.table.chunks():
            digest.update(chunk)
            self._insert(insert, list(writer.convert(chunk)), writer)
        columns = [
            (column, sqlite_type(column, kinds), nullable or not column.required)
            for column, kinds, nullable in zip(
                schema.columns, writer.kinds, writer.nullable, strict=True
            )
        ]
        self._settle(schema.name, columns)
        self.problems += writer.problems.lines(schema.name)
        self._tables.append(
            Built(schema.name, schema.table, columns, writer.rows, digest.hexdigest())
        )

    def _insert(self, insert: str, rows: list[tuple[Cell, ...]], writer: RowWriter) -> None:
        """Insert rows; of one that is larger than SQLite takes the largest cells are left out."""
        connection = self._open()
        while rows:
            before = connection.total_changes()
            try:
                connection.executemany(insert, rows)
            except apsw.TooBigError:
                done = connection.total_changes() - before
                limit = connection.limit(apsw.SQLITE_LIMIT_LENGTH)
                connection.execute(insert, writer.fit(rows[done], limit))
                rows = rows[done + 1 :]
            else:
                return

    def _settle(self, name: str, columns: list[tuple[Column, str, bool]]) -> None:
        """Give a filled table the types and NOT NULLs that only its rows could tell.

        Rows go in as they are walked, so the table is made before they are known; what changes
        here leaves stored rows as they are, which is what SQLite allows writable_schema for.
        """
        sql = create_table(name, [(c.name, declared, not null) for c, declared, null in columns])
        connection = self._open()
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql=? WHERE type='table' AND name=?", (sql, name)
        )
        connection.execute("PRAGMA writable_schema=OFF")

    def _begin(self) -> None:
        self.file.create(self._mode)
        self._connection = connect(self.file.path, flags=apsw.SQLITE_OPEN_READWRITE, locks=False)
        self._connection.execute(
            f"PRAGMA page_size={self._page_size}; PRAGMA journal_mode=OFF;"
            "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA temp_store=MEMORY; BEGIN EXCLUSIVE"
        ).fetchall()

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            message = "the candidate is not open"
            raise RuntimeError(message)
        return self._connection

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close(True)  # noqa: FBT003 - force: the file goes away
            self._connection = None
        self.file.discard()
