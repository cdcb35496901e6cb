"""The program inside a real Tauri app: started, heard, reloaded, killed, orphaned, left."""

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts.children import Message
from tests.support.apps import leftovers
from tests.support.mirrors import query
from tests.support.node import make_documents
from tests.support.waiting import wait_until
from tests.tauri.app import IDENTIFIER, App
from tests.tauri.new_app import build_as_tauri, make_app
from tests.tauri.prepare import GUIDE, HOST, RELEASE, SRC_TAURI

WORKSPACE = "wörk-空間"
TABLE = "Заметки ✎"
KEYS = ["ключ-🦊", "e\u0301 not é", 'quote " key', "plain"]
TEN_MINUTES = 600
ORPHAN_SECONDS = 1.0
"""How long anything of ours may outlive the app: as docs/contract.md promises."""


def test_what_webkit_saves_is_in_sql_when_the_page_hears_rebuilt(app: App) -> None:
    """Unicode in workspace, table, keys and cells goes from Yjs in WebKit into SQLite unchanged."""
    ready = app.do("start")
    assert ready["documents"] == 0
    save_rows(app, KEYS)
    event = app.event("rebuilt", workspace=WORKSPACE, rows=len(KEYS))
    assert event["changed"] == [TABLE]
    assert Path(event["path"]) == document(app)
    assert_mirrored(app)


def test_the_capability_alone_decides_what_is_run(app: App) -> None:
    """The process has exactly the arguments of the capability, below the app's own data."""
    ready = app.do("start")
    capability = json.loads((SRC_TAURI / "capabilities" / "sidecar.json").read_bytes())
    arguments = capability["permissions"][0]["allow"][0]["args"]
    command = app.sidecars()[ready["pid"]]
    assert command[1 : 1 + len(arguments)] == arguments
    assert ready["root"] == [str(app.data)]


def test_it_starts_from_the_resources_without_a_launcher(app: App) -> None:
    """A capability with ``$RESOURCE`` starts the very program that the launcher would become."""
    ready = app.do("start", byPath=True)
    assert Path(f"/proc/{ready['pid']}/exe").resolve().is_relative_to(HOST / "lib")
    app.do("shutdown")
    assert app.sidecars() == {}


def test_a_burst_of_unawaited_saves_ends_in_step(app: App) -> None:
    """After a hundred saves that nobody waited for, the mirror equals the file that they left."""
    app.do("start")
    save_rows(app, KEYS)
    heard = len(app.reports)
    app.do("edit", workspace=WORKSPACE, table=TABLE, keys=[f"k{n % 40}" for n in range(100)])
    while app.do("saved", workspace=WORKSPACE) is None:  # the saves tore each other: save again
        app.do("edit", workspace=WORKSPACE, table=TABLE, keys=["again"])
    wait_until(lambda: app.do("status")[0]["state"] == "in_step", "the mirror is in step")
    assert_mirrored(app)
    rebuilt = [event for event in events_since(app, heard) if event["type"] == "rebuilt"]
    assert 1 <= len(rebuilt) <= 5


def test_commands_are_answered_in_the_page(app: App) -> None:
    """``ping``, ``status`` and ``sync`` come back to their own promises, all under way at once."""
    app.do("start")
    save_rows(app, KEYS)
    orders = [
        app.order("ping"),
        app.order("sync", target={"workspace": WORKSPACE, "force": True}),
        app.order("status"),
    ]
    _, synced, _ = [app.answer(order) for order in orders]
    assert (synced["rebuilt"], synced["failed"]) == (1, 0)
    (status,) = app.do("status")
    assert (status["state"], status["rows"]) == ("in_step", len(KEYS))


def test_a_reloaded_page_takes_over(app: App) -> None:
    """After a reload one watcher is left, it is the new page's, and it follows edits."""
    first = app.do("start")
    save_rows(app, KEYS)
    reload_page(app)
    second = app.do("start")
    assert second["pid"] != first["pid"]
    assert watchers(app) == [second["pid"]]
    heard = len(app.reports)
    save_rows(app, [*KEYS, "after the reload"])
    app.event("rebuilt", heard, rows=len(KEYS) + 1)
    assert_mirrored(app)


