"""The watcher under load: no change is lost, whenever and however it is made."""

import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.fault.bench import fill, small_disk
from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, program, run
from tests.support.systems import needs_fifos
from tests.support.waiting import wait_until

OPTIONS = ("--debounce-ms", "50", "--rescan-s", "3600", "--max-load", "1")
"""No rescan comes to help: what is caught is caught by events."""


def rows(path: Path) -> int:
    """Count the rows in a document's mirror; -1 while there is none."""
    if not mirror_of(path).exists():
        return -1
    ((count,),) = query(mirror_of(path), "SELECT count(*) FROM notes")
    assert isinstance(count, int)
    return count


@contextmanager
def busy_writer(path: Path, counts: Iterable[int]) -> Iterator[list[int]]:
    """Save versions of so many rows, again and again, until the context ends."""
    versions = [(count, document(count)) for count in counts]
    stop = threading.Event()
    last: list[int] = []

    def write() -> None:
        for count, data in itertools.cycle(versions):
            save(path, data)
            last[:] = [count]
            if stop.wait(0.002):
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield last
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("moment", ["started", "ready", "rebuilt"])
@pytest.mark.parametrize("polling", [False, True])
def test_nothing_is_lost_between_arming_and_the_first_pass(
    tmp_path: Path, moment: str, *, polling: bool
) -> None:
    """A document is saved all the time, for the last time at some moment of the start."""
    for number in range(3):
        path = document_path(tmp_path / str(number))
        with Watch(path.parents[3], *OPTIONS, *["--force-polling"] * polling) as watch:
            with busy_writer(path, range(1, 40)) as last:
                watch.until(moment)
                threading.Event().wait(number * 0.03)  # another point of the start each time
            wait_until(lambda: rows(path) == last[0], "the last version")  # noqa: B023


@pytest.mark.long
def test_a_change_during_a_sync_leads_to_one_more(tmp_path: Path) -> None:
    """The mirror shows the last state on disk, whatever was read before."""
    path = save(document_path(tmp_path), document(1))
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        for number in range(1, 6):
            save(path, document(20_000 + number))
            threading.Event().wait(0.1 * number)  # into the debounce, the decode, the build
            save(path, document(number))
            wait_until(lambda: rows(path) == number, f"version {number}")  # noqa: B023
    assert leftovers(tmp_path) == []


def test_workspaces_made_in_a_burst_are_all_found(tmp_path: Path) -> None:
    """Folders that are filled the moment they exist, and again a moment later."""
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        paths = [document_path(tmp_path, f"w{number}", number % 3) for number in range(150)]
        for path in paths:
            save(path, document(2))
        for path in paths[::7]:
            save(path, document(4))
        wait_until(lambda: all(rows(path) == 2 for path in set(paths) - set(paths[::7])), "all")
        wait_until(lambda: all(rows(path) == 4 for path in paths[::7]), "the second saves")


def test_a_folder_that_comes_and_goes(tmp_path: Path) -> None:
    """Removed and made again under its name, many times over: the last one is followed."""
    path = document_path(tmp_path)
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        for number in range(1, 15):
            shutil.rmtree(tmp_path / "workspaces" / "w1")
            save(path, document(number))
        wait_until(lambda: rows(path) == 14, "the last one")
        save(path, document(20))
        wait_until(lambda: rows(path) == 20, "an edit in the last one")


def test_a_noisy_document_does_not_starve_the_quiet_ones(tmp_path: Path) -> None:
    """One large document saved all the time, beside small ones that are edited now and then."""
    noisy = save(document_path(tmp_path, "noisy"), document(5000))
    quiet = [save(document_path(tmp_path, f"q{number}"), document(1)) for number in range(20)]
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        with busy_writer(noisy, range(5000, 5005)):
            for number, path in enumerate(quiet[:8], start=2):
                save(path, document(number))
                wait_until(lambda: rows(path) == number, "a quiet edit")  # noqa: B023


