"""Digests: canonical, and different whenever the mirrors differ."""

import hashlib
import io
import zlib

import msgspec
import pytest

from sidecar.digests import (
    LONGEST_CHUNK,
    ChunkDigests,
    digest_bytes,
    digest_of,
    digest_root,
    digest_rows,
    digest_stream,
    pieces,
)
from sidecar.model import Block, FieldDefinition, Root, RowProblem, Table, TableDefinition

CHUNK = Block(["a", "b"], [[1, 2], ["x", None]], [None, {"more": [1]}], [])
DEFINITION = TableDefinition((FieldDefinition("n", "integer"),), {"fields": {"n": {}}})


def table(**changes: object) -> Table:
    """Return a table of two undeclared fields."""
    base = Table("t", "maps", None, ("n", "s"), lambda: iter(()))
    return msgspec.structs.replace(base, **changes)


def digest(of: Table, *chunks: Block) -> str:
    """Return the digest of a table with these rows."""
    return digest_of(msgspec.structs.replace(of, blocks=lambda: iter(chunks)))


@pytest.mark.parametrize("data", [b"", b"bytes", bytes(1 << 20)])
def test_bytes_have_one_digest_however_they_come(data: bytes) -> None:
    """At once or block by block: SHA-256."""
    stream = io.BytesIO(data)
    assert digest_bytes(data) == digest_stream(stream.readinto) == hashlib.sha256(data).hexdigest()


def test_equal_content_has_equal_digests() -> None:
    """The order of keys in a map is not content."""
    other = Block(["a"], [[{"x": 1, "y": 2}]], [{"p": 1, "q": 2}], [])
    same = Block(["a"], [[{"y": 2, "x": 1}]], [{"q": 2, "p": 1}], [])
    assert digest(table(fields=("n",)), other) == digest(table(fields=("n",)), same)


@pytest.mark.parametrize(
    "changed",
    [
        {"layout": "keyed_arrays"},
        {"definition": DEFINITION},
        {"definition": TableDefinition(None, None)},
        {"fields": ("n", "t")},
    ],
)
def test_what_a_table_is_counts(changed: dict[str, object]) -> None:
    """Its layout, its definition, its fields."""
    assert digest(table(), CHUNK) != digest(table(**changed), CHUNK)


@pytest.mark.parametrize(
    "changed",
    [
        {"ids": ["a", "c"]},
        {"columns": [[1, 2], ["x", ""]]},
        {"columns": [[1, 2.5], ["x", None]]},
        {"columns": [[True, 2], ["x", None]]},
        {"columns": [["1", 2], ["x", None]]},
        {"columns": [[b"1", 2], ["x", None]]},
        {"extras": [None, {"more": [2]}]},
        {"extras": [None, [{"more": [1]}]]},
        {"problems": [RowProblem("a", "n", "too_deep")]},
    ],
)
def test_what_its_rows_hold_counts(changed: dict[str, object]) -> None:
    """Ids, cells by value and kind, extras, problems."""
    assert digest(table(), CHUNK) != digest(table(), msgspec.structs.replace(CHUNK, **changed))


def test_rows_that_are_walked_otherwise_have_the_same_digest() -> None:
    """The number of rows in a block does not matter."""
    ids = sorted(f"{number:x}-row" for number in range(5000))
    whole = rows(ids)
    parts = [rows(ids[start : start + 700]) for start in range(0, len(ids), 700)]
    assert digest(table(), whole) == digest(table(), *parts)
    assert digest(table(), whole) != digest(table(), rows(ids[1:]))


def rows(ids: list[str]) -> Block:
    """Return rows whose cells follow from their ids."""
    return Block(ids, [[len(i) for i in ids], ids], [None] * len(ids), [])


def chunks(*walked: Block) -> dict[str, str]:
    """Return the digest of each chunk by its first id."""
    digests = ChunkDigests()
    for piece in pieces(walked):
        digests.add(piece)
    assert sum(digests.rows()) == sum(len(block.ids) for block in walked)
    return dict(zip(digests.first_ids, digests.hexdigests(), strict=True))


def begins(row_id: str) -> bool:
    """Return whether the id itself begins a chunk: ten zero bits of its CRC-32."""
    return zlib.crc32(row_id.encode()) % 1024 == 0


def test_chunks_begin_where_the_ids_say() -> None:
    """At the first row, at every id with ten zero bits, and nowhere else."""
    ids = sorted(f"row {number} ü" for number in range(20_000))
    found = chunks(rows(ids))
    assert set(found) == {ids[0], *filter(begins, ids)}
    assert 10 < len(found) < 40


def test_a_row_that_comes_or_goes_leaves_the_other_chunks_alone() -> None:
    """With any number of rows after it."""
    ids = sorted(f"row {number}" for number in range(20_000))
    inner = next(row_id for row_id in ids[10_000:] if not begins(row_id))
    before = chunks(rows(ids))
    after = chunks(rows([row_id for row_id in ids if row_id != inner]))
    assert before.keys() == after.keys()
    assert len(before.items() - after.items()) == 1


@pytest.mark.parametrize("at_a_time", [1000, 8191, 8192, 8193, 40_000])
def test_a_chunk_ends_when_it_is_full(at_a_time: int) -> None:
    """Ids that all avoid a boundary cannot make one chunk of a whole table."""
    hostile = (f"{number:06}" for number in range(40_000))
    ids = [row_id for row_id in hostile if not begins(row_id)]
    found = chunks(*(rows(ids[n : n + at_a_time]) for n in range(0, len(ids), at_a_time)))
    assert list(found) == ids[::LONGEST_CHUNK]


def test_the_digest_of_a_row_is_sha_256_of_its_cells() -> None:
    """And of its problems; that of a chunk is of its rows' digests."""
    encode = msgspec.msgpack.Encoder(order="sorted").encode
    first = hashlib.sha256(encode(("a", None, 1, "x"))).digest()
    second = hashlib.sha256(encode(("b", {"more": [1]}, 2, None))).digest()
    assert digest_rows(CHUNK) == [first, second]
    assert chunks(CHUNK) == {"a": hashlib.sha256(first + second).hexdigest()}
    noted = msgspec.structs.replace(CHUNK, problems=[RowProblem("b", "n", "too_deep")])
    assert digest_rows(noted)[0] == first
    assert digest_rows(noted)[1] != second


def test_roots_have_digests_of_what_is_shown() -> None:
    """Its text and its kind; not its number of entries, and None for a root that is only listed."""
    root = Root("notes", "text", "shape", 0, "hello")
    assert digest_root(root) == digest_root(msgspec.structs.replace(root, entries=5))
    for changed in ({"text": "bye"}, {"kind": "xml"}, {"name": "other"}, {"layout": "maps"}):
        assert digest_root(root) != digest_root(msgspec.structs.replace(root, **changed))
    assert digest_root(Root("kv", "map", None, 7)) is None
