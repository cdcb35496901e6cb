"""Full-text indexes over a mirror's text columns."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.made import tables, update
from tests.support.mirrors import query
from tests.unit.mirror.test_build import build

FIELDS = {
    "title": {"type": "text"},
    "body": {"type": "ytext"},
    "page": {"type": "richtext"},
    "state": {"type": "select"},
    "n": {"type": "integer"},
}
ROW = {"title": "a quick fox", "body": "lazy dog", "page": None, "state": "quick", "n": 1}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """The path of a mirror."""
    return tmp_path / "tables.sqlite"


def indexed(mirror: Path, fts: tuple[str, ...], **rows: dict[str, Any]) -> dict[str, str]:
    """Build a mirror of undeclared tables with indexes; return index by table."""
    build(mirror, update(tables=tables(**rows)), fts=fts)
    return indexes(mirror)


def indexes(mirror: Path) -> dict[str, str]:
    """Return the index of each indexed table, from the catalog."""
    ((text,),) = query(mirror, "SELECT value FROM _mirror WHERE key = 'fts_indexes'")
    found: dict[str, str] = json.loads(text)
    return found


def refusals(mirror: Path) -> list[tuple[str | None, str | None]]:
    """Return table and field of each problem `fts`."""
    return query(mirror, "SELECT table_name, field FROM _mirror_problems WHERE kind = 'fts'")


def matches(mirror: Path, words: str) -> list[str]:
    """Return the ids of the rows of table t that its index finds."""
    sql = (
        "SELECT t.id FROM t_fts JOIN t ON t.rowid = t_fts.rowid"
        " WHERE t_fts.t_fts MATCH ? ORDER BY 1"
    )
    return [row for (row,) in query(mirror, sql, words)]


@pytest.mark.parametrize(
    ("fts", "columns"),
    [
        (("*",), ["body", "page", "title"]),
        (("notes.title",), ["title"]),
        (("notes.title", "notes.state"), ["state", "title"]),
        (("notes.n",), ["n"]),
    ],
)
def test_which_columns_are_indexed(mirror: Path, fts: tuple[str, ...], columns: list[str]) -> None:
    """All declared text columns, or the named columns of any kind."""
    data = update(
        definition={"tables": {"notes": {"fields": FIELDS}}}, tables=tables(notes={"a": ROW})
    )
    build(mirror, data, fts=fts)
    assert indexes(mirror) == {"notes": "notes_fts"}
    found = query(mirror, "SELECT name FROM pragma_table_info('notes_fts') ORDER BY cid")
    assert [name for (name,) in found] == columns
    assert refusals(mirror) == []


def test_nothing_is_indexed_unless_it_is_asked_for(mirror: Path) -> None:
    """No index is made."""
    assert indexed(mirror, (), t={"a": {"s": "x"}}) == {}
    names = query(mirror, "SELECT name FROM sqlite_schema WHERE name LIKE '%fts%'")
    assert names == []


def test_words_are_found(mirror: Path) -> None:
    """External content: the index finds the rows of the table itself."""
    rows = {"a": {"s": "quick brown fox"}, "b": {"s": "lazy dog"}, "c": {"s": None}}
    indexed(mirror, ("*",), t=rows)
    assert matches(mirror, "quick") == ["a"]
    assert matches(mirror, "dog OR fox") == ["a", "b"]


@pytest.mark.parametrize("count", [30, 130])
def test_indexes_of_many_tables_find_the_words_of_each(mirror: Path, count: int) -> None:
    """They are made in groups, with the other tables out of SQLite's sight; all are there then."""
    rows = {f"t{n:03}": {"a": {"s": f"word{n}"}, "b": {"n": n}} for n in range(count)}
    assert len(indexed(mirror, ("*",), **rows)) == count
    for n in range(0, count, 7):
        sql = f"SELECT rowid FROM t{n:03}_fts WHERE t{n:03}_fts MATCH ?"
        ((found,),) = query(mirror, sql, f"word{n}")
        assert query(mirror, f"SELECT id FROM t{n:03} WHERE rowid = ?", found) == [("a",)]
    assert query(mirror, "PRAGMA integrity_check") == [("ok",)]
    names = [name for (name,) in query(mirror, "SELECT name FROM _mirror_tables")]
    assert sorted(names) == sorted(rows)
    made = query(mirror, "SELECT name FROM sqlite_schema WHERE name LIKE 't___' ORDER BY rowid")
    assert [name for (name,) in made] == sorted(rows)


def test_undeclared_columns_of_texts_alone_are_texts(mirror: Path) -> None:
    """By the kinds of their cells."""
    assert indexed(mirror, ("*",), t={"a": {"n": 1}}, u={"a": {"s": "x"}}) == {"u": "u_fts"}