def test_a_mirror_that_is_written_to_is_noticed(tmp_path: Path) -> None:
    """By the rescan, because an event does not show which program wrote."""
    path = save(document_path(tmp_path), document(3))
    with Watch(tmp_path, "--debounce-ms", "50", "--rescan-s", "1") as watch:
        watch.until("ready")
        with closing(sqlite3.connect(mirror_of(path))) as connection, connection:
            connection.execute("DELETE FROM notes")
        assert watch.until("rebuilt")["reason"] == "damaged"
        assert rows(path) == 3
        assert watch.quiet(3.0) == [], "our own mirror is no news"


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux")
@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_without_file_events_it_looks_often(tmp_path: Path, limit: str) -> None:
    """Without free watches it is reported, and no change is lost."""
    path = save(document_path(tmp_path), document(3))
    save(document_path(tmp_path, "w2"), document(3))
    script = f'echo 2 > /proc/sys/user/{limit} && exec "$@"'
    if limit == "max_inotify_instances":
        script = script.replace("echo 2", "echo 0")
    confined = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*confined, "true"], check=False).returncode
    ):
        pytest.skip("the limit cannot be set for one process alone here")
    command = [*confined, *program(), "watch", "--output", "ndjson", *OPTIONS, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: rows(path) == 3, "the first pass")
        wait_until(lambda: rows(document_path(tmp_path, "w2")) == 3, "the first pass")
        save(path, document(7))
        wait_until(lambda: rows(path) == 7, "an edit")
        _, errors = process.communicate()
    assert "polling all files" in errors


def test_a_full_disk_is_recovered_from_without_a_restart(tmp_path: Path) -> None:
    """`disk_full` with the time of the next try; with space again, the mirror follows by itself."""
    with small_disk(tmp_path / "disk", 800) as disk:
        path = save(document_path(disk), document(3))
        with Watch(disk, *OPTIONS) as watch:
            watch.until("ready")
            save(path, document(900))
            filler = fill(disk)
            event = watch.until("failed")
            assert (event["code"], event["retry_ms"] > 0) == ("disk_full", True)
            assert rows(path) == 3
            assert leftovers(disk) == []
            filler.unlink()
            watch.until("rebuilt", seconds=90)
            assert rows(path) == 900


def test_a_folder_that_is_locked_for_a_while(tmp_path: Path) -> None:
    """A folder at the path of a mirror: reported once; after its removal the mirror is built."""
    path = save(document_path(tmp_path), document(3))
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        mirror_of(path).unlink()
        mirror_of(path).mkdir()
        save(path, document(4))
        assert watch.until("failed")["code"] == "denied"
        mirror_of(path).rmdir()
        watch.until("rebuilt", seconds=90)
        assert rows(path) == 4


def test_sync_beside_watch(tmp_path: Path) -> None:
    """By force, in other processes: no failure, and no older state over a newer one."""
    path = save(document_path(tmp_path), document(1))
    with Watch(tmp_path, *OPTIONS) as watch:
        watch.until("ready")
        for number in range(2, 12):
            save(path, document(number))
            done = run("sync", "--force", "--json", tmp_path)
            assert done.code == 0, done.out + done.err
        wait_until(lambda: rows(path) == 11, "the last version")
        failures = [event for event in watch.quiet(1.0) if event["type"] == "failed"]
        assert failures == []
    assert run("verify", tmp_path).code == 0


@needs_fifos
def test_names_that_lead_elsewhere(tmp_path: Path) -> None:
    """Links, FIFOs, sockets and devices in the place of folders and documents: not followed."""
    outside = save(tmp_path / "outside" / "0" / "workspace.yjs", document(3))
    root = tmp_path / "app"
    good = save(document_path(root, "good"), document(3))
    workspaces = root / "workspaces"
    (workspaces / "link").symlink_to(outside.parents[1])
    (workspaces / "loop").symlink_to(workspaces)
    (workspaces / "device").symlink_to("/dev/zero")
    os.mkfifo(workspaces / "fifo")
    for number, name in enumerate(("fifo", "device", "linked")):
        folder = document_path(root, name + "s", number).parent
        if name == "fifo":
            os.mkfifo(folder / "workspace.yjs")
        else:
            target = Path("/dev/zero") if name == "device" else outside
            (folder / "workspace.yjs").symlink_to(target)
    with Watch(root, *OPTIONS) as watch:
        event = watch.until("ready")
        assert event["rebuilt"] == 1
        save(good, document(5))
        wait_until(lambda: rows(good) == 5, "an edit of the good one")
    assert not mirror_of(outside).exists()
    assert [str(path.relative_to(root)) for path in root.rglob("tables.sqlite")] == [
        "workspaces/good/0/tables.sqlite"
    ]
