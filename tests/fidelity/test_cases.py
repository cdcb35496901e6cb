"""Every odd document of the corpus: the mirror is what the specification says, cell by cell."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import nodejs
from tests.fidelity.expect import CASES
from tests.fidelity.expect.compare import assert_same, facts, json_columns, quoted, read, walk_json
from tests.fidelity.expect.definitions import LABELS
from tests.support.data import ODDITIES
from tests.support.mirrors import open_mirror
from tests.support.oddities import Mirrors
from tests.support.program import sync

APPLICATION_ID = 0x59534D31
every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_mirror_holds_what_the_specification_says(case: str, mirror_of: Mirrors) -> None:
    """Tables, columns, rows, storage classes and problems are as expected, in every table."""
    with open_mirror(mirror_of(case)) as connection:
        assert_same(read(connection), CASES[case])


@every_case
def test_json_parses_on_every_row(case: str, mirror_of: Mirrors) -> None:
    """Each cell of a tags or json column and each ``_extra`` is JSON that SQLite can walk."""
    with open_mirror(mirror_of(case)) as connection:
        for table, column in json_columns(connection):
            invalid = f"{quoted(column)} NOT NULL AND NOT json_valid({quoted(column)})"
            found = connection.execute(f"SELECT id FROM {quoted(table)} WHERE {invalid}")
            assert found.fetchall() == [], (table, column)
            walk_json(connection, table, column)


@every_case
def test_catalog_describes_the_tables_that_are_there(case: str, mirror_of: Mirrors) -> None:
    """Rows are counted right, and columns are listed as SQLite itself lists them."""
    with open_mirror(mirror_of(case)) as connection:
        for name, rows in connection.execute("SELECT name, rows FROM _mirror_tables").fetchall():
            counted = connection.execute(f"SELECT count(*) FROM {quoted(name)}")
            assert counted.fetchone() == (rows,), name
            listed = connection.execute(
                "SELECT position, name, sqlite_type FROM _mirror_columns WHERE table_name = ?"
                " ORDER BY position",
                (name,),
            ).fetchall()
            there = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
            assert listed == [tuple(line[:3]) for line in there], name


@every_case
def test_mirror_is_a_sound_file_of_ours(case: str, mirror_of: Mirrors) -> None:
    """SQLite finds no fault in the file, it is marked as ours, and nothing lies beside it."""
    mirror = mirror_of(case)
    with open_mirror(mirror) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    names = {path.name for path in mirror.parent.iterdir() if path.is_file()}
    assert names == {"workspace.yjs", "tables.sqlite"}


@pytest.mark.parametrize("case", LABELS)
def test_labels_and_options_reach_the_catalog(case: str, mirror_of: Mirrors) -> None:
    """What a definition says for people stands in the catalog, under the mirror's names."""
    with open_mirror(mirror_of(case)) as connection:
        for name, wanted in LABELS[case].tables.items():
            seen = connection.execute(
                "SELECT source, label, description, icon, declared FROM _mirror_tables"
                " WHERE name = ?",
                (name,),
            )
            assert seen.fetchall() == [wanted]
        for key, wanted in LABELS[case].columns.items():
            seen = connection.execute(
                "SELECT type, label, description, icon, options FROM _mirror_columns"
                " WHERE table_name = ? AND name = ?",
                key,
            )
            assert seen.fetchall() == [wanted]


@pytest.mark.parametrize(
    ("case", "layout"),
    [
        ("rows_nullable", "maps"),
        ("cells_that_name_tables", "maps"),
        ("keyed_basic", "keyed_arrays"),
        ("keyed_beside_maps", "maps,keyed_arrays"),
    ],
)
def test_layout_is_named(case: str, layout: str, mirror_of: Mirrors) -> None:
    """The catalog names the layouts that the document really has."""
    with open_mirror(mirror_of(case)) as connection:
        assert facts(connection)["layout"] == layout


def test_later_apps_have_no_epoch(mirror_of: Mirrors) -> None:
    """A document straight in the workspace folder is mirrored beside it, without an epoch."""
    mirror = mirror_of("keyed_basic")
    assert mirror.parent.name == "keyed_basic"
    with open_mirror(mirror) as connection:
        known = facts(connection)
    assert known["workspace"] == "keyed_basic"
    assert known.get("epoch") is None


