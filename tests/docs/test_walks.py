"""Four people meet the program for the first time, and none of them stumbles.

Somebody with a folder, somebody with a question, the developer of an app, an agent: each does what
the README, a page or the last output says, in that order, on an app's folder of twenty workspaces.
"""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.children import LineProcess, program
from scripts.release.manifest import write_manifest
from tests.support.bundles import NAME, TARGET, Install, make_bundle
from tests.support.data import PROJECT
from tests.support.mirrors import query
from tests.support.papers import blocks_of
from tests.support.program import Finished, Watch, run
from tests.support.systems import needs_shell
from tests.support.twenty import IDS, ODD, Twenty, write_twenty

README = (PROJECT / "README.md").read_text("utf-8")
COMMAND = re.compile(r"epicenter-sidecar (?!:)[a-z]+(?: [^\s;`]+)*")
AT_80 = {"COLUMNS": "80"}


@pytest.fixture
def folder(tmp_path: Path) -> Twenty:
    """An app's folder that no sidecar has ever seen, without the workspace that takes long."""
    return write_twenty(tmp_path / "com.example.app", has_big=False)


def say(line: str) -> Finished:
    """Run a line as it was printed."""
    words = shlex.split(line)
    assert words[0] == "epicenter-sidecar"
    return run(*words[1:], environment=AT_80)


def next_in(done: Finished) -> str:
    """Return the one command that an output tells to run next."""
    found = COMMAND.findall(done.out + done.err)
    assert len(found) == 1, done
    return str(found[0])


def test_somebody_with_a_folder(folder: Twenty) -> None:
    """From a bare command to mirrors that follow, and away again: each output names the next."""
    bare = run()
    assert bare.code == 2
    assert "help COMMAND" in bare.out
    for command in re.findall(r"^  ([a-z]+) ", bare.out, re.MULTILINE):
        told = run("help", command)
        assert told.code == 0
        assert "epicenter-sidecar" in told.out
    unsure = run("sync")
    assert unsure.code == 2
    assert next_in(unsure) == "epicenter-sidecar sync ~/.local/share/com.example.app"
    mistyped = run("snyc", folder.root)
    assert mistyped.code == 2
    assert "did you mean sync?" in mistyped.err

    before = run("status", folder.root, environment=AT_80)
    assert before.code == 1
    assert next_in(before) == f"epicenter-sidecar sync {folder.root}"
    made = say(next_in(before))
    assert made.code == 0
    assert "failed" not in made.out.replace("0 failed", "")
    assert "mirrors    beside the documents: tables.sqlite" in made.out
    shown = say(next_in(made))
    assert shown.code == 0
    assert "recipes" in shown.out
    for command in ("status", "verify"):
        assert run(command, folder.root).code == 0

    problems = run("problems", folder.root)
    assert problems.code == 1
    assert f"With problems ({IDS[ODD][:10]}…{IDS[ODD][-9:]}/0): 1 problem" in problems.out
    assert "correct it in the app" in problems.out

    with Watch(folder.root) as watch:
        watch.until("ready")
        source, target = (folder.workspaces[n] / "1" / "workspace.yjs" for n in (2, 2))
        target.write_bytes(source.with_name("workspace.yjs").read_bytes())
        first, second = (folder.workspaces[n] / "0" / "workspace.yjs" for n in (0, 1))
        second.write_bytes(first.read_bytes())
        event = watch.until("rebuilt")
        assert event["changed"] == ["notes", "tasks"]

    listed = run("clean", folder.root)
    assert (listed.code, "--yes removes them" in listed.out) == (0, True)
    assert run("clean", "--yes", folder.root).code == 0
    assert list(folder.root.rglob("tables.sqlite")) == []


def test_somebody_with_a_question(folder: Twenty, tmp_path: Path) -> None:
    """From tables to answers in SQL, in words, as a file; what is missing comes with its cure."""
    early = run("query", folder.root, "SELECT 1")
    assert early.code == 1
    assert say(next_in(early)).code == 0
    schema = run("schema", folder.root)
    assert schema.code == 0
    assert "epicenter-sidecar query PATH SQL" in schema.out
    table = re.search(r"^recipes\b", schema.out, re.MULTILINE)
    assert table
    asked = "SELECT _workspace_name, title FROM recipes WHERE minutes = 20"
    answer = run("query", folder.root, asked, environment=AT_80)
    assert (answer.code, "Soup 0" in answer.out) == (0, True)
    assert run("query", folder.root, "--csv", asked).out.splitlines()[0] == "_workspace_name,title"

    wrong = run("query", folder.root, "SELECT * FROM recipe")
    assert wrong.code == 1
    assert "recipes" in wrong.err
    assert run("query", folder.root, "DELETE FROM recipes").code == 1
    everything = tmp_path / "all.sqlite"
    assert run("export", folder.root, "--out", everything).code == 0
    assert query(everything, "SELECT count(*) > 10 FROM recipes") == [(1,)]

    unindexed = run("search", folder.root, "paper")
    assert unindexed.code == 1
    assert next_in(unindexed) == f"epicenter-sidecar sync --fts {folder.root}"
    assert say(next_in(unindexed)).code == 0
    assert run("search", folder.root, "paper").code == 0
    missed = run("search", folder.root, "nobody-wrote-this")
    assert missed.code == 1
    assert "no row holds" in missed.out


