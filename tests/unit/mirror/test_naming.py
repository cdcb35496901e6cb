"""Names of tables and columns: the app's own, changed only where SQLite requires it."""

import sqlite3
from contextlib import closing
from itertools import product

import pytest

from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import place_columns, place_tables


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        ([""], [""]),
        (["A", "a"], ["A", "a_2"]),
        (["A", "a", "a_2"], ["A", "a_3", "a_2"]),
        (["É", "é"], ["É", "é"]),
        (["e\u0301", "\u00e9"], ["e\u0301", "\u00e9"]),
        (["a\0b"], ["a\ufffdb"]),
        (["a\0b", "a\ufffdb"], ["a\ufffdb_2", "a\ufffdb"]),
        (["sqlite_x"], ["_sqlite_x"]),
        (["SQLITE_x"], ["_SQLITE_x"]),
        (["_sqlite_x", "sqlite_x"], ["_sqlite_x", "_sqlite_x_2"]),
        (["sqlite"], ["sqlite"]),
        (["_mirror"], ["_mirror_2"]),
        (["_mirror", "_mirror_2"], ["_mirror_2", "_mirror_2_2"]),
        (["_Mirror_tables"], ["_Mirror_tables_2"]),
        (["_mirrors"], ["_mirrors_2"]),
        (["same", "same"], ["same", "same_2"]),
    ],
)
def test_names_of_tables(names: list[str], expected: list[str]) -> None:
    """Changed only where necessary; names that need no change are placed first."""
    assert place_tables(names) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["_mirror", "sqlite_x"], ["_mirror", "sqlite_x"]),
        (["ID", "Id"], ["ID_2", "Id_3"]),
        (["_EXTRA", "_extra"], ["_EXTRA_2", "_extra_3"]),
        (["ID_2", "Id"], ["ID_2", "Id_3"]),
        (["a\0"], ["a\ufffd"]),
        (["N", "n"], ["N", "n_2"]),
    ],
)
def test_names_of_columns(names: list[str], expected: list[str]) -> None:
    """`id` and `_extra` are reserved; columns may have names that tables may not."""
    assert place_columns(names) == expected


@pytest.mark.parametrize(
    "name", ["a", 'a"b', '"', "", "drop table x; --", "a'b", "[x]", "漢字", "🌱"]
)
def test_a_quoted_name_is_that_name(name: str) -> None:
    """With any characters, SQLite reads the same name."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {quote(name)} ({quote(name)})")
        found = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        columns = connection.execute(f"SELECT * FROM {quote(name)}").description
    assert found == [(name,)]
    assert columns[0][0] == name


def test_folding_is_ascii_only() -> None:
    """As SQLite compares names; lone surrogates are no error."""
    assert fold("ÀbC\udc80") == "Àbc\udc80"


def test_numbers_are_the_first_that_are_free() -> None:
    """From two up, without numbers that are already used."""
    assert place_tables(["N", "n"]) == ["N", "n_2"]
    assert place_tables(["N", "N_2", "n", "n_3"]) == ["N", "N_2", "n_4", "n_3"]


def test_names_equal_but_for_case_cost_what_their_number_is() -> None:
    """16,000 of them are placed quickly: each continues from the last number."""
    letters = "abcdefghijklmn"
    names = sorted("".join(pair) for pair in product(*([x, x.upper()] for x in letters)))
    placed = place_tables(names)
    assert placed[:3] == ["ABCDEFGHIJKLMN", "ABCDEFGHIJKLMn_2", "ABCDEFGHIJKLmN_3"]
    assert len(set(map(fold, placed))) == len(names) == 1 << len(letters)
