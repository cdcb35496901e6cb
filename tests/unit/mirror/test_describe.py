"""Descriptions of tables in a mirror's catalog."""

from pathlib import Path

import pytest

from sidecar.errors import MirrorDamagedError
from sidecar.mirror.describe import count_problems, read_tables
from sidecar.reports import SchemaColumn
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of two notes."""
    desk = Desk(tmp_path / "w1")
    desk.put("notes", "n1", title="One", stars=5.0, tags=["a"])
    desk.put("notes", "n2", title="x" * 200, stars="5", undeclared=True)
    desk.sync()
    return desk


def test_tables_and_columns_with_the_apps_words(desk: Desk) -> None:
    """Labels, kinds and options are those of the definition."""
    (table,) = read_tables(str(desk.mirror))
    assert (table.name, table.label, table.rows) == ("notes", "Notes", 2)
    assert [column.name for column in table.columns] == [
        *("id", "body", "done", "stars", "tags", "title", "_extra"),
    ]
    columns = {column.name: column for column in table.columns}
    assert columns["tags"] == SchemaColumn("tags", "tags", "TEXT", True, None, None, ["a", "b"])
    assert columns["title"].label == "Title"
    assert columns["body"].description == "What it is about"
    assert not columns["title"].nullable


def test_samples_only_when_asked_for(desk: Desk) -> None:
    """Distinct values, no nulls, long texts cut."""
    (table,) = read_tables(str(desk.mirror), samples=1)
    samples = {column.name: column.samples for column in table.columns}
    assert samples["id"] == ("n1",)
    assert samples["stars"] == (5,)
    assert samples["done"] == ()
    (table,) = read_tables(str(desk.mirror), samples=5)
    samples = {column.name: column.samples for column in table.columns}
    assert samples["title"] == ("One", "x" * 80)
    assert samples["stars"] == (5,)


def test_problems_are_counted(desk: Desk) -> None:
    """One line for each field and kind."""
    assert count_problems(str(desk.mirror)) == 1


def test_what_is_no_mirror(tmp_path: Path) -> None:
    """Its tables cannot be read, and it has no problems to count."""
    (tmp_path / "file").write_bytes(b"hello")
    with pytest.raises(MirrorDamagedError, match="run sync"):
        read_tables(str(tmp_path / "file"))
    assert count_problems(str(tmp_path / "file")) == 0
