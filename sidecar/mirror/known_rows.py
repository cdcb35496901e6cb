"""What a process remembers of the rows of chunks, so that an edit reads only the edited ones.

It is believed of a chunk only where it makes the digest that the mirror has of that chunk. Values
in, values out.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sidecar.digests import Piece, chunk_starts, digest_chunk, digest_rows
from sidecar.mirror.rows import KINDS
from sidecar.mirror.schema import Kind, TableSchema
from sidecar.mirror.summaries import ChunkLine, Summary, encode, summarize
from sidecar.model import Block

Shape = tuple[type, ...]
"""The types of the cells of a row."""

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

    def line(self, summary: Summary) -> ChunkLine:
        """Give a chunk of these rows as it stands in ``_mirror_chunks``."""
        return ChunkLine(self.ids[0], len(self.ids), digest_chunk(self.digests), encode(summary))

    def add(self, other: "KnownRows") -> None:
        """Add the rows behind these."""
        self.ids.extend(other.ids)
        self.digests.extend(other.digests)
        self.shapes.extend(other.shapes)

    def part(self, start: int, end: int) -> "KnownRows":
        """Give some of the rows."""
        return KnownRows(self.ids[start:end], self.digests[start:end], self.shapes[start:end])


def known(rows: Block, digests: list[bytes] | None = None) -> KnownRows:
    """Give what is to be remembered of some rows.

    Args:
        rows: They.
        digests: Of each, where they are known.
    """
    found = list(zip(*(map(type, column) for column in rows.columns), strict=True))
    shapes: list[Shape] = found if rows.columns else [()] * len(rows.ids)
    own: dict[Shape, Shape] = {}
    return KnownRows(
        [*rows.ids], digests or digest_rows(rows), list(map(own.setdefault, shapes, shapes))
    )


class Remembered:
    """The chunks of a table, as its rows pass by.

    Attributes:
        chunks: Of each chunk so far its rows.
    """

    def __init__(self) -> None:
        self.chunks: list[KnownRows] = []

    def add(self, piece: Piece, digests: list[bytes]) -> None:
        """Add the next rows, with the digest of each."""
        rows = known(piece.rows, digests)
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


def summary_of(schema: TableSchema, shapes: Iterable[Shape]) -> Summary:
    """Summarise rows of which ``is_plain`` holds, as ``RowWriter`` does."""
    found = set(shapes)
    types = [{shape[source] for shape in found} for source in schema.order]
    kinds: list[set[Kind]] = [{KINDS[kind] for kind in own if kind is not _NULL} for own in types]
    return summarize(schema, kinds, [_NULL in own for own in types])


def is_plain(summary: Summary) -> bool:
    """Tell whether a summary follows from the shapes of its rows: no problems, no wide integers."""
    return not summary.problems and all("wide" not in kinds for kinds in summary.kinds.values())
