"""Long syncs, retries, and mirrors that another process changes, end to end."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, nested, save
from tests.support.large import ROWS
from tests.support.mirrors import query
from tests.support.processes import family
from tests.support.program import Watch, run
from tests.support.systems import needs_signals
from tests.support.waiting import wait_until

QUICK = ("--debounce-ms", "10")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a document in an app folder."""
    return save(document_path(tmp_path / "app"), document(3))


@pytest.fixture
def watch(path: Path) -> Iterator[Watch]:
    """Watch it, ready."""
    with Watch(path.parents[3], *QUICK) as watch:
        watch.until("ready")
        yield watch


def state(watch: Watch) -> tuple[str, str | None]:
    """Ask for the state of its only document, and the code with it."""
    watch.send({"type": "status", "id": 1})
    (status,) = watch.until("status", id=1)["documents"]
    return status["state"], status["code"]


@pytest.mark.long
def test_deadly_bytes_are_tried_no_sooner_by_a_rescan_or_a_rewrite(path: Path) -> None:
    """The wait of a minute is kept; other bytes are tried at once."""
    with Watch(path.parents[3], *QUICK, "--rescan-s", "0.5") as watch:
        watch.until("ready")
        deadly = nested(5_000_000)
        save(path, deadly)
        failed = watch.until("failed")
        assert (failed["code"], failed["retry_ms"]) == ("crashed", 60_000)
        # an event that comes late makes it pending once more, until its bytes are known again
        wait_until(lambda: state(watch) == ("unreadable", "crashed"), "the state of deadly bytes")
        save(path, deadly)
        assert watch.quiet(3.0) == []
        save(path, document(4))
        watch.until("rebuilt", rows=4)


@pytest.mark.long
def test_a_document_whose_worker_is_killed_again_and_again_is_synced_in_the_end(
    path: Path, watch: Watch, large: bytes
) -> None:
    """As by a system out of memory; earlier versions gave up after the second time."""
    save(path, large)
    for _ in range(3):
        wait_until(lambda: len(family(watch)) > 2, "a child at work", 60)
        for process in family(watch)[2:]:
            process.kill()
        wait_until(lambda: len(family(watch)) == 2, "the end of the child")
    assert watch.until("failed")["retry_ms"] == 1000
    watch.until("rebuilt", rows=ROWS, seconds=90)
    assert leftovers(path.parents[3]) == []


@pytest.mark.long
@needs_signals
def test_a_sleep_of_all_processes_is_no_hang(path: Path) -> None:
    """SIGSTOP of the whole group for longer than four times ``--max-seconds``."""
    with Watch(path.parents[3], *QUICK, "--max-seconds", "2") as watch:
        watch.until("ready")
        save(path, document(20_000))
        wait_until(lambda: len(family(watch)) > 2, "a child at work")
        processes = family(watch)
        for process in processes:
            process.suspend()
        time.sleep(9)  # the time that passes is what is tested
        for process in processes:
            process.resume()
        watch.until("rebuilt", rows=20_000)
        assert "failed" not in [event["type"] for event in watch.events]


@pytest.mark.long
@needs_signals
def test_a_child_that_hangs_is_ended(path: Path) -> None:
    """By real time, after four times ``--max-seconds``, because it uses no CPU."""
    with Watch(path.parents[3], *QUICK, "--max-seconds", "1") as watch:
        watch.until("ready")
        save(path, document(20_000))
        wait_until(lambda: len(family(watch)) > 2, "a child at work")
        for process in family(watch)[2:]:
            process.suspend()
        failed = watch.until("failed")
        assert (failed["code"], failed["retry_ms"]) == ("timeout", 60_000)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="a child is a process of its own here")
def test_two_slow_documents_do_not_block_an_edit_elsewhere(
    path: Path, watch: Watch, large: bytes
) -> None:
    """Both hang; a third document is still synced within seconds."""
    root = path.parents[3]
    wait_until(lambda: len(family(watch)) == 2, "the end of the first job")
    slow = [save(document_path(root, f"slow{n}"), large) for n in range(2)]
    hung: set[int] = set()

    def hang_both() -> bool:
        for process in family(watch)[1:]:
            if process.ppid() != watch.process.pid and process.pid not in hung:
                process.suspend()
                hung.add(process.pid)
        return len(hung) >= 2

    wait_until(hang_both, "both of them at work")
    other = save(document_path(root, "other"), document(1))
    started = time.monotonic()
    while watch.until("rebuilt")["path"] != str(other):
        pass
    assert time.monotonic() - started < 15
    for pid in hung:
        os.kill(pid, signal.SIGCONT)
    for _ in slow:
        watch.until("rebuilt", rows=ROWS)