@needs_shell
def test_an_app_developer(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's commands put a program into an app; started as its capability says, it mirrors.

    Here the bundle starts this checkout; ``make test-tauri`` does it with the frozen program.
    """
    app = tmp_path / "app"
    (app / "src-tauri").mkdir(parents=True)
    config = {"productName": "Notes", "identifier": "com.example.notes", "bundle": {}}
    (app / "src-tauri" / "tauri.conf.json").write_text(json.dumps(config), "utf-8")
    bundle = make_bundle(tmp_path / "downloads")
    real = bundle / f"{NAME}-lib" / NAME
    real.write_text(f'#!/bin/sh\nexec {shlex.join(program())} "$@"\n', "utf-8")
    write_manifest(bundle, NAME, TARGET)

    (block,) = blocks_of("tauri.md", "sh npm")
    assert block.text.splitlines()[1].startswith("npx epicenter-sidecar install ")
    lost = install("install", bundle, cwd=tmp_path)
    assert lost.returncode == 1
    assert "run this in the app's folder" in lost.stderr
    done = install("install", bundle)
    assert done.returncode == 0, done.stderr
    assert "npm run tauri add shell" in done.stdout

    src_tauri = app / "src-tauri"
    built = json.loads((src_tauri / "tauri.conf.json").read_bytes())["bundle"]
    beside = tmp_path / "usr" / "bin" / NAME  # as a Debian package of the app has it
    beside.parent.mkdir(parents=True)
    shutil.copy(src_tauri / f"{built['externalBin'][0]}-{TARGET}", beside)
    for name in built["resources"]:
        shutil.copytree(src_tauri / name, tmp_path / "usr" / "lib" / "Notes" / name)

    capability = json.loads((src_tauri / "capabilities" / "sidecar.json").read_bytes())
    arguments = capability["permissions"][0]["allow"][0]["args"]
    data = tmp_path / "data" / "com.example.notes"
    write_twenty(data, has_big=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with LineProcess([str(beside), *arguments]) as sidecar:
        event = sidecar.receive()
        while event["type"] != "ready":
            event = sidecar.receive()
        assert (event["rebuilt"], event["failed"]) == (21, 0)
        sidecar.close_stdin()
        assert sidecar.wait() == 0
    assert len(list(data.rglob("tables.sqlite"))) == 21


def test_an_agent(folder: Twenty) -> None:
    """JSON all the way: errors too, each with a code and with what to do."""
    ask = _asker(folder.root)
    assert [one["state"] for one in ask("status", code=1)["documents"]] == ["missing"] * 21
    failed = ask("query", "SELECT 1", code=1)["error"]
    assert re.search(r"epicenter-sidecar sync \S+", failed["message"])
    assert run("sync", "--json", folder.root).code == 0
    assert {one["state"] for one in ask("status")["documents"]} == {"in_step"}
    tables = json.dumps(ask("schema"))
    assert all(f'"{name}"' in tables for name in ("notes", "recipes", "invoices"))
    told = ask("query", "SELECT count(*) AS n FROM invoices WHERE paid = 0")
    assert told["columns"] == ["n"]
    assert told["rows"][0][0] > 0
    assert "recipes" in ask("query", "SELECT * FROM recipe", code=1)["error"]["message"]
    assert len(ask("search", "paper", code=1)["unindexed"]) > 10
    assert ask("problems", code=1)["documents"]
    assert ask("verify")["documents"]
    page = (PROJECT / "docs" / "agents.md").read_text("utf-8")
    assert all(f"epicenter-sidecar {name} " in page for name in ("schema", "query", "verify"))


def _asker(root: Path) -> Callable[..., dict[str, Any]]:
    def ask(command: str, *words: str, code: int = 0) -> dict[str, Any]:
        done = run(command, "--json", root, *words)
        assert done.code == code, (command, done.out, done.err)
        value: dict[str, Any] = json.loads(done.out)
        assert value["v"] == 1
        return value

    return ask


def test_the_readme_leads_every_walk_on() -> None:
    """What somebody needs next is linked from where they are."""
    for words in ("docs/reading.md", "docs/tauri.md", "docs/agents.md", "sync", "query", "watch"):
        assert words in README
