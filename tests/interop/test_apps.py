"""Documents of other apps show the rows that the libraries which wrote them report."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text

from scripts import nodejs
from tests.support.apps import document_path, mirror_of, place
from tests.support.data import APPS
from tests.support.mirrors import query, read_tables
from tests.support.program import run, sync

WRITERS = Path(__file__).parent / "apps"
UPGRADED = "yjs14-upgraded"
"""Written by a Yjs that gives a type entries and children; not all of it can be shown."""

LIBRARIES = ["tinybase", "syncedstore", "y-utility", "y-prosemirror", "yjs14"]
COMMITTED = sorted(path for path in APPS.glob("*.yjs") if path.stem != UPGRADED)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have the libraries write their documents now; skipped where they cannot be had."""
    try:
        nodejs.install_once(WRITERS)
    except nodejs.NodeUnavailableError as error:
        pytest.skip(f"{error}; the committed documents stand in")
    folder = tmp_path_factory.mktemp("written")
    node = str(nodejs.find_node())
    subprocess.run([node, str(WRITERS / "write.mjs"), str(folder)], check=True, timeout=120)
    return folder


def shown(mirror: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the rows of all tables by id, without nulls, JSON as values."""
    return {
        name: {
            str(row[0]): {
                column.name: _value(cell)
                for column, cell in zip(table.columns[1:], row[1:], strict=True)
                if cell is not None
            }
            for row in table.rows
        }
        for name, table in read_tables(mirror).items()
    }


def told_by(document: Path) -> dict[str, Any]:
    """Return what the library says that a document holds."""
    told: dict[str, Any] = json.loads(document.with_suffix(".json").read_text("utf-8"))
    return told


def _value(cell: Any) -> Any:
    is_json = isinstance(cell, str) and cell[:1] in {"[", "{"}
    return json.loads(cell) if is_json else cell


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed documents in one app's folder, after one sync."""
    return synced(COMMITTED, tmp_path_factory.mktemp("committed"))


@pytest.fixture(scope="module")
def written_root(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the documents that the libraries wrote now."""
    documents = [written / f"{name}.yjs" for name in LIBRARIES]
    return synced(documents, tmp_path_factory.mktemp("libraries"))


def synced(documents: list[Path], root: Path) -> Path:
    """Give each document a workspace of its name, and sync them all at once; `verify` agrees."""
    for document in documents:
        place(document, root, workspace=document.stem)
    sync(root)
    verified = run("verify", root, "--json").json()["documents"]
    assert [one["result"] for one in verified] == ["equal"] * len(documents)
    return root


def assert_shown(told: dict[str, Any], mirror: Path) -> None:
    """Compare rows and texts of a mirror with what the document's library says."""
    rows = {
        table: {
            key: {field: value for field, value in row.items() if value is not None}
            for key, row in rows.items()
        }
        for table, rows in told["tables"].items()
    }
    assert shown(mirror) == rows
    texts = dict(query(mirror, "SELECT name, text FROM _mirror_roots WHERE text IS NOT NULL"))
    assert texts == told["texts"]


@pytest.mark.parametrize("document", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_document_shows_its_rows(document: Path, root: Path) -> None:
    """The host's own layouts by date, and the stores of libraries."""
    assert_shown(told_by(document), mirror_of(document_path(root, document.stem)))


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_s_document_shows_its_rows(name: str, written: Path, written_root: Path) -> None:
    """As the pinned versions write them today."""
    assert_shown(told_by(written / name), mirror_of(document_path(written_root, name)))


def test_a_notebook_shows_its_cells(tmp_path: Path) -> None:
    """As Jupyter's documents are laid out: an array of maps, and two maps beside it."""
    doc: Doc[Any] = Doc()
    doc["cells"] = Array(
        [
            Map({"id": "c1", "cell_type": "code", "source": Text("1 + 1"), "outputs": Array()}),
            Map({"id": "c2", "cell_type": "markdown", "source": Text("# Title")}),
        ]
    )
    doc["meta"] = Map({"nbformat": 4.0, "metadata": Map({"kernelspec": {"name": "python3"}})})
    doc["state"] = Map({"dirty": False})
    document = tmp_path / "made.yjs"
    document.write_bytes(doc.get_update())
    told = {
        "tables": {
            "cells": {
                "c1": {"_position": 0, "cell_type": "code", "source": "1 + 1", "outputs": []},
                "c2": {"_position": 1, "cell_type": "markdown", "source": "# Title"},
            },
            "metadata": {"kernelspec": {"name": "python3"}},
            "meta": {"nbformat": {"value": 4}},
            "state": {"dirty": {"value": 0}},
        },
        "texts": {},
    }
    root = synced([document], tmp_path / "app")
    assert_shown(told, mirror_of(document_path(root, "made")))


def test_what_a_newer_yjs_hides_is_said(tmp_path: Path) -> None:
    """Its rows are in the mirror as far as they can be read, and the problems name the others."""
    mirror = mirror_of(place(APPS / f"{UPGRADED}.yjs", tmp_path))
    sync(tmp_path)
    rows = shown(mirror)["notes"]
    assert rows["old1"] == {"title": "Old 1", "stars": 1}
    assert query(
        mirror, "SELECT DISTINCT row_id FROM _mirror_problems WHERE row_id IS NOT NULL"
    ) == [("new0",)]


def test_types_in_types_by_yjs_14_are_said_and_nothing_else_is_lost(
    written: Path, tmp_path: Path
) -> None:
    """It writes a map of rows as one type with entries, which the decoder shows to nobody."""
    mirror = mirror_of(place(written / "yjs14-nested.yjs", tmp_path))
    sync(tmp_path)
    told = told_by(written / "yjs14-nested")
    assert shown(mirror) == {**told["tables"], "notes": {}}
    kinds = query(mirror, "SELECT table_name, kind FROM _mirror_problems ORDER BY kind")
    assert kinds == [("notes", "not_a_table"), ("notes", "unreadable")]
    done = run("verify", tmp_path, "--json")
    assert done.code == 1
    assert [one["whole"] for one in done.json()["documents"]] == [False]
