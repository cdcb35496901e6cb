"""Documents made by real Yjs at test time: definitions at every level, and a large table."""

from pathlib import Path

import pytest

from tests.support.apps import mirror_of, place
from tests.support.data import DOCUMENTS
from tests.support.mirrors import assert_holds, query, read_tables
from tests.support.node import expected_of, make_documents, needs_node
from tests.support.program import sync


@needs_node
def test_both_definition_roots_at_every_level(tmp_path: Path) -> None:
    """``definition`` and ``schema``, with 0 to 4 outer levels as Y.Maps, all read the same."""
    made = make_documents(tmp_path / "made", "levels")
    placed = [place(path, tmp_path / "app", workspace=path.stem) for path in made]
    sync(tmp_path / "app")
    for source, document in zip(made, placed, strict=True):
        assert_holds(mirror_of(document), expected_of(source))
    first, *others = (read_tables(mirror_of(document)) for document in placed)
    assert len(others) == 9
    assert all(other == first for other in others)


@pytest.mark.slow
@needs_node
def test_ten_thousand_rows_of_ten_fields(tmp_path: Path) -> None:
    """A mirror of 10,000 rows x 10 fields equals the rows JavaScript reports, cell by cell."""
    (made,) = make_documents(tmp_path / "made", "many", "10000")
    mirror = mirror_of(place(made, tmp_path / "app"))
    sync(tmp_path / "app")
    assert_holds(mirror, expected_of(made))
    assert query(mirror, "SELECT count(*) FROM items") == [(10_000,)]
    assert query(mirror, "PRAGMA integrity_check") == [("ok",)]


def test_json_columns_answer_json_queries(tmp_path: Path) -> None:
    """``json_each`` works on the tags of every row, and ``json_extract`` on json columns."""
    mirror = mirror_of(place(DOCUMENTS / "every_type.yjs", tmp_path))
    sync(tmp_path)
    by_tag = "SELECT value, count(*) FROM things, json_each(labels) GROUP BY value ORDER BY value"
    assert query(mirror, by_tag) == [("red", 3), ("shade 1", 1), ("shade 2", 1), ("shade 3", 1)]
    nested = "SELECT json_extract(meta, '$.a.nested[1]') FROM things ORDER BY id"
    assert query(mirror, nested) == [(2.5,), (2.5,), (2.5,)]
