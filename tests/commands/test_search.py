"""``search``: hits in all mirrors, and the next step if there are none."""

import sys
from pathlib import Path

from tests.support.documents import document
from tests.support.program import Watch, run, sync
from tests.support.terminal import needs_terminal, run_on_terminal

HIT = {
    *("workspace", "epoch", "path", "table", "id", "column", "snippet", "marks", "rank"),
}


def test_hits_of_all_workspaces(app: Path) -> None:
    """With their mirror, table and row, the best first."""
    done = run("search", app, "paper", "--json")
    told = done.json()
    assert done.code == 0
    assert (told["v"], told["query"], told["truncated"]) == (1, "paper", False)
    assert all(set(hit) >= HIT for hit in told["hits"])
    assert {hit["id"] for hit in told["hits"]} == {"no-1", "pr-bakery-brand"}
    ranks = [hit["rank"] for hit in told["hits"]]
    assert ranks == sorted(ranks)
    hit = next(hit for hit in told["hits"] if hit["id"] == "no-1")
    ((start, end),) = hit["marks"]
    assert hit["snippet"][start:end] == "paper"


def test_lines_for_people(app: Path) -> None:
    """One hit a line; line breaks of the document are replaced."""
    done = run("search", app, "paper", "bags")
    assert done.code == 0
    assert len(done.out.splitlines()) == 2
    assert "Juniper Studio  notes.body  no-1  Call the bakery about the paper bags." in done.out


@needs_terminal
def test_marks_stand_out_on_a_terminal(app: Path) -> None:
    """In bold magenta."""
    code, seen = run_on_terminal("search", app, "kettle")
    assert code == 0
    assert "\x1b[1;35mKettle\x1b[0m" in seen


def test_no_hit_is_1(app: Path) -> None:
    """A message says so; as JSON it is an empty list."""
    done = run("search", app, "zebra")
    assert (done.code, done.out) == (1, "no row holds zebra\n")
    assert run("search", app, "zebra", "--json").json()["hits"] == []


def test_no_index_is_1_and_says_how_to_build_it(app: Path) -> None:
    """The command in the message builds the index."""
    sync("--fts", "none", app)
    done = run("search", app, "paper")
    assert done.code == 1
    assert f"epicenter-sidecar sync --fts {app}" in done.err
    sync("--fts", app)
    assert run("search", app, "paper").code == 0


def test_mirrors_without_an_index_are_named(app: Path, studio: Path) -> None:
    """With the command to index them; the others are still searched."""
    sync("--fts", "none", studio)
    done = run("search", app, "carrot", "--json")
    assert [one["workspace"] for one in done.json()["unindexed"]] == ["juniper-studio"]
    assert set(done.json()["unindexed"][0]) == {"workspace", "epoch", "path"}
    assert "1 mirror without an index, not searched: juniper-studio/0" in done.err
    assert f"epicenter-sidecar sync --fts {app}" in done.err
    (studio / "tables.sqlite").unlink()
    assert len(run("search", app, "carrot", "--json").json()["unindexed"]) == 1
    sync("--fts", app)
    assert run("search", app, "carrot", "--json").json()["unindexed"] == []


def test_a_watch_without_fts_loses_no_index(app: Path, studio: Path) -> None:
    """A mirror that is deleted while it runs is built again with its index."""
    with Watch(app, "--debounce-ms", "20") as watch:
        watch.until("ready")
        (studio / "tables.sqlite").unlink()
        watch.until("rebuilt")
        new = app / "workspaces" / "new one" / "0"
        new.mkdir(parents=True)
        (new / "workspace.yjs").write_bytes(document(2, title="zebra"))
        watch.until("rebuilt")
    told = run("search", app, "kettle", "--json").json()
    assert (len(told["hits"]), told["unindexed"]) == (1, [])
    assert len(run("search", app, "--all", "zebra", "--json").json()["hits"]) == 2


def test_limit_cuts_and_says_so(app: Path) -> None:
    """Only the best hits, with a message that there are more."""
    told = run("search", app, "bakery", "--limit", "1", "--json").json()
    assert (len(told["hits"]), told["truncated"]) == (1, True)
    assert "--limit shows more" in run("search", app, "bakery", "--limit", "1").out


def test_syntax_is_a_choice(app: Path) -> None:
    """Without it operators are words; with it errors are explained, exit 2."""
    assert run("search", app, "pap*").code == 1
    assert run("search", app, "pap*", "--fts-syntax").code == 0
    done = run("search", app, "(", "--fts-syntax")
    assert done.code == 2
    assert "without --fts-syntax" in done.err


def test_words_are_needed(app: Path) -> None:
    """A path alone is a usage error."""
    assert run("search", app).code == 2
    assert run("search", app, " ").code == 2
    assert run("search", environment={"SIDECAR_ROOT": str(app)}).code == 2
    assert run("search", app, "paper", "--limit", "0").code == 2


def test_root_from_the_environment(app: Path) -> None:
    """Then every argument is a word."""
    done = run("search", "paper", "bags", environment={"SIDECAR_ROOT": str(app)})
    assert done.code == 0
    places = {"SIDECAR_IDENTIFIER": app.name, "XDG_DATA_HOME": str(app.parent)}
    if sys.platform == "linux":
        assert run("search", "paper", "bags", environment=places).code == 0


def test_mirror_as_path(studio: Path) -> None:
    """A tables.sqlite can be searched by itself."""
    done = run("search", studio / "tables.sqlite", "kettle", "--json")
    (hit,) = done.json()["hits"]
    assert (hit["workspace"], hit["epoch"]) == ("juniper-studio", 0)


def test_a_mirror_that_stands_alone_knows_where_it_is_from(studio: Path, tmp_path: Path) -> None:
    """It was built elsewhere, or copied; its workspace is that of its catalog."""
    out = tmp_path / "copy.sqlite"
    sync(studio / "workspace.yjs", "--fts", "--out", out)
    (hit,) = run("search", out, "kettle", "--json").json()["hits"]
    assert (hit["workspace"], hit["epoch"], hit["path"]) == ("juniper-studio", 0, str(out))
