"""docs/format.md keeps its word: its SQL runs, and its tables name what there is."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.fidelity.expect import CASES
from tests.support.apps import place_by_name
from tests.support.data import PROJECT, SAMPLE
from tests.support.mirrors import open_mirror
from tests.support.node import needs_node, write_with_yjs
from tests.support.oddities import Mirrors
from tests.support.program import sync

PAGE = (PROJECT / "docs" / "format.md").read_text("utf-8")
STUDIO = SAMPLE / "workspaces" / "juniper-studio" / "0" / "workspace.yjs"
ODD_CASE = "cells_wrong_kinds"
CATALOG = ("tables", "columns", "problems", "roots", "chunks")
BLOCKS = re.findall(r"^```sql( odd)?\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def sample_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mirror of the demo's sample workspace."""
    mirror = place_by_name(STUDIO, tmp_path_factory.mktemp("sample"))
    sync(mirror.parent)
    return mirror


SHAPES = re.findall(
    r"^```js\n(.*?)^```$",
    PAGE[PAGE.index("### Shapes") : PAGE.index("### Stating")],
    re.DOTALL | re.MULTILINE,
)
SHOWN: list[dict[str, dict[str, dict[str, object]]]] = [
    {"blocks": {"b1": {"title": "Plans", "type": "page"}, "b2": {"title": "Bags", "type": "note"}}},
    {"notes": {"n1": {"text": "Call"}}, "app": {"version": {"value": 3}}},
    {"meta": {"theme": {"value": "dark"}}},
    {
        "todos": {
            "0000000001": {"_position": 1, "text": "Write", "value": None},
            "0000000002": {"_position": 2, "text": None, "value": "Sleep"},
            "a": {"_position": 0, "text": "Call", "value": None},
        }
    },
    {},
]
"""What each example of a shape gives, in the order of the page."""


@needs_node
@pytest.mark.parametrize(("code", "tables"), list(zip(SHAPES, SHOWN, strict=True)))
def test_examples_of_shapes_give_what_the_page_says(
    code: str, tables: dict[str, dict[str, dict[str, object]]], tmp_path: Path
) -> None:
    """Each is run by real Yjs, and the mirror has the tables and rows of the comment below it."""
    document = tmp_path / "app" / "made.yjs"
    document.parent.mkdir()
    write_with_yjs(code, document)
    sync(document)
    with open_mirror(document.with_name("made.yjs.sqlite")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM _mirror_tables")]
        found = {name: _rows(connection, name) for name in names}
        text = connection.execute("SELECT text FROM _mirror_roots WHERE text <> ''").fetchall()
    assert found == tables
    assert text == ([] if tables else [("Call the bakery",)])


def _rows(connection: sqlite3.Connection, table: str) -> dict[str, dict[str, object]]:
    cursor = connection.execute(f'SELECT * FROM "{table}"')
    columns = [column[0] for column in cursor.description]
    rows = [dict(zip(columns, row, strict=True)) for row in cursor]
    return {
        row["id"]: {name: value for name, value in row.items() if name not in {"id", "_extra"}}
        for row in rows
    }


@pytest.mark.parametrize(("odd", "sql"), BLOCKS)
def test_sql_of_the_page_can_be_pasted(
    odd: str, sql: str, sample_mirror: Path, mirror_of: Mirrors
) -> None:
    """Each block runs on the mirror it speaks of and finds something; few names are adjusted."""
    with open_mirror(mirror_of(ODD_CASE) if odd else sample_mirror) as connection:
        found = connection.execute(sql).fetchall()
    assert found or "name <> source" in sql


def test_page_has_the_three_promised_questions() -> None:
    """Rows with a tag, problems by table, a table's columns with labels and options."""
    sql = "".join(block for _, block in BLOCKS)
    assert len(BLOCKS) >= 10
    for words in (
        "json_each(p.tags)",
        "FROM _mirror_problems",
        "type, sqlite_type, nullable, options",
    ):
        assert words in sql


def test_page_explains_every_column_of_the_catalog(sample_mirror: Path) -> None:
    """What the catalog has is on the page, and what the page names is in the catalog."""
    with open_mirror(sample_mirror) as connection:
        for table in (f"_mirror_{name}" for name in CATALOG):
            shape = connection.execute(f"PRAGMA table_info({table})")
            columns = {line[1] for line in shape}
            assert _first_cells(f"`{table}`") == columns, table
        assert _first_cells("`_mirror(key, value)`") == _names(
            connection, "SELECT key FROM _mirror"
        )


@pytest.mark.parametrize("case", CASES)
def test_page_explains_every_kind_of_problem(case: str, mirror_of: Mirrors) -> None:
    """No mirror has a kind of problem that the page does not explain."""
    with open_mirror(mirror_of(case)) as connection:
        kinds = _names(connection, "SELECT DISTINCT kind FROM _mirror_problems")
    assert kinds <= _first_cells("## Problems")


def _names(connection: sqlite3.Connection, sql: str) -> set[str]:
    return {name for (name,) in connection.execute(sql)}


def _first_cells(opening: str) -> set[str]:
    """Give the names in the first column of the table that follows a line of the page."""
    after = PAGE[PAGE.index(f"\n{opening}") :]
    lines = after[after.index("\n|---") :].strip().splitlines()[1:]
    found: set[str] = set()
    for line in lines:
        if not line.startswith("|"):
            break
        found |= set(re.findall(r"`(\w+)`", line.split("|")[1]))
    return found
