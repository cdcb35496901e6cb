"""A whole new mirror from scratch, in one transaction, under a temporary name."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import apsw

from sidecar.digests import ChunkDigests, digest_bytes, digest_table, pieces
from sidecar.errors import MirrorUnavailableError
from sidecar.javascript import dump_json
from sidecar.mirror.catalog import ROOTS, TABLES, Built, digest_roots, write_catalog
from sidecar.mirror.fts import create_indexes
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import (
    TableSchema,
    create_table,
    insert_row,
    plan,
    rowid_of,
    sqlite_type,
)
from sidecar.mirror.schema_rows import SchemaRows
from sidecar.mirror.sqlite_files import connect, mirror_errors
from sidecar.mirror.summaries import ChunkLine, Summary, columns_of, encode, problems_of_table
from sidecar.mirror.temporary import Temporary
from sidecar.model import Cell, Problem, Root, RowChanges, Workspace

if TYPE_CHECKING:
    from sidecar.mirror.known_rows import Notes, Remembered

_SMALL_TABLE = 1 << 20
_SMALL_PAGE, _LARGE_PAGE = 4096, 32768
"""Large pages make the build a quarter faster and small mirrors eight times larger."""


class Candidate:
    """A mirror being built beside its place. Leaving the context removes what was not published.

    Attributes:
        file: The temporary file.
        place: Where the mirror goes.
        digests: Name in the mirror -> digest, of the tables filled so far.
        rows: Rows of all tables so far.
        problems: What could not be shown as asked so far, by names in the mirror.
        row_changes: What is known already of rows that differ from those of the mirror in place.
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
        self.place = mirror
        self.row_changes: dict[str, RowChanges] = {}
        self._mirror = mirror
        self._mode = mode
        self._page_size = _SMALL_PAGE if table_bytes < _SMALL_TABLE else _LARGE_PAGE
        self._tables: list[Built] = []
        self._patches = 0
        self._notes: Notes | None = None
        self._roots: tuple[Root, ...] = ()
        self._connection: apsw.Connection | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Name in the mirror -> digest, of the tables filled so far."""
        return {built.name: built.digest for built in self._tables}

    @property
    def roots(self) -> dict[str, str]:
        """``_mirror_roots`` and its digest, as if it were a table."""
        return {ROOTS: digest_roots(self._roots)}

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
        self._roots = workspace.roots
        self._notes = workspace.notes
        if self._notes is not None:
            self._notes.clear()
        with mirror_errors(self._mirror, lambda: self._connection):
            self._schema_rows = SchemaRows(self._open())
            for schema in plan(workspace.tables):
                self._fill_table(schema)

    def finish(self, facts: Mapping[str, str | None], fts: tuple[str, ...]) -> None:
        """Add the indexes and the catalog, and close the file.

        Args:
            facts: What ``_mirror`` says of the document; the digests are added.
            fts: The columns to index, as in ``Options.fts``.
        """
        connection = self._open()
        with mirror_errors(self._mirror, lambda: self._connection):
            indexes, problems = self._index(fts)
            self.problems += problems
            own_facts = {
                "content_digest": digest_bytes(dump_json(self.digests | self.roots).encode()),
                "roots_digest": self.roots[ROOTS],
                "fts_indexes": dump_json(indexes),
                "change_counter": "1",
                "patches": str(self._patches),
            }
            facts = {**facts, **own_facts}
            self._prepare_catalog()
            write_catalog(connection, facts, self._tables, self.problems, self._roots)
            self._settle()
            connection.execute("COMMIT")
            self._close()
            os.chmod(self.file.path, self._mode)

    def _index(self, fts: tuple[str, ...]) -> tuple[dict[str, str], list[Problem]]:
        if not fts or self._schema_rows.is_long:
            return create_indexes(self._open(), self._tables, fts, self._schema_rows.only)
        self._schema_rows.put_back(self._definitions)  # an index needs its table
        return create_indexes(self._open(), self._tables, fts)

    def _prepare_catalog(self) -> None:
        self._open().execute(TABLES)

    def _settle(self) -> None:
        self._schema_rows.put_back(self._definitions)

    def _close(self) -> None:
        self._open().close()
        self._connection = None

    def _fill_table(self, schema: TableSchema) -> None:
        writer, digests, remembered = RowWriter(schema), ChunkDigests(), self._remembered()
        declared = [(c.name, sqlite_type(c, ()), False) for c in schema.columns]
        self._open().execute(create_table(schema.name, declared))
        names = [column.name for column in schema.columns]
        insert, has_rowid = insert_row(schema.name, names), rowid_of(names) is not None
        for piece in pieces(schema.table.blocks()):
            row_digests = digests.add(piece)
            columns = writer.columns(piece)
            if remembered is not None:
                remembered.add(piece, columns, writer, row_digests)
            self._insert(insert, columns if has_rowid else columns[:-1], writer)
        self._tables.append(_built(schema, writer.summaries(), digests))
        self.problems += problems_of_table(schema, writer.summaries())
        self._schema_rows.table_filled()
        if self._notes is not None and remembered is not None:
            chunks = zip(digests.hexdigests(), remembered.chunks, strict=True)
            self._notes[schema.name, schema.table.fields] = dict(chunks)

    def _remembered(self) -> "Remembered | None":
        """Begin to note the rows of a table, where a process keeps its document."""
        if self._notes is None:
            return None
        from sidecar.mirror.known_rows import Remembered  # noqa: PLC0415 - not for a cold sync

        return Remembered()

    @property
    def _definitions(self) -> dict[str, str]:
        """Give the CREATE TABLE of each table, with what only its rows could tell."""
        return {
            built.name: create_table(
                built.name, [(c.name, declared, not null) for c, declared, null in built.columns]
            )
            for built in self._tables
        }

    def _insert(self, insert: str, columns: list[Sequence[Cell]], writer: RowWriter) -> None:
        """Insert rows; of one that is larger than SQLite takes the largest cells are left out.

        Args:
            insert: The statement.
            columns: Of the rows. No row has an object of its own until SQLite asks for it.
            writer: Has made them.
        """
        connection = self._open()
        while columns[0]:
            before = connection.total_changes()
            try:
                connection.executemany(insert, zip(*columns, strict=True))
            except apsw.TooBigError:
                done = connection.total_changes() - before
                limit = connection.limit(apsw.SQLITE_LIMIT_LENGTH)
                row = tuple(column[done] for column in columns)
                connection.execute(insert, writer.fit(row, limit))
                columns = [column[done + 1 :] for column in columns]
            else:
                return

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
            self._connection.close(force=True)  # the file goes away
            self._connection = None
        self.file.discard()


def _built(schema: TableSchema, summaries: list[Summary], digests: ChunkDigests) -> Built:
    decided = zip(schema.columns, columns_of(schema, summaries), strict=True)
    chunks = zip(
        digests.first_ids, digests.rows(), digests.hexdigests(), map(encode, summaries), strict=True
    )
    return Built(
        name=schema.name,
        table=schema.table,
        columns=[(column, declared, nullable) for column, (declared, nullable) in decided],
        rows=sum(digests.rows()),
        digest=digest_table(schema.table, digests.hexdigests()),
        chunks=[ChunkLine(*line) for line in chunks],
    )
