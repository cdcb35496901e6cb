"""A new mirror out of the last one: a copy in which the edited rows are replaced.

Equal to a build from scratch in rows, their order, types, NOT NULLs, problems, catalog and digests
(its pages are others). Where that cannot be had it says so, and nothing of it is used.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw
import msgspec

from sidecar.digests import ChunkDigests, Piece, digest_table, pieces
from sidecar.files import FileVersion
from sidecar.mirror.build import Candidate
from sidecar.mirror.catalog import Built, column_lines
from sidecar.mirror.edited_rows import EditedRows, Row, UnpatchableError
from sidecar.mirror.header import COUNTERS
from sidecar.mirror.identifiers import quote
from sidecar.mirror.known_rows import (
    Known,
    KnownRows,
    Remembered,
    known,
    replaced,
)
from sidecar.mirror.regions import Region, regions
from sidecar.mirror.rows import RowWriter
from sidecar.mirror.schema import TableSchema, create_table, plan
from sidecar.mirror.sqlite_files import connect, mirror_errors, open_reader
from sidecar.mirror.state import Mirror, change_counter
from sidecar.mirror.summaries import ChunkLine, columns_of, decode, problems_of_table
from sidecar.model import ROWS_PER_BLOCK, Block, Problem, Workspace

__all__ = ["MOST_PATCHES", "Patch", "UnpatchableError", "can_patch"]

MOST_PATCHES = 256
"""After so many a mirror is built from scratch: deleted rows leave room in its pages."""
_FEW = 1000
_BLOCK = 1 << 20
_UNFIT = (apsw.TooBigError, apsw.ConstraintError, apsw.CorruptError, apsw.SQLError)
"""A mirror that somebody has damaged, or a row that it does not take: it is built from scratch."""
_FACTS = ("generator", "options", "layout")


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
    rows: dict[str, Row]


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
        self._roots, self._notes = workspace.roots, workspace.notes
        with mirror_errors(self._mirror, lambda: self._connection):
            try:
                self._edits = [self._edit(schema) for schema in schemas]
                self._write()
            except (*_UNFIT, ValueError) as error:
                raise UnpatchableError(str(error)) from error

    def finish(self, facts: Mapping[str, str | None], fts: tuple[str, ...]) -> None:
        """Write the catalog anew, and close the file."""
        self._patches = self._base.patches + 1
        super().finish(facts, fts)

    def _index(self, fts: tuple[str, ...]) -> tuple[dict[str, str], list[Problem]]:
        """Leave the indexes: they were kept in step, and their names and problems stay."""
        del fts
        connection, indexes = self._open(), self._base.fts_indexes
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
            for offset in COUNTERS:
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
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            with open(self._mirror, "rb") as source, open(self.file.path, "r+b") as target:
                while data := source.read(_BLOCK):
                    target.write(data)
                if FileVersion.of(os.fstat(source.fileno())) != self._base.version:
                    raise UnpatchableError("the mirror was replaced")
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise UnpatchableError(f"the mirror was damaged: {error}") from error
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
        lines, rows = self._lines(schema.name), dict[str, Row]()
        edited = schema.table.edited or frozenset()
        if len(edited) > max(_FEW, sum(line.rows for line in lines) // 2):
            raise UnpatchableError("most rows changed")
        if any(_has_too_large(line) for line in lines):
            raise UnpatchableError("a row is too large for SQLite")
        ids, new, done = sorted(edited), list[ChunkLine](), 0
        for region in regions([line.first_id for line in lines], edited) if edited else ():
            new += lines[done : region.start]
            held = lines[region.start : region.end]
            new += self._again(schema, region, held, region.part(ids), rows)
            done = region.end
        new += lines[done:]
        remembered, there = self._known(schema), {line.digest for line in new}
        for digest in remembered.keys() - there:
            del remembered[digest]
        summaries = [decode(line.summary) for line in new]
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

    def _again(
        self,
        schema: TableSchema,
        region: Region,
        lines: Sequence[ChunkLine],
        edited: Sequence[str],
        rows: dict[str, Row],
    ) -> list[ChunkLine]:
        """Give the chunks of a region anew; its edited rows are added to ``rows``."""
        remembered = self._known(schema)
        chunks = [found for line in lines if (found := remembered.get(line.digest)) is not None]
        if len(chunks) == len(lines):
            return self._replace(schema, chunks, edited, rows)
        return self._walk(schema, region, edited, rows)

    def _replace(
        self,
        schema: TableSchema,
        chunks: Sequence[KnownRows],
        edited: Sequence[str],
        rows: dict[str, Row],
    ) -> list[ChunkLine]:
        """Read the edited rows of a region, and no others."""
        fresh, writer = _picking(schema)(edited), RowWriter(schema)
        columns = writer.columns(Piece(fresh, begins=True))
        after = replaced(chunks, edited, known(fresh, columns, writer))
        rows.update((row[0], row) for row in zip(*columns[:-1], strict=True))
        found = [chunk.line(schema) for chunk in after]
        self._remember(schema, found, after)
        return found

    def _walk(
        self,
        schema: TableSchema,
        region: Region,
        edited: Sequence[str],
        rows: dict[str, Row],
    ) -> list[ChunkLine]:
        """Read all rows of a region again."""
        there: Any = self._open().execute(
            f"SELECT id FROM {quote(schema.name)} WHERE (:low IS NULL OR id >= :low)"
            " AND (:high IS NULL OR id < :high)",
            {"low": region.low, "high": region.high},
        )
        wanted, pick = frozenset(edited), _picking(schema)
        ids = sorted(wanted.union(row_id for (row_id,) in there))
        starts = range(0, len(ids), ROWS_PER_BLOCK)
        blocks = (pick(ids[start : start + ROWS_PER_BLOCK]) for start in starts)
        writer, digests, remembered = RowWriter(schema), ChunkDigests(), Remembered()
        for piece in pieces(blocks):
            row_digests, columns = digests.add(piece), writer.columns(piece)
            remembered.add(piece, columns, writer, row_digests)
            converted = zip(*columns[:-1], strict=True)
            rows.update((row[0], row) for row in converted if row[0] in wanted)
        found = [chunk.line(schema) for chunk in remembered.chunks]
        self._remember(schema, found, remembered.chunks)
        return found

    def _known(self, schema: TableSchema) -> Known:
        notes, key = self._notes, (schema.name, schema.table.fields)
        return notes.setdefault(key, {}) if notes is not None else {}

    def _remember(
        self, schema: TableSchema, lines: Sequence[ChunkLine], chunks: Sequence[KnownRows]
    ) -> None:
        digests = (line.digest for line in lines)
        self._known(schema).update(zip(digests, chunks, strict=True))

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
                self._write_table(edit)

    def _write_table(self, edit: _Edit) -> None:
        built = edit.built
        names = [column.name for column, _, _ in built.columns]
        index = self._base.fts_indexes.get(built.name)
        writer = EditedRows(self._open(), built.name, names, index)
        self.row_changes[built.name] = writer.write(edit.edited, edit.rows, built.rows)


def _has_too_large(line: ChunkLine) -> bool:
    """Tell whether a chunk has a row that was cut for SQLite: only inserting it again tells how."""
    if "too_large" not in line.summary:
        return False
    return any(kind == "too_large" for _, kind, *_ in decode(line.summary).problems)


def _picking(schema: TableSchema) -> Callable[[Sequence[str]], Block]:
    """Give what reads rows by their ids.

    Raises:
        UnpatchableError: There is nothing that does.
    """
    if schema.table.pick is None:
        raise UnpatchableError("its rows cannot be picked")
    return schema.table.pick