def test_a_reload_in_the_midst_of_a_start_leaves_one_watcher(app: App) -> None:
    """A page that is reloaded before it learns its sidecar's pid still leaves nothing behind."""
    for _ in range(3):
        app.order("start")
        reload_page(app)
    ready = app.do("start")
    wait_until(lambda: watchers(app) == [ready["pid"]], "one watcher is left")


def test_kill_leaves_no_process_and_start_works_again(app: App) -> None:
    """``kill`` ends the worker too, at once and without a restart; the mirror stays whole."""
    app.do("start")
    save_rows(app, KEYS)
    app.event("rebuilt", rows=len(KEYS))
    app.do("kill")
    wait_until(lambda: app.sidecars() == {}, "nothing of ours is left")
    assert app.reported("exit") == [{"code": None, "signal": 9, "restarting": False}]
    assert_mirrored(app)
    assert app.do("start")["unchanged"] == 1


def test_a_crash_is_followed_by_a_new_start(app: App) -> None:
    """When somebody else kills the process, the client starts another one by itself."""
    ready = app.do("start")
    heard = len(app.reports)
    os.kill(ready["pid"], signal.SIGKILL)
    app.event("ready", heard)
    assert app.reported("exit") == [{"code": None, "signal": 9, "restarting": True}]
    assert len(watchers(app)) == 1


@pytest.mark.parametrize("at", ["rest", "work"])
def test_nothing_outlives_a_killed_app(app: App, at: str, tmp_path: Path) -> None:
    """A second after the app is SIGKILLed no process of ours is alive, in a large build too.

    The app's pipes are closed after its memory, which takes the system some time of its own.
    """
    app.do("start")
    if at == "work":
        begin_large_build(app, tmp_path)
    app.process.kill()
    app.process.wait()
    wait_until(lambda: app.sidecars() == {}, "nothing of ours is left", ORPHAN_SECONDS)


def test_a_normal_exit_leaves_whole_mirrors(app: App) -> None:
    """The app's normal exit kills us: no process, journal or half file stays behind."""
    app.do("start")
    save_rows(app, KEYS)
    app.event("rebuilt", rows=len(KEYS))
    app.do("edit", workspace=WORKSPACE, table=TABLE, keys=KEYS * 5)
    app.quit()
    wait_until(lambda: app.sidecars() == {}, "nothing of ours is left", ORPHAN_SECONDS)
    assert query(mirror(app), "PRAGMA integrity_check") == [("ok",)]
    assert leftovers(app.data) == []


def test_the_next_run_catches_up(tmp_path: Path) -> None:
    """What the app saved while no sidecar ran is in the mirror when the next one is ready."""
    with App(tmp_path) as app:
        save_rows(app, KEYS)
        app.quit()
    with App(tmp_path) as app:
        assert app.do("start")["rebuilt"] == 1
        app.do("open", workspace=WORKSPACE, table=TABLE)
        assert_mirrored(app)


def test_from_an_empty_folder_to_a_running_host(tmp_path: Path) -> None:
    """Two lines of the guide, Tauri's own step, and a host mirrors: in seconds, not in minutes."""
    began = time.monotonic()
    printed = make_app(tmp_path / "notes", RELEASE)
    src_tauri = tmp_path / "notes" / "src-tauri"
    assert "wrote    capabilities/sidecar.json" in printed
    assert "Next:\n  npm run tauri add shell" in printed
    build_as_tauri(src_tauri, HOST)
    with App(tmp_path / "home", src_tauri=src_tauri) as app:
        ready = app.do("start")
        assert Path(f"/proc/{ready['pid']}/exe").resolve().is_relative_to(HOST / "lib")
        save_rows(app, KEYS)
        app.event("rebuilt", rows=len(KEYS))
        assert_mirrored(app)
    assert time.monotonic() - began < TEN_MINUTES / 10


def test_without_a_capability_the_start_is_a_sidecar_error(tmp_path: Path) -> None:
    """The plugin throws a string; the page gets a code, and what the plugin said."""
    with App(tmp_path, "app") as app:
        assert_refused(app.refused("start"), "not allowed")
        assert app.reported("uncaught") == []


def test_a_program_that_is_not_there_is_a_sidecar_error(tmp_path: Path) -> None:
    """What the operating system says comes through."""
    program = HOST / "bin" / "epicenter-sidecar"
    aside = program.rename(program.with_name("aside"))
    try:
        with App(tmp_path) as app:
            assert_refused(app.refused("start"), "os error 2")
    finally:
        aside.rename(program)


