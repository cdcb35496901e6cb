"""``schema``: compact text for people and prompts."""

import re
from pathlib import Path

from sidecar.commands.layout import width_of
from tests.support.program import run
from tests.support.twenty import EPOCHS, IDS, Twenty

COLUMN = {"name", "type", "sqlite_type", "nullable", "label", "description", "options"}


def test_text_for_a_prompt(app: Path) -> None:
    """Tables, columns, labels, kinds and options, without any data."""
    done = run("schema", app)
    assert done.code == 0
    lines = done.out.splitlines()
    assert "clients (4 rows) -- Clients: Who we work for" in lines
    assert "  id TEXT primary key" in lines
    assert "  vip INTEGER boolean not null -- VIP" in lines
    assert (
        '  status TEXT select not null -- Status; options ["lead","active","on hold","done"]'
        in lines
    )
    assert "# tags: a JSON array of texts; SELECT value FROM t, json_each(t.tags)." in lines
    assert "Galway" not in done.out


def test_samples_when_asked_for(app: Path) -> None:
    """So many different values of each column."""
    done = run("schema", app, "--samples", "2")
    assert '  city TEXT not null -- City; such as "Galway", "Dublin"' in done.out.splitlines()


def test_json_has_the_documented_shape(studio: Path) -> None:
    """Without samples unless they are asked for."""
    told = run("schema", studio, "--json").json()
    (document,) = told["documents"]
    assert (told["v"], document["workspace"], document["epoch"]) == (1, "juniper-studio", 0)
    clients = document["tables"][0]
    assert (clients["name"], clients["label"], clients["rows"]) == ("clients", "Clients", 4)
    assert all(set(column) == COLUMN for column in clients["columns"])
    told = run("schema", studio / "tables.sqlite", "--json", "--samples", "1").json()
    column = told["documents"][0]["tables"][0]["columns"][1]
    assert (column["name"], column["samples"]) == ("city", ["Galway"])


def test_documents_without_mirrors_say_what_to_do(app: Path, studio: Path) -> None:
    """One missing mirror is a message; if all are missing, it is a failure."""
    (studio / "tables.sqlite").unlink()
    done = run("schema", app)
    assert done.code == 0
    assert "1 document without a mirror; build them with: epicenter-sidecar sync" in done.err
    done = run("schema", studio)
    assert done.code == 1
    assert "no mirrors yet; build them with: epicenter-sidecar sync" in done.err


def test_equal_schemas_are_listed_once(small_twenty: Twenty) -> None:
    """With the documents that have them; small enough for a prompt."""
    done = run("schema", small_twenty.root)
    assert len(done.out.encode()) < 3000
    assert all(width_of(line) <= 80 for line in done.out.splitlines())
    assert re.search(r"^# 7 documents, published (just now|\d+ min ago):$", done.out, re.MULTILINE)
    assert done.out.count("recipes (") == 1
    assert f"#   {IDS[15]}/0 Old one (deleted)" in done.out.splitlines()
    assert f"{IDS[EPOCHS]}/0 Ünïcödé (not current)" in done.out
    assert "  full-text index notes_fts: body, title" in done.out.splitlines()
    assert "  _extra TEXT json: undeclared" in done.out.splitlines()
    assert "1 line in _mirror_problems" in done.out


def test_json_of_equal_schemas(small_twenty: Twenty) -> None:
    """The first document's fields are at the top level, and all documents in a list."""
    told = run("schema", small_twenty.root, "--json").json()
    assert len(told["documents"]) == 3
    assert sum(len(one["documents"]) for one in told["documents"]) == 21
    first = told["documents"][0]
    assert first["documents"][0]["workspace"] == first["workspace"]
    assert {"workspace", "epoch", "path", "name", "current", "deleted"} <= set(
        first["documents"][0]
    )
    group = next(one for one in told["documents"] if one["tables"][0]["name"] == "notes")
    assert group["tables"][0]["rows"] == 3 * len(group["documents"])
    assert group["tables"][0]["index"] == "notes_fts"


def test_row_types_for_typescript(small_twenty: Twenty, app: Path) -> None:
    """An interface for each table, NULL where the app allows it or a workspace lacks it."""
    types = run("schema", small_twenty.root, "--typescript").out
    assert "export interface Notes {\n  id: string\n  body: string | null\n" in types
    assert "  pinned: 0 | 1 | null\n" in types
    assert "  notes: Notes\n" in types
    assert "invoices" in run("schema", app, "--typescript").out