def test_a_column_that_is_not_there_is_told(mirror: Path) -> None:
    """It is searched by both of its names."""
    assert indexed(mirror, ("t.s", "t.missing", "nothing"), t={"a": {"s": "x"}}) == {"t": "t_fts"}
    details = query(mirror, "SELECT detail FROM _mirror_problems WHERE kind = 'fts'")
    assert sorted(details) == [("there is no column nothing",), ("there is no column t.missing",)]


def test_both_names_of_a_column_are_understood(mirror: Path) -> None:
    """That of the document and that of the mirror."""
    assert indexed(mirror, ("sqlite_t.A",), sqlite_t={"a": {"A": "x", "a": "y"}}) == {
        "_sqlite_t": "_sqlite_t_fts"
    }
    assert indexed(mirror, ("_sqlite_t.a_2",), sqlite_t={"a": {"A": "x", "a": "y"}}) == {
        "_sqlite_t": "_sqlite_t_fts"
    }


@pytest.mark.parametrize("field", ["rank", "rowid", "RANK", ""])
def test_columns_that_fts5_refuses(mirror: Path, field: str) -> None:
    """They are left out, with a problem; the others are indexed."""
    assert indexed(mirror, ("*",), t={"a": {field: "x", "s": "quick"}}) == {"t": "t_fts"}
    assert refusals(mirror) == [("t", field)]
    if field.lower() != "rowid":
        assert matches(mirror, "quick") == ["a"]


def test_a_column_may_be_called_like_its_table(mirror: Path) -> None:
    """FTS5 only reserves the name of the index."""
    assert indexed(mirror, ("*",), t={"a": {"t": "quick"}}) == {"t": "t_fts"}
    assert refusals(mirror) == []
    assert matches(mirror, "quick") == ["a"]


@pytest.mark.parametrize(
    ("fts", "columns"), [(("*",), ["T_FTS", "s", "t_fts_2"]), (("t.s",), ["s"])]
)
def test_an_index_yields_to_columns_of_its_name(
    mirror: Path, fts: tuple[str, ...], columns: list[str]
) -> None:
    """Indexed or not, they keep their names, and joins of table and index are not ambiguous."""
    row = {"s": "quick", "T_FTS": "x", "t_fts_2": "x"}
    assert indexed(mirror, fts, t={"a": row}) == {"t": "t_fts_3"}
    assert refusals(mirror) == []
    found = query(mirror, "SELECT name FROM pragma_table_info('t_fts_3') ORDER BY 1")
    assert found == [(column,) for column in columns]
    sql = "SELECT t.id FROM t_fts_3 JOIN t ON t.rowid = t_fts_3.rowid WHERE t_fts_3 MATCH 'quick'"
    assert query(mirror, sql) == [("a",)]


def test_a_table_whose_rowid_is_taken_has_another(mirror: Path) -> None:
    """The first of rowid, _rowid_ and oid that is no column."""
    row = {"rowid": 7, "_rowid_": 8, "s": "quick"}
    assert indexed(mirror, ("*",), t={"a": row}) == {"t": "t_fts"}
    found = query(mirror, "SELECT t.id FROM t_fts JOIN t ON t.oid = t_fts.rowid")
    assert found == [("a",)]


def test_a_table_without_any_rowid_is_not_indexed(mirror: Path) -> None:
    """All three names are columns."""
    row = {"rowid": "x", "_rowid_": "x", "oid": "x", "s": "quick"}
    assert indexed(mirror, ("*",), t={"a": row}) == {}
    assert ("t", "s") in refusals(mirror)


def test_a_table_without_a_name_is_not_indexed(mirror: Path) -> None:
    """FTS5 cannot."""
    assert indexed(mirror, ("*",), **{"": {"a": {"s": "x"}}}) == {}
    assert refusals(mirror) == [("", "s")]


@pytest.mark.parametrize(
    "taken", ["t_fts", "T_FTS", "t_fts_data", "t_fts_idx", "t_fts_docsize", "t_fts_config"]
)
def test_the_users_names_win(mirror: Path, taken: str) -> None:
    """The index and its shadow tables yield."""
    rows: dict[str, Any] = {"t": {"a": {"s": "x"}}, taken: {"a": {"n": 1}}}
    assert indexed(mirror, ("*",), **rows) == {"t": "t_fts_2"}
    assert query(mirror, f'SELECT n FROM "{taken}"') == [(1,)]


@pytest.mark.slow  # in make test: test_index_of_too_many_columns in tests/fidelity/test_big.py
def test_more_columns_than_fts5_takes(mirror: Path) -> None:
    """The others are left out, with a problem for each."""
    row = {f"f{number:04}": "x" for number in range(1998)}
    assert indexed(mirror, ("*",), t={"a": row}) == {"t": "t_fts"}
    assert ("t", "f1997") in refusals(mirror)
    ((count,),) = query(mirror, "SELECT count(*) FROM pragma_table_info('t_fts')")
    assert count + len(refusals(mirror)) == 1998
