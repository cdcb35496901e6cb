"""Names in the mirror: never two alike, near to the app's own, the same whoever is beside them."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import place_columns, place_tables
from sidecar.mirror.schema import create_table

FRAGMENTS = ["a", "A", "_2", "_3", "id", "ID", "_extra", "_mirror", "sqlite_", "SQLite_", "\0", "é"]
awkward = st.lists(st.sampled_from(FRAGMENTS), max_size=4).map("".join)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.lists(st.one_of(awkward, text), max_size=12, unique=True).map(sorted)


@given(names)
def test_sqlite_takes_all_tables_under_their_names(found: list[str]) -> None:
    """No two alike but for ASCII case, none that SQLite keeps for itself, none of ours."""
    placed = place_tables(found)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE _mirror_tables (name)")
        for name in placed:
            connection.execute(create_table(name, []))
        seen = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        assert {name for (name,) in seen} == {*placed, "_mirror_tables"}


@given(names)
def test_sqlite_takes_all_columns_under_their_names(found: list[str]) -> None:
    """Beside `id` and `_extra`."""
    placed = place_columns([name for name in found if name != "id"])
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(create_table("t", [(name, "TEXT", False) for name in placed]))
        seen = connection.execute("SELECT name FROM pragma_table_info('t') ORDER BY cid")
        assert [name for (name,) in seen] == ["id", *placed, "_extra"]


@given(names)
def test_a_name_that_needs_no_change_is_kept(found: list[str]) -> None:
    """Also when another name would be changed into it."""
    for place, ours in ((place_tables, "_mirror"), (place_columns, None)):
        kept: set[str] = set() if ours else {"id", "_extra"}
        given_names = [name for name in found if ours or name != "id"]
        for name, placed in zip(given_names, place(given_names), strict=True):
            changes = "\0" in name or bool(ours and fold(name).startswith(("sqlite_", ours)))
            if not changes and fold(name) not in kept:
                kept.add(fold(name))
                assert placed == name


@given(names)
def test_placing_is_stable(found: list[str]) -> None:
    """The same names give the same names; those that were placed unchanged stay so."""
    placed = place_tables(found)
    assert place_tables(found) == placed
    kept = [name for name, there in zip(found, placed, strict=True) if name == there]
    assert place_tables(kept) == kept


@given(st.one_of(awkward, text))
def test_quoting_says_the_name(name: str) -> None:
    """Whatever is in it but NUL, which is replaced before."""
    shown = name.replace("\0", "")
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(f"SELECT 1 AS {quote(shown)}")
        assert cursor.description[0][0] == shown
