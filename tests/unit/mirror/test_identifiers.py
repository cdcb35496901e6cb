"""How SQLite compares and quotes names."""

import sqlite3
from contextlib import closing

import pytest

from sidecar.mirror.identifiers import fold, quote

NAMES = ["a", "A", "Ä", "ä", 'q"uote', "two words", "", "select", "it's", "表", "a.b", "[x]", "`"]


@pytest.mark.parametrize("name", NAMES)
def test_a_quoted_name_is_that_name(name: str) -> None:
    """Whatever characters are in it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {quote(name)} (a)")
        found = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert found == [(name,)]


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize("second", NAMES)
def test_names_are_alike_where_sqlite_says_so(first: str, second: str) -> None:
    """ASCII letters only."""
    with closing(sqlite3.connect(":memory:")) as connection:
        alike = connection.execute("SELECT ? = ? COLLATE NOCASE", (first, second)).fetchone()[0]
    assert (fold(first) == fold(second)) == bool(alike)