def test_what_a_capability_does_not_allow_is_a_sidecar_error(tmp_path: Path) -> None:
    """One that only lets it start on one road: no other program, no line on stdin, no kill."""
    with App(tmp_path, "app", "sidecar-by-path") as app:
        assert_refused(app.refused("start"), "epicenter-sidecar")
        assert_refused(app.refused("start", program="binaries/other"), "binaries/other")
        app.do("start", byPath=True)
        for action in ("ping", "status", "sync", "kill"):
            assert_refused(app.refused(action, target={}), "not allowed")
        assert app.reported("uncaught") == []


@pytest.mark.parametrize("capabilities", [("app",), ("app", "sidecar")], ids=["without", "with"])
def test_the_guides_modules_do_not_keep_an_app_from_mounting(
    tmp_path: Path, capabilities: tuple[str, ...]
) -> None:
    """The page is there and nothing is uncaught, whether the sidecar may start or not."""
    if "sidecar" in capabilities:  # the guide's mirrors.ts then meets a plugin that is not there
        folder = tmp_path / "data" / IDENTIFIER / "workspaces" / "w" / "0"
        folder.mkdir(parents=True)
        (few,) = make_documents(tmp_path / "few", "many", "3")
        shutil.copyfile(few, folder / "workspace.yjs")
    with App(tmp_path, *capabilities, frontend=GUIDE) as app:
        report = app.report(lambda report: "ready" in report)
        assert report == {"ready": "sidecar" in capabilities, "mounted": "mounted"}
        assert app.reported("uncaught") == []


def assert_refused(reply: Message, said: str) -> None:
    """Check that a promise was rejected with a SidecarError which passes on what Tauri said."""
    assert (reply["isOurs"], reply["code"], reply["reason"]) == (True, "refused", "string")
    assert said in reply["error"]


def document(app: App) -> Path:
    """Return the document's path."""
    return app.data / "workspaces" / WORKSPACE / "0" / "workspace.yjs"


def mirror(app: App) -> Path:
    """Return the mirror's path."""
    return document(app).with_name("tables.sqlite")


def save_rows(app: App, keys: list[str]) -> None:
    """Have the page put these rows into the workspace, and save until the file has them all.

    The app awaits none of its saves, so the last to be written may be an older state.
    """
    app.do("open", workspace=WORKSPACE, table=TABLE)
    app.do("edit", workspace=WORKSPACE, table=TABLE, keys=keys)
    while set((app.do("saved", workspace=WORKSPACE) or {}).get(TABLE, {})) != set(keys):
        app.do("edit", workspace=WORKSPACE, table=TABLE, keys=keys[:1])


def reload_page(app: App) -> None:
    """Reload the page and wait until the new one listens."""
    heard = len(app.reports)
    app.order("reload")
    app.report(lambda report: "hello" in report, heard)


def watchers(app: App) -> list[int]:
    """Return the pids of the living ``watch`` processes, workers left out."""
    return [pid for pid, words in app.sidecars().items() if "watch" in words]


def events_since(app: App, heard: int) -> list[Message]:
    """Return the sidecar's events among the later reports."""
    return [report["event"] for report in app.reports[heard:] if "event" in report]


def begin_large_build(app: App, folder: Path) -> None:
    """Put a large document among the app's and wait until its build is under way."""
    (large,) = make_documents(folder / "large", "many", "30000")
    place = app.data / "workspaces" / "large" / "0"
    place.mkdir(parents=True)
    shutil.copyfile(large, place / "workspace.yjs")
    wait_until(lambda: leftovers(app.data), "the large build has begun")


def assert_mirrored(app: App) -> None:
    """Compare every cell with what WebKit's Yjs finds in the file."""
    saved = app.do("saved", workspace=WORKSPACE)
    assert saved is not None
    assert list(saved) == [TABLE]
    with closing(sqlite3.connect(mirror(app))) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f'SELECT * FROM "{TABLE}"').fetchall()
    assert {row["id"]: as_javascript(dict(row)) for row in rows} == saved[TABLE]


def as_javascript(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the mirror as JavaScript has it."""
    assert row.pop("_extra") is None
    for field in ("tags", "meta"):
        row[field] = None if row[field] is None else json.loads(row[field])
    return row | {"done": bool(row["done"])}
