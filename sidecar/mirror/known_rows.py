"""What a process remembers of the rows of chunks, so that an edit reads only the edited ones.

It is believed of a chunk only where it makes the digest that the mirror has of that chunk. Values
in, values out.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import compress, count
from typing import NamedTuple

from sidecar.digests import Piece, chunk_starts, digest_chunk, digest_rows
from sidecar.mirror.rows import KINDS, RowWriter, is_wide
from sidecar.mirror.schema import Kind, TableSchema
from sidecar.mirror.summaries import (
    ChunkLine,
    Problems,
    RowProblemLine,
    Summary,
    encode,
    summarize,
)
from sidecar.model import Block, Cell


class OddRow(NamedTuple):
    """What a row with problems or wide integers adds to the summary of its chunk.

    Attributes:
        types: Of its cells.
        wide: The columns in which it has an integer beyond 2^53.
        nulls: The columns in which nothing is stored.
        problems: Field, kind and detail of each.
    """

    types: tuple[type, ...]
    wide: tuple[int, ...]
    nulls: tuple[int, ...]
    problems: tuple[RowProblemLine, ...]


Shape = tuple[type, ...] | OddRow
"""What the summary of a chunk says of a row: mostly the types of its cells tell all of it."""

Known = dict[str, "KnownRows"]
"""The rows of chunks, by the digest of the chunk."""

Notes = dict[tuple[str, tuple[str, ...]], Known]
"""That of each table, by its name and fields: shapes are of cells in the order of the fields."""

_NULL = type(None)


class KnownRows(NamedTuple):
    """Some rows of a table, in order.

    Attributes:
        ids: Of each row.
        digests: Of each row.
        shapes: Of each row; equal ones are one object.
    """

    ids: list[str]
    digests: list[bytes]
    shapes: list[Shape]

    def line(self, schema: TableSchema) -> ChunkLine:
        """Give a chunk of these rows as it stands in ``_mirror_chunks``."""
        summary = encode(summary_of(schema, self))
        return ChunkLine(self.ids[0], len(self.ids), digest_chunk(self.digests), summary)

    def add(self, other: "KnownRows") -> None:
        """Add the rows behind these."""
        self.ids.extend(other.ids)
        self.digests.extend(other.digests)
        self.shapes.extend(other.shapes)

    def part(self, start: int, end: int) -> "KnownRows":
        """Give some of the rows."""
        return KnownRows(self.ids[start:end], self.digests[start:end], self.shapes[start:end])


def known(
    rows: Block,
    columns: Sequence[Sequence[Cell]],
    writer: RowWriter,
    digests: list[bytes] | None = None,
) -> KnownRows:
    """Give what is to be remembered of some rows.

    Args:
        rows: They.
        columns: Theirs, as the writer gave them.
        writer: What has just converted them.
        digests: Of each, where they are known.
    """
    found = list(zip(*(map(type, column) for column in rows.columns), strict=True))
    shapes: list[Shape] = [*found] if rows.columns else [()] * len(rows.ids)
    if writer.odd:
        for index, row_id in enumerate(rows.ids):
            if (problems := writer.odd.get(row_id)) is not None:
                cells = [column[index] for column in rows.columns]
                stored = [column[index] for column in columns[1 : 1 + len(writer.schema.columns)]]
                shapes[index] = _odd(writer.schema, cells, stored, problems)
    own: dict[Shape, Shape] = {}
    return KnownRows(
        [*rows.ids], digests or digest_rows(rows), list(map(own.setdefault, shapes, shapes))
    )


def _odd(
    schema: TableSchema,
    cells: Sequence[Cell],
    stored: Sequence[Cell],
    problems: Iterable[RowProblemLine],
) -> OddRow:
    columns = zip(schema.columns, schema.order, strict=True)
    own = [column.field is None and is_wide(cells[source]) for column, source in columns]
    return OddRow(
        types=tuple(map(type, cells)),
        wide=tuple(compress(count(), own)),
        nulls=tuple(place for place, value in enumerate(stored) if value is None),
        problems=tuple(problems),
    )


class Remembered:
    """The chunks of a table, as its rows pass by.

    Attributes:
        chunks: Of each chunk so far its rows.
    """

    def __init__(self) -> None:
        self.chunks: list[KnownRows] = []

    def add(
        self,
        piece: Piece,
        columns: Sequence[Sequence[Cell]],
        writer: RowWriter,
        digests: list[bytes],
    ) -> None:
        """Add the next rows, with the digest of each; otherwise as ``known``."""
        rows = known(piece.rows, columns, writer, digests)
        if piece.begins:
            self.chunks.append(rows)
        else:
            self.chunks[-1].add(rows)


def replaced(
    chunks: Sequence[KnownRows], edited: Collection[str], fresh: KnownRows
) -> list[KnownRows]:
    """Give the chunks of a region after an edit.

    Args:
        chunks: Those of the region before; they stay as they are.
        edited: Ids of its rows that changed, came or went.
        fresh: Those of them that are there.
    """
    whole = KnownRows([], [], [])
    for chunk in chunks:
        whole.add(chunk)
    places = {row_id: at for at, row_id in enumerate(fresh.ids)}
    is_moved = False
    for row_id in edited:
        at, place = bisect_left(whole.ids, row_id), places.get(row_id)
        is_there = at < len(whole.ids) and whole.ids[at] == row_id
        is_moved |= is_there != (place is not None)
        row = fresh.part(0, 0) if place is None else fresh.part(place, place + 1)
        whole.ids[at : at + is_there] = row.ids
        whole.digests[at : at + is_there] = row.digests
        whole.shapes[at : at + is_there] = row.shapes
    if len(chunks) == 1 and not is_moved:
        return [whole]
    starts = chunk_starts(whole.ids)
    ends = [*starts[1:], len(whole.ids)]
    return [whole.part(start, end) for start, end in zip(starts, ends, strict=True)]


def summary_of(schema: TableSchema, rows: KnownRows) -> Summary:
    """Summarise the rows of a chunk, as ``RowWriter`` does."""
    plain: list[tuple[type, ...]] = []
    odd: list[OddRow] = []
    for shape in set(rows.shapes):
        if isinstance(shape, OddRow):
            odd.append(shape)
        else:
            plain.append(shape)
    types = [*plain, *(row.types for row in odd)]
    kinds: list[set[Kind]] = [
        {KINDS[kind] for kind in {own[source] for own in types} if kind is not _NULL}
        for source in schema.order
    ]
    nulls = [any(own[source] is _NULL for own in plain) for source in schema.order]
    for row in odd:
        for column in row.wide:
            kinds[column].add("wide")
        for column in row.nulls:
            nulls[column] = True
    problems = Problems()
    for row_id, shape in zip(rows.ids, rows.shapes, strict=True) if odd else ():
        if isinstance(shape, OddRow):
            problems.add_row(row_id, shape.problems)
    return summarize(schema, kinds, nulls, problems.counted())