def test_a_status_each_second_starves_no_document(path: Path, watch: Watch) -> None:
    """A stale document is rebuilt, and all commands get a reply."""
    for number in range(20):
        save(path, document(100 + number))
        for twin in range(50):
            watch.send({"type": "status", "id": number * 50 + twin})
    answered: set[int] = set()
    rows = 0
    while len(answered) < 1000 or rows != 119:
        event = watch.receive()
        if event["type"] == "status":
            answered.add(event["id"])
        elif event["type"] == "rebuilt":
            rows = event["rows"]


def test_a_mirror_put_there_by_another_process_is_told(path: Path, watch: Watch) -> None:
    """`rebuilt`, reason `elsewhere`, with all tables and 0 ms, so that an app reopens it."""
    root = path.parents[3]
    assert run("sync", "--force", root).code == 0
    event = watch.until("rebuilt")
    assert (event["reason"], event["changed"], event["ms"]) == ("elsewhere", ["notes"], 0)
    assert event["rows"] == 3
    assert watch.quiet(1.0) == []


def test_a_mirror_of_another_process_that_is_behind_is_rebuilt(path: Path, tmp_path: Path) -> None:
    """A copy put in the mirror's place is compared with the document."""
    with Watch(path.parents[3], *QUICK) as watch:
        watch.until("ready")
        old = mirror_of(path).read_bytes()
        save(path, document(5))
        watch.until("rebuilt", rows=5)
        (tmp_path / "old").write_bytes(old)
        (tmp_path / "old").replace(mirror_of(path))
        watch.until("rebuilt", rows=5)


@pytest.mark.long
def test_two_watches_with_other_options_do_not_fight(path: Path, tmp_path: Path) -> None:
    """Each replaces the mirror once for each version of the document, then reports and keeps it."""
    root = path.parents[3]
    options = (*QUICK, "--rescan-s", "0.5", "--fts")
    first = Watch(root, *options, "notes.title", "--state-dir", tmp_path / "a")
    second = Watch(root, *options, "none", "--state-dir", tmp_path / "b")
    with first, second:
        first.until("ready")
        second.until("ready")
        save(path, document(5))
        first.until("rebuilt", rows=5)
        second.until("rebuilt", rows=5)
        wait_until(lambda: "other options" in first.errors() + second.errors(), "the note")
        for watch in (first, second):
            watch.quiet(1.5)
        before = mirror_of(path).stat().st_ino
        assert (first.quiet(1.5), second.quiet(1.5)) == ([], [])
        assert mirror_of(path).stat().st_ino == before
        save(path, document(6))
        first.until("rebuilt", rows=6)
        second.until("rebuilt", rows=6)


def test_an_app_that_saves_by_delete_and_create_is_never_gone(path: Path, watch: Watch) -> None:
    """However long the file is missing between delete and create."""
    for number in range(4, 14):
        path.unlink()
        time.sleep(0.05 * (number % 5))  # the app encodes
        save(path, document(number))
        watch.until("rebuilt", rows=number)
    assert "gone" not in [event["type"] for event in watch.events]
    path.unlink()
    watch.until("gone")


@pytest.mark.long
def test_workspaces_deleted_at_once_are_gone_in_seconds(tmp_path: Path) -> None:
    """Each is reported once, within seconds."""
    for number in range(300):
        save(document_path(tmp_path / "app", f"w{number}"), b"\0\0")
    assert run("sync", tmp_path / "app").code == 0
    with Watch(tmp_path / "app", *QUICK) as watch:
        assert watch.until("ready", 120)["documents"] == 300
        (tmp_path / "app" / "workspaces").rename(tmp_path / "away")
        started = time.monotonic()
        gone = {watch.until("gone", 60)["path"] for _ in range(300)}
        assert time.monotonic() - started < 30
    assert len(gone) == 300
    assert query(tmp_path / "away" / "w7" / "0" / "tables.sqlite", "SELECT 1") == [(1,)]
