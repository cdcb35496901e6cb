"""``schema``: compact text for people and prompts."""

from pathlib import Path

from tests.support.program import run

COLUMN = {"name", "type", "sqlite_type", "nullable", "label", "description", "options"}


def test_text_for_a_prompt(app: Path) -> None:
    """Tables, columns, labels, kinds and options, and no word of the data."""
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
    """One is a remark, none at all is a failure."""
    (studio / "tables.sqlite").unlink()
    done = run("schema", app)
    assert done.code == 0
    assert "has no mirror yet; run sync to build it" in done.err
    done = run("schema", studio)
    assert done.code == 1
    assert "no mirrors in" in done.err
