"""Canonical digests: of document bytes, rows, chunks of rows, tables. The only user of hashlib.

SHA-256, because other people choose the content of a document: with a hash that is not
collision-resistant they could hide an edit. 32 MB take 0.02 s, digests of 100,000 rows 0.1 s.

The ids of the rows decide where a chunk begins. So a row that is added or deleted changes the
digest of one chunk only.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from sidecar.model import Block, Root, RowProblem, Table

LONGEST_CHUNK = 8192
"""Most rows of a chunk."""
_BOUNDARY = (1 << 10) - 1
"""A chunk begins at an id whose CRC-32 has these bits zero: every 1024th on average."""
_BLOCK = 1 << 18
_encode = msgspec.msgpack.Encoder(order="sorted", enc_hook=float).encode
_sha256 = hashlib.sha256


def digest_bytes(data: bytes) -> str:
    """Digest the bytes of a document, as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def digest_stream(read_into: Callable[[bytearray], int | None]) -> str:
    """Digest a stream block by block; the result equals that of ``digest_bytes``.

    Args:
        read_into: Fills the start of a buffer and returns how many bytes; 0 at the end.
    """
    digest, block = hashlib.sha256(), bytearray(_BLOCK)
    view = memoryview(block)
    while size := read_into(block):
        digest.update(view[:size])
    return digest.hexdigest()


def digest_root(root: Root) -> str | None:
    """Digest what a root shows beside its tables; None for a root that is only listed.

    Tables have their own digests. The number of entries is left out, because equal tables can
    need different numbers of entries.
    """
    if root.layout is None and root.text is None:
        return None
    return digest_bytes(_encode((root.name, root.kind, root.layout, root.text)))


def digest_rows(rows: Block) -> list[bytes]:
    """Digest each row: its cells, and the problems that were found while it was read.

    Cells are already canonical (integral floats are ints, JSON has one form) and keys are written
    sorted, so a digest does not depend on the order of edits, merges or maps.
    """
    encoded = map(_encode, zip(rows.ids, rows.extras, *rows.columns, strict=True))
    if not rows.problems:  # each row is digested while the processor still has its bytes
        return [row.digest() for row in map(_sha256, encoded)]
    noted = list(encoded)
    for index, problems in _by_row(rows):
        noted[index] += _encode(problems)
    return [row.digest() for row in map(_sha256, noted)]


def digest_chunk(rows: Iterable[bytes]) -> str:
    """Digest a chunk from the digests of its rows, as lower-case hex."""
    return digest_bytes(b"".join(rows))


def digest_table(table: Table, chunks: Iterable[str]) -> str:
    """Digest a table: its layout, definition, fields and problems, then its chunks."""
    known = table.definition is not None
    definition = table.definition.canonical if table.definition else None
    head = _encode((table.layout, known, definition, table.fields, table.problems))
    return digest_bytes(b"".join((head, *map(bytes.fromhex, chunks))))


def digest_tables(digests: Mapping[str, str | None]) -> str:
    """Digest a mapping of names to digests."""
    return digest_bytes(_encode(dict(digests)))


class Piece(NamedTuple):
    """Consecutive rows of one chunk, from one block of the walk.

    Attributes:
        rows: The rows.
        begins: Whether they are the first ones of their chunk.
    """

    rows: Block
    begins: bool


def pieces(walked: Iterable[Block]) -> Iterator[Piece]:
    """Cut blocks of rows, of any size, where chunks begin."""
    length = LONGEST_CHUNK  # as after a full chunk: the first row begins a new one
    for block in walked:
        bounds = _bounds(block.ids, length)
        for start, end, begins in bounds:
            length = end - start if begins else length + end - start
            whole = end - start == len(block.ids)
            yield Piece(block if whole else _slice(block, start, end), begins)


def chunk_starts(ids: Sequence[str]) -> list[int]:
    """Return the indexes at which chunks begin in sorted ids; the first id begins one."""
    return [start for start, _, begins in _bounds(ids, LONGEST_CHUNK) if begins]


class ChunkDigests:
    """The digests of a table's chunks, as its rows pass by.

    Attributes:
        first_ids: The id of each chunk's first row.
    """

    def __init__(self) -> None:
        self.first_ids: list[str] = []
        self._rows: list[list[bytes]] = []

    def add(self, piece: Piece) -> list[bytes]:
        """Add the next rows of the table, and return the digest of each."""
        if piece.begins:
            self.first_ids.append(piece.rows.ids[0])
            self._rows.append([])
        fresh = digest_rows(piece.rows)
        self._rows[-1] += fresh
        return fresh

    def rows(self) -> list[int]:
        """Return the number of rows of each chunk."""
        return [len(rows) for rows in self._rows]

    def hexdigests(self) -> list[str]:
        """Return the digest of each chunk."""
        return [digest_chunk(rows) for rows in self._rows]


def digest_of(table: Table) -> str:
    """Walk all rows of a table and digest it."""
    chunks = ChunkDigests()
    for piece in pieces(table.blocks()):
        chunks.add(piece)
    return digest_table(table, chunks.hexdigests())


def begins_chunk(row_id: str) -> bool:
    """Return whether this id begins a chunk, whatever rows are before it."""
    return not zlib.crc32(row_id.encode()) & _BOUNDARY


def _bounds(ids: Sequence[str], length: int) -> list[tuple[int, int, bool]]:
    """Return start, end and whether a chunk begins there, for the pieces of a block.

    Args:
        ids: Of the block's rows.
        length: Rows of the open chunk so far.
    """
    crcs = map(zlib.crc32, map(str.encode, ids))
    marks = [index for index, crc in enumerate(crcs) if not crc & _BOUNDARY]
    starts: list[int] = []
    for mark in (*marks, len(ids)):
        full = (starts[-1] if starts else -length) + LONGEST_CHUNK
        while full < mark:
            starts.append(full)
            full += LONGEST_CHUNK
        if mark < len(ids):
            starts.append(mark)
    if not ids:
        return []
    heads = [(0, False)] if not starts or starts[0] else []
    heads += [(start, True) for start in starts]
    ends = [start for start, _ in heads[1:]] + [len(ids)]
    return [(start, end, begins) for (start, begins), end in zip(heads, ends, strict=True)]


def _slice(rows: Block, start: int, end: int) -> Block:
    ids = rows.ids[start:end]
    problems = rows.problems
    if problems:
        inside = set(ids)
        problems = [problem for problem in problems if problem.row_id in inside]
    return msgspec.structs.replace(
        rows,
        ids=ids,
        columns=[column[start:end] for column in rows.columns],
        extras=rows.extras[start:end],
        problems=problems,
    )


def _by_row(rows: Block) -> Iterator[tuple[int, list[RowProblem]]]:
    """Yield the index and the problems of each row that has problems."""
    if not rows.problems:
        return
    found: dict[str, list[RowProblem]] = {}
    for problem in rows.problems:
        found.setdefault(problem.row_id, []).append(problem)
    for index, row_id in enumerate(rows.ids):
        if row_id in found:
            yield index, found[row_id]
