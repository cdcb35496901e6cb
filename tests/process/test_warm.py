"""A watch keeps decoded documents: the next edit is a warm sync, and nothing is kept for long."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from pycrdt import Doc, Map

from sidecar.workers.pool import MOST_KEPT
from tests.support.apps import document_path, mirror_of
from tests.support.documents import save
from tests.support.mirrors import query
from tests.support.processes import family, is_gone
from tests.support.program import Watch
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a child that lives on is forked")

QUICK = ("--debounce-ms", "10", "--warm-min-mb", "0", "--warm-mb", "500")


class App:
    """An app that edits one document, and saves it whole."""

    def __init__(self, path: Path) -> None:
        """Begin with a few rows."""
        self.path = path
        self.doc: Doc[Any] = Doc()
        rows = {f"row {n}": Map({"id": f"row {n}", "title": "x"}) for n in range(2000)}
        self.doc["tables"] = Map({"notes": Map(rows)})
        self.save()

    def save(self) -> None:
        """Save the document."""
        save(self.path, self.doc.get_update())

    def edit(self, title: str) -> None:
        """Edit a cell of one row, and save."""
        self.doc["tables"]["notes"]["row 7"]["title"] = title
        self.save()

    def is_shown(self, title: str) -> bool:
        """Return whether the mirror has the edit."""
        sql = "SELECT title FROM notes WHERE id = 'row 7'"
        return query(mirror_of(self.path), sql) == [(title,)]


def descendants(watch: Watch) -> list[psutil.Process]:
    """Return all running descendants of the watch."""
    return [process for process in family(watch)[1:] if not is_gone(process)]


def kept(watch: Watch) -> list[psutil.Process]:
    """Return the processes that keep a document: children of workers."""
    workers = psutil.Process(watch.process.pid).children()
    return [child for child in descendants(watch) if child not in workers]


def test_an_edit_goes_warm_and_names_its_row(tmp_path: Path) -> None:
    """``rebuilt`` has ``warm``; the first sync of a document is not warm."""
    app = App(document_path(tmp_path))
    with Watch(tmp_path, *QUICK) as watch:
        assert watch.until("rebuilt")["warm"] is False
        watch.until("ready")
        for title in ("one", "two", "three"):
            app.edit(title)
            rebuilt = watch.until("rebuilt")
            assert rebuilt["warm"] is True
            assert rebuilt["counts"] == {"notes": {"added": 0, "changed": 1, "removed": 0}}
            assert app.is_shown(title)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_its_end_costs_a_fresh_decode_and_nothing_else(tmp_path: Path, end: signal.Signals) -> None:
    """Killed, crashed or hanging: nothing fails, and the edit after that is warm again.

    One that hangs is waited for as long as a fresh decode may take.
    """
    app = App(document_path(tmp_path))
    with Watch(tmp_path, *QUICK, "--max-seconds", "1") as watch:
        watch.until("ready")
        (child,) = kept(watch)
        os.kill(child.pid, end)
        for is_warm in (False, True):
            app.edit(f"warm {is_warm}")
            rebuilt = watch.until("rebuilt")
            assert rebuilt["warm"] is is_warm
            assert rebuilt["counts"] == {"notes": {"added": 0, "changed": 1, "removed": 0}}
            assert app.is_shown(f"warm {is_warm}")
            assert watch.quiet(0.1) == []
        assert is_gone(child)


def test_a_document_that_is_gone_is_kept_no_longer(tmp_path: Path) -> None:
    """Its memory is freed at once, not after ``--warm-s``."""
    app = App(document_path(tmp_path))
    with Watch(tmp_path, *QUICK, "--warm-s", "600") as watch:
        watch.until("ready")
        app.edit("one")
        watch.until("rebuilt")
        (child,) = kept(watch)
        app.path.unlink()
        watch.until("gone")
        wait_until(lambda: is_gone(child), "its process has ended")


def test_the_least_recently_edited_document_goes_first(tmp_path: Path) -> None:
    """Four are kept; the fifth replaces the one with the oldest edit."""
    apps = [App(document_path(tmp_path, f"w{number}")) for number in range(5)]
    with Watch(tmp_path, *QUICK, "--warm-mb", "4000", "--warm-s", "600") as watch:
        watch.until("ready")
        for number, app in enumerate((*apps[1:], apps[1], apps[0])):
            app.edit(f"edit {number}")
            watch.until("rebuilt", path=str(app.path))
        wait_until(lambda: len(kept(watch)) == MOST_KEPT, "four are kept")
        watch.send({"type": "status", "id": 1})
        report = watch.until("status")
        warm = {status["path"]: status["warm"] for status in report["documents"]}
        assert [warm[str(app.path)] for app in apps] == [True, True, False, True, True]


def test_at_rest_everything_is_given_back(tmp_path: Path) -> None:
    """One worker is left, as without kept documents; no process outlives the watch."""
    app = App(document_path(tmp_path))
    with Watch(tmp_path, *QUICK, "--warm-s", "1") as watch:
        watch.until("ready")
        app.edit("one")
        watch.until("rebuilt")
        everything = descendants(watch)
        assert kept(watch)
        wait_until(lambda: not kept(watch), "nothing is kept")
        wait_until(lambda: len(descendants(watch)) <= 1, "one worker at most")
    wait_until(lambda: all(map(is_gone, everything)), "all of them are gone")


def test_nothing_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    """With ``--warm-mb 0`` none is kept, nor is a document that needs more memory than allowed."""
    app = App(document_path(tmp_path))
    for limit in ("0", "1"):
        with Watch(tmp_path, *QUICK, "--warm-mb", limit) as watch:
            watch.until("ready")
            app.edit(limit)
            assert watch.until("rebuilt")["warm"] is False
            wait_until(lambda watch=watch: not kept(watch), "nothing is kept")  # type: ignore[misc]
