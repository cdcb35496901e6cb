"""The whole part of a cut update: it can be decoded, and has no additional content."""

from typing import Any

import pytest
from pycrdt import Doc, Map

from sidecar.yjs.normalize import normalize
from sidecar.yjs.salvage import salvage
from sidecar.yjs.update import UpdateReader
from tests.support.documents import document


def rows_of(update: bytes) -> dict[str, Any]:
    """Decode an update, and return the rows of its table."""
    doc: Doc[Any] = Doc()
    doc.apply_update(normalize(salvage(update)).update)
    tables = doc.get("tables", type=Map).to_py() or {}
    rows: dict[str, Any] = tables.get("notes", {})
    return rows


def two_writers() -> bytes:
    """Return a document in which one writer's structs refer to another's."""
    doc: Doc[Any] = Doc(client_id=2)
    doc.apply_update(document(3))
    with doc.transaction():
        doc.get("tables", type=Map)["notes"]["r9"] = Map({"title": "late"})
    return doc.get_update()


@pytest.mark.parametrize("whole", [document(5), two_writers()], ids=["one writer", "two writers"])
def test_every_cut_gives_what_was_whole(whole: bytes) -> None:
    """More bytes never give fewer rows, and no cell has another value than in the document."""
    all_rows = rows_of(whole)
    counts = []
    for end in range(len(whole)):
        rows = rows_of(whole[:end])
        counts.append(len(rows))
        for key, row in rows.items():
            assert row.items() <= all_rows[key].items()
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == len(all_rows)


def test_zeros_at_the_end_are_nothing() -> None:
    """As in a file that was not completely written."""
    whole = document(5)
    cut = whole[: len(whole) // 2]
    assert rows_of(cut + bytes(500)).keys() >= rows_of(cut).keys()


@pytest.mark.parametrize("data", [b"", b"\0", b"hello world", b"\xff" * 40, b"\1\5\1\0"])
def test_what_is_no_update_gives_an_empty_one(data: bytes) -> None:
    """Nothing is raised, for any bytes."""
    reader = UpdateReader(salvage(data))
    assert list(reader.structs()) == []
    assert reader.deleted() == {}
