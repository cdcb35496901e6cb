"""The header of a file says whether it is a mirror."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.mirror.header import APPLICATION_ID, bears, field, is_mirror, is_of
from tests.support.desk import Desk


def test_a_mirror_is_one(tmp_path: Path) -> None:
    """Its text encoding is UTF-8: 1 at offset 56."""
    mirror = Desk.with_two_notes(tmp_path / "w1").mirror
    assert is_mirror(str(mirror))
    assert not bears(str(mirror), 7)
    assert field(mirror.read_bytes(), 56) == 1


def test_a_database_of_somebody_else_is_none(tmp_path: Path) -> None:
    """Its application id is another."""
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
        connection.execute("CREATE TABLE t (a)")
    assert not is_mirror(str(path))
    assert bears(str(path), 7)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"text", b"SQLite format 3\0" * 9])
def test_what_is_no_database_of_ours_is_no_mirror(content: bytes, tmp_path: Path) -> None:
    """However short it is."""
    (tmp_path / "file").write_bytes(content)
    assert not is_mirror(str(tmp_path / "file"))
    assert not is_of(content, APPLICATION_ID)


def test_a_folder_and_nothing_are_no_mirrors(tmp_path: Path) -> None:
    """Neither can be read."""
    assert not is_mirror(str(tmp_path))
    assert not is_mirror(str(tmp_path / "nothing"))
