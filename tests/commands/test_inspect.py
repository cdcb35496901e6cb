"""``inspect``: the content of whole and broken files."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from tests.support.data import ODDITIES
from tests.support.documents import nested
from tests.support.program import run

FIELDS = ["v", "path", "bytes", "encoding", "code", "layouts", "roots", "writers", "tables"]


def test_whole_document(studio: Path) -> None:
    """Layouts, roots, writers, and the actual kinds of every field."""
    file = studio / "workspace.yjs"
    done = run("inspect", "--json", file)
    told = done.json()
    assert done.code == 0
    assert list(told)[:9] == FIELDS
    assert (told["path"], told["bytes"]) == (str(file), file.stat().st_size)
    assert (told["encoding"], told["code"], told["layouts"]) == ("v1", None, ["maps"])
    assert told["roots"] == [
        {"name": name, "kind": "map"} for name in ("definition", "kv", "tables")
    ]
    assert told["writers"] == [{"client": 1, "clock": 407}]
    projects = told["tables"][3]
    assert (projects["name"], projects["declared"], projects["rows"]) == ("projects", True, 5)
    fields = {field["name"]: field for field in projects["fields"]}
    assert fields["brief"] == {
        "name": "brief",
        "type": "ytext",
        "nullable": False,
        "kinds": {"ytext": 5},
    }
    assert fields["due"]["kinds"] == {"null": 2, "string": 3}
    assert fields["budget"]["kinds"] == {"integer": 4, "real": 1}


def test_text_for_people(studio: Path) -> None:
    """A folder with one document may be given instead of it."""
    done = run("inspect", studio)
    assert done.code == 0
    assert "roots: definition (map), kv (map), tables (map)" in done.out
    assert "projects: 5 rows, declared" in done.out
    assert "due     date or null  null 2, string 3" in done.out


@pytest.mark.parametrize(
    ("case", "layouts", "roots"),
    [
        ("keyed_beside_maps", ["maps", "keyed_arrays"], {"table:notes": "array"}),
        ("keyed_basic", ["keyed_arrays"], {"table:t": "array"}),
        ("rows_no_map", ["maps"], {"tables": "map"}),
    ],
)
def test_layouts_and_roots(case: str, layouts: list[str], roots: dict[str, str]) -> None:
    """Both layouts are recognised, alone and together."""
    told = run("inspect", "--json", ODDITIES / f"{case}.yjs").json()
    found = {root["name"]: root["kind"] for root in told["roots"]}
    assert told["layouts"] == layouts
    assert roots.items() <= found.items()


def test_cut_document_shows_what_is_left(studio: Path, tmp_path: Path) -> None:
    """Roots, writers, and the byte up to which it can be read; exit 1."""
    data = (studio / "workspace.yjs").read_bytes()
    (tmp_path / "cut.yjs").write_bytes(data[: len(data) // 2])
    done = run("inspect", "--json", tmp_path / "cut.yjs")
    told = done.json()
    assert done.code == 1
    assert (told["code"], told["encoding"]) == ("undecodable", "v1")
    assert "clients" in {table["name"] for table in told["tables"]}
    assert {root["name"] for root in told["roots"]} == {"definition", "tables"}
    assert told["writers"][0]["client"] == 1
    assert f"of {len(data) // 2}" in told["message"]


@pytest.mark.parametrize(
    ("data", "code", "encoding"),
    [
        (b"", "empty", "unknown"),
        (b"\0" + b"\1x" * 9 + b"rest", "v2", "v2"),
        (b"SQLite format 3\0" + bytes(84), "foreign", "unknown"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(84)), "foreign", "unknown"),
        (bytes(100), "torn", "unknown"),
        (b"\xff\xff", "undecodable", "unknown"),
    ],
)
def test_what_is_no_document(data: bytes, code: str, encoding: str, tmp_path: Path) -> None:
    """Each with its code, one line on stderr and exit 1."""
    file = tmp_path / "some.yjs"
    file.write_bytes(data)
    done = run("inspect", "--json", file)
    told = done.json()
    assert (done.code, told["code"], told["encoding"]) == (1, code, encoding)
    done = run("inspect", file)
    assert done.code == 1
    assert done.err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="a crash is a signal there")
def test_file_that_kills_the_decoder_is_looked_into(tmp_path: Path) -> None:
    """Its outline is read without the decoder."""
    file = tmp_path / "deep.yjs"
    file.write_bytes(nested(2_000_000))
    done = run("inspect", "--json", file)
    told = done.json()
    assert done.code == 1
    assert told["code"] == "crashed"
    assert [root["name"] for root in told["roots"]] == ["tables"]


def test_many_documents_are_2(app: Path) -> None:
    """It is for one file; the error lists the documents."""
    done = run("inspect", app)
    assert done.code == 2
    assert "has 2; choose one by --workspace" in done.err


def test_a_folder_without_documents_is_1(tmp_path: Path) -> None:
    """There is no document to inspect."""
    done = run("inspect", tmp_path)
    assert done.code == 1
    assert "there is none" in done.err


def test_missing_file_is_1(tmp_path: Path) -> None:
    """As any file that cannot be read."""
    done = run("inspect", tmp_path / "nowhere.yjs")
    assert done.code == 1
    assert "is not there" in done.err


def test_a_head_tells_name_and_epochs(studio: Path) -> None:
    """As text, and in the JSON."""
    head = studio.parent / "head.yjs"
    done = run("inspect", head)
    assert done.code == 0
    assert "workspace: 🌿 Juniper Studio" in done.out
    assert "current epoch: 0" in done.out
    told = run("inspect", "--json", head).json()
    assert told["head"]["name"] == "Juniper Studio"
    assert told["head"]["current"] == 0
    assert told["workspaces"] is None


def test_a_registry_tells_its_workspaces_by_name(app: Path) -> None:
    """Those that are not deleted, and whether their folders exist."""
    shutil.rmtree(app / "workspaces" / "harvest-kitchen")
    done = run("inspect", app / "registry.yjs")
    assert "juniper-studio  Juniper Studio" in done.out
    assert "harvest-kitchen    (no folder)" in done.out
    told = run("inspect", "--json", app / "registry.yjs").json()["workspaces"]
    assert told == [
        {"id": "harvest-kitchen", "name": None, "found": False},
        {"id": "juniper-studio", "name": "Juniper Studio", "found": True},
    ]


def test_an_id_of_a_registry_is_never_a_path(app: Path, tmp_path: Path) -> None:
    """It is only compared with the names of existing folders."""
    doc: Doc[Any] = Doc()
    doc["workspaces"] = Map({"../../outside": True, "/etc": True})
    (app / "registry.yjs").write_bytes(doc.get_update())
    shutil.copytree(app / "workspaces" / "juniper-studio", tmp_path / "outside")
    told = run("inspect", "--json", app / "registry.yjs").json()["workspaces"]
    assert [(one["name"], one["found"]) for one in told] == [(None, False)] * 2


def test_of_a_torn_document_what_is_left_is_shown(studio: Path, tmp_path: Path) -> None:
    """Its tables with the rows that are whole; still exit 1."""
    data = (studio / "workspace.yjs").read_bytes()
    torn = tmp_path / "torn.yjs"
    torn.write_bytes(data[: len(data) // 2])
    done = run("inspect", torn)
    assert "inspect shows" not in done.err, "this is inspect"
    assert done.code == 1
    assert "rows that could be read" in done.out
    assert "clients: 4 rows, declared" in done.out
    told = run("inspect", "--json", torn).json()
    assert told["code"] in {"torn", "undecodable"}
    assert {table["name"]: table["rows"] for table in told["tables"]}["clients"] == 4
