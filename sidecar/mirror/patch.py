"""A new mirror out of the last one: a copy in which the edited rows are replaced.

Equal to a build from scratch in rows, their order, types, NOT NULLs, problems, catalog and digests
(its pages are others). Where that cannot be had it says so, and nothing of it is used.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import apsw
import msgspec

from sidecar.digests import ChunkDigests, digest_table, pieces
from sidecar.files import FileVersion
from sidecar.mirror.build import Candidate
from sidecar.mirror.catalog import Built, column_lines
from sidecar.mirror.identifiers import quote
from sidecar.mirror.regions import Region, regions
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import (
    ROWID_STEP,
    TableSchema,
    create_table,
    insert_row,
    plan,
    rowid_of,
)
from sidecar.mirror.sqlite_files import connect, mirror_errors, open_reader
from sidecar.mirror.state import Mirror, change_counter
from sidecar.mirror.summaries import ChunkLine, columns_of, decode, encode, problems_of_table
from sidecar.model import ROWS_PER_CHUNK, Cell, Problem, Workspace

MOST_PATCHES = 256
"""After so many a mirror is built from scratch: deleted rows leave room in its pages."""
_FEW = 1000
_BLOCK = 1 << 20
_COUNTERS = (24, 92)
"""Where the header has the change counter, and the one for which its size is valid (1.3)."""
_FACTS = ("generator", "options", "layout")


class UnpatchableError(Exception):
    """The last mirror is no base: build from scratch."""


class _Edit(msgspec.Struct, frozen=True):
    """What is to be written into one table.

    Attributes:
        built: The table as it will be.
        sql: Its CREATE TABLE.
        edited: Ids of the rows that may differ.
        rows: Those of them that are there, as ``RowWriter`` gives them, without rowid.
    """

    built: Built
    sql: str
    edited: frozenset[str]
    rows: dict[str, tuple[Cell, ...]]


def can_patch(mirror: Mirror, workspace: Workspace, facts: Mapping[str, str | None]) -> bool:
    """Tell whether the mirror in place may be the base of a new one.

    Args:
        mirror: The mirror in place.
        workspace: What the document holds now.
        facts: What the new mirror will say of itself.
    """
    return (
        mirror.fault is None
        and workspace.base is not None
        and workspace.base == mirror.source_digest
        and mirror.patches < MOST_PATCHES
        and all(mirror.facts.get(name) == facts.get(name) for name in _FACTS)
        and all(table.edited is not None and table.pick for table in workspace.tables)
    )


class Patch(Candidate):
    """A mirror made of the one in place. Its duties are those of a ``Candidate``."""

    def __init__(self, mirror: str, base: Mirror, *, mode: int) -> None:
        """Prepare a patch.

        Args:
            mirror: The mirror's place.
            base: What is there, and can be believed.
            mode: Permission bits of the document, which the mirror takes over.
        """
        super().__init__(mirror, mode=mode, table_bytes=0)
        self._base = base
        self._edits: list[_Edit] = []

    def fill(self, workspace: Workspace) -> None:
        """Replace the rows that were edited.

        Raises:
            UnpatchableError: The mirror in place is no base.
        """
        schemas = plan(workspace.tables)
        if [schema.name for schema in schemas] != sorted(self._base.digests):
            raise UnpatchableError("tables came or went")
        self.problems += workspace.problems
        self._roots = workspace.roots
        with mirror_errors(self._mirror, lambda: self._connection):
            self._edits = [self._edit(schema) for schema in schemas]
            try:
                self._write()
            except (apsw.TooBigError, apsw.ConstraintError) as error:
                raise UnpatchableError(str(error)) from error

    def finish(self, facts: Mapping[str, str | None], fts: tuple[str, ...]) -> None:
        """Write the catalog anew, and close the file."""
        self._patches = self._base.patches + 1
        super().finish(facts, fts)

    def _index(self, fts: tuple[str, ...]) -> tuple[dict[str, str], list[Problem]]:
        """Bring the indexes of changed tables in step; their names and problems stay."""
        del fts
        connection = self._open()
        indexes = self._base.fts_indexes
        for edit in self._edits:
            name = indexes.get(edit.built.name)
            if name is not None and edit.edited:
                connection.execute(f"INSERT INTO {quote(name)}({quote(name)}) VALUES ('rebuild')")
        lines: Any = connection.execute("SELECT * FROM _mirror_problems WHERE kind = 'fts'")
        return indexes, [Problem(*line) for line in lines]

    def _prepare_catalog(self) -> None:
        for part in ("", "_tables", "_columns", "_problems", "_roots", "_chunks"):
            self._open().execute(f"DELETE FROM _mirror{part}")

    def _settle(self) -> None:
        """Nothing is left to do: the schema was decided before the rows were written."""

    def _close(self) -> None:
        super()._close()
        with open(self.file.path, "r+b") as file:
            for offset in _COUNTERS:
                file.seek(offset)
                file.write((1).to_bytes(4, "big"))

    def _begin(self) -> None:
        """Copy the mirror in place and open the copy.

        Raises:
            UnpatchableError: Somebody was at the mirror meanwhile.
        """
        self.file.create(self._mode)
        reader = open_reader(self._mirror)
        try:
            reader.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()
            with open(self._mirror, "rb") as source, open(self.file.path, "r+b") as target:
                while data := source.read(_BLOCK):
                    target.write(data)
                if FileVersion.of(os.fstat(source.fileno())) != self._base.version:
                    raise UnpatchableError("the mirror was replaced")
        finally:
            reader.close(force=True)
        if change_counter(self.file.path) != self._base.change_counter:
            raise UnpatchableError("the mirror was written to")
        self._connection = connect(self.file.path, flags=apsw.SQLITE_OPEN_READWRITE, locks=False)
        self._connection.execute(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; BEGIN EXCLUSIVE"
        ).fetchall()

    def _edit(self, schema: TableSchema) -> _Edit:
        """Work out a table as it will be. Nothing is written yet."""
        lines, rows = self._lines(schema.name), dict[str, tuple[Cell, ...]]()
        edited = schema.table.edited or frozenset()
        if len(edited) > max(_FEW, sum(line.rows for line in lines) // 2):
            raise UnpatchableError("most rows changed")
        new, done = list[ChunkLine](), 0
        for region in regions([line.first_id for line in lines], edited) if edited else ():
            new += lines[done : region.start]
            new += self._walk(schema, region, edited, rows)
            done = region.end
        new += lines[done:]
        summaries = [decode(line.summary) for line in new]
        if any(kind == "too_large" for one in summaries for _, kind, *_ in one.problems):
            raise UnpatchableError("a row is too large for SQLite")
        decided = zip(schema.columns, columns_of(schema, summaries), strict=True)
        built = Built(
            name=schema.name,
            table=schema.table,
            columns=[(column, declared, nullable) for column, (declared, nullable) in decided],
            rows=sum(line.rows for line in new),
            digest=digest_table(schema.table, [line.digest for line in new]),
            chunks=new,
        )
        self._check_columns(built)
        self._tables.append(built)
        self.problems += problems_of_table(schema, summaries)
        columns = [(c.name, declared, not null) for c, declared, null in built.columns]
        return _Edit(built, create_table(schema.name, columns), edited, rows)

    def _lines(self, table: str) -> list[ChunkLine]:
        sql = "SELECT first_id, rows, digest, summary FROM _mirror_chunks WHERE table_name = ?"
        lines: Any = self._open().execute(f"{sql} ORDER BY first_id", (table,))
        return [ChunkLine(*line) for line in lines]

    def _walk(
        self,
        schema: TableSchema,
        region: Region,
        edited: frozenset[str],
        rows: dict[str, tuple[Cell, ...]],
    ) -> Iterator[ChunkLine]:
        """Walk the rows of a region again; the edited ones are added to ``rows``."""
        pick = schema.table.pick
        if pick is None:
            raise UnpatchableError("its rows cannot be picked")
        there: Any = self._open().execute(
            f"SELECT id FROM {quote(schema.name)} WHERE (:low IS NULL OR id >= :low)"
            " AND (:high IS NULL OR id < :high)",
            {"low": region.low, "high": region.high},
        )
        ids = sorted({*(row_id for (row_id,) in there), *filter(region.holds, edited)})
        blocks = (
            pick(ids[start : start + ROWS_PER_CHUNK])
            for start in range(0, len(ids), ROWS_PER_CHUNK)
        )
        writer, digests = RowWriter(schema), ChunkDigests()
        for piece in pieces(blocks):
            digests.add(piece)
            rows.update((row[0], row[:-1]) for row in writer.convert(piece) if row[0] in edited)
        summaries = map(encode, writer.summaries())
        yield from map(
            ChunkLine, digests.first_ids, digests.rows(), digests.hexdigests(), summaries
        )

    def _check_columns(self, built: Built) -> None:
        """Make sure that stored cells of rows that nobody edited stay as they are.

        Raises:
            UnpatchableError: A column is new, gone, or of another type.
        """
        sql = "SELECT name, position, source, type, sqlite_type FROM _mirror_columns"
        stored: Any = self._open().execute(
            f"{sql} WHERE table_name = ? ORDER BY position", (built.name,)
        )
        if [tuple(line) for line in stored] != [line[1:6] for line in column_lines(built)]:
            raise UnpatchableError(f"the columns of {built.name} are others")

    def _write(self) -> None:
        connection = self._open()
        schema: Any = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type='table'")
        known = dict(schema)
        changed = [edit for edit in self._edits if known.get(edit.built.name) != edit.sql]
        if changed:  # a column can hold NULL now, or does no longer
            connection.execute("PRAGMA writable_schema=ON")
            connection.executemany(
                "UPDATE sqlite_schema SET sql=? WHERE type='table' AND name=?",
                [(edit.sql, edit.built.name) for edit in changed],
            )
            connection.execute("PRAGMA writable_schema=RESET")
        for edit in self._edits:
            if edit.edited:
                _TableWriter(connection, edit).write()


class _TableWriter:
    """Writes the edited rows of one table."""

    def __init__(self, connection: apsw.Connection, edit: _Edit) -> None:
        self._connection = connection
        self._edit = edit
        self._table = quote(edit.built.name)
        names = [column.name for column, _, _ in edit.built.columns]
        self._rowid = rowid_of(names)
        self._insert = insert_row(edit.built.name, names)
        sets = ",".join(f"{quote(name)}=?" for name in (*names, "_extra"))
        self._update = f"UPDATE {self._table} SET {sets} WHERE id=?"

    def write(self) -> None:
        """Delete, replace and insert, in the order of ids.

        Raises:
            UnpatchableError: There is no room for a row between two others.
        """
        connection: Any = self._connection
        execute = connection.execute
        for row_id in sorted(self._edit.edited):
            row = self._edit.rows.get(row_id)
            if row is None:
                execute(f"DELETE FROM {self._table} WHERE id=?", (row_id,))
            elif execute(f"SELECT 1 FROM {self._table} WHERE id=?", (row_id,)).get:
                execute(self._update, (*row[1:], row_id))
            else:
                execute(self._insert, (*row, self._place(row_id)))

    def _place(self, row_id: str) -> int:
        """Give a rowid between those of the neighbours."""
        if self._rowid is None:
            raise UnpatchableError("its rowids have no name")
        before = self._neighbour("id < ? ORDER BY id DESC", row_id) or 0
        after = self._neighbour("id > ? ORDER BY id", row_id)
        place = before + ROWID_STEP if after is None else (before + after) // 2
        if place <= before or place >= 1 << 62:
            raise UnpatchableError("there is no rowid left")
        return place

    def _neighbour(self, where: str, row_id: str) -> int | None:
        found: Any = self._connection.execute(
            f"SELECT {self._rowid} FROM {self._table} WHERE {where} LIMIT 1",
            (row_id,),
        ).get
        rowid: int | None = found
        return rowid