def test_table_that_is_no_map_is_told_in_full(mirror_of: Mirrors) -> None:
    """What stood in the table's place is kept as JSON in the problem's detail."""
    with open_mirror(mirror_of("rows_table_no_map")) as connection:
        details = dict(
            connection.execute(
                "SELECT table_name, detail FROM _mirror_problems WHERE kind = 'not_a_table'"
            ).fetchall()
        )
    assert details == {
        "t_array": "[1,2]",
        "t_null": "null",
        "t_number": "5",
        "t_text": '"text"',
        "t_yarray": '[{"id":"r"}]',
        "t_ytext": '"hello"',
    }


@pytest.mark.parametrize("case", CASES)
def test_every_problem_has_a_detail_or_speaks_for_itself(case: str, mirror_of: Mirrors) -> None:
    """A line that needs an example to be understood has one."""
    with open_mirror(mirror_of(case)) as connection:
        unexplained = connection.execute(
            "SELECT * FROM _mirror_problems WHERE detail IS NULL AND kind <> 'missing'"
        )
        assert unexplained.fetchall() == []


def test_orders_of_merging_give_one_content(mirror_of: Mirrors) -> None:
    """Concurrent edits that were merged in two orders have the same digests."""
    seen = []
    for case in ("hist_concurrent_abc", "hist_concurrent_cab"):
        with open_mirror(mirror_of(case)) as connection:
            digests = connection.execute("SELECT name, digest FROM _mirror_tables ORDER BY name")
            seen.append((digests.fetchall(), facts(connection)["content_digest"]))
    assert seen[0] == seen[1]


def test_indexes_give_way_to_the_users_names(lone_document: Callable[[str], Path]) -> None:
    """With full-text search on, tables called ``X_fts`` keep their names, rows and columns."""
    document = lone_document("names_fts")
    sync(document, "--fts")
    with open_mirror(document.with_name("tables.sqlite")) as connection:
        seen, wanted = read(connection), CASES["names_fts"]
        assert {name: seen.tables[name] for name in wanted.tables} == wanted.tables
        index = next(
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
                " AND sql LIKE '%content=\"notes\"%'"
            )
        )
        assert index not in wanted.tables
        hits = connection.execute(
            f"SELECT n.id FROM {quoted(index)} AS f JOIN notes AS n ON n.rowid = f.rowid"
            f" WHERE f.{quoted(index)} MATCH '\"row of\"'"
        )
        assert hits.fetchall() == [("k0",)]
        refused = connection.execute(
            "SELECT table_name, field FROM _mirror_problems WHERE kind = 'fts' ORDER BY field"
        )
        assert refused.fetchall() == [("other", "rank"), ("other", "rowid")]


def test_second_sync_touches_nothing(app_folder: Path) -> None:
    """What is in step stays as it is: the same files, with the same times."""
    before = {path: path.stat().st_mtime_ns for path in app_folder.rglob("tables.sqlite")}
    events = sync(app_folder).events()
    assert {event["type"] for event in events if "workspace" in event} <= {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in app_folder.rglob("tables.sqlite")} == before


def test_corpus_and_expectations_belong_together() -> None:
    """Each committed document has an expectation, and each expectation a document."""
    assert {path.stem for path in ODDITIES.glob("*.yjs")} == set(CASES)


@pytest.mark.node
def test_corpus_is_what_real_yjs_writes(tmp_path: Path) -> None:
    """The makers give the committed documents again, byte for byte."""
    make(tmp_path)
    for document in ODDITIES.glob("*.yjs"):
        assert (tmp_path / document.name).read_bytes() == document.read_bytes(), document.name


def make(folder: Path, *cases: str) -> None:
    """Have real Yjs write documents, or skip where there is no Node."""
    if (reason := nodejs.missing()) is not None:
        pytest.skip(reason)
    command = [
        str(nodejs.find_node()),
        str(nodejs.JS / "oddities" / "make.mjs"),
        str(folder),
        *cases,
    ]
    subprocess.run(command, check=True, timeout=120)
