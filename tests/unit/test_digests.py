"""Digests: canonical, and different whenever a mirror would be."""

import hashlib
import io

import msgspec
import pytest

from sidecar.digests import TableDigest, digest_bytes, digest_stream
from sidecar.model import Chunk, FieldDefinition, RowProblem, Table, TableDefinition

CHUNK = Chunk(["a", "b"], [[1, 2], ["x", None]], [None, {"more": [1]}], [])
DEFINITION = TableDefinition((FieldDefinition("n", "integer"),), {"fields": {"n": {}}})


def table(**changes: object) -> Table:
    """Return a table of two undeclared fields."""
    base = Table("t", "maps", None, ("n", "s"), lambda: iter(()))
    return msgspec.structs.replace(base, **changes)


def digest(of: Table, *chunks: Chunk) -> str:
    """Return the digest of a table with these rows."""
    digest = TableDigest(of)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


@pytest.mark.parametrize("data", [b"", b"bytes", bytes(1 << 20)])
def test_bytes_have_one_digest_however_they_come(data: bytes) -> None:
    """At once or block by block: SHA-256."""
    stream = io.BytesIO(data)
    assert digest_bytes(data) == digest_stream(stream.readinto) == hashlib.sha256(data).hexdigest()


def test_equal_content_has_equal_digests() -> None:
    """The order of keys in a map is not content."""
    other = Chunk(["a"], [[{"x": 1, "y": 2}]], [{"p": 1, "q": 2}], [])
    same = Chunk(["a"], [[{"y": 2, "x": 1}]], [{"q": 2, "p": 1}], [])
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
    """Ids, cells by value and kind, what has no column, what was bent."""
    assert digest(table(), CHUNK) != digest(table(), msgspec.structs.replace(CHUNK, **changed))


def test_every_chunk_counts() -> None:
    """Also one without rows would."""
    assert len({digest(table()), digest(table(), CHUNK), digest(table(), CHUNK, CHUNK)}) == 3
