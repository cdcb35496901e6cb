"""The worker: a document that ends it causes one failure of that document only."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.apps import document_path, leftovers, mirror_of, unfinished
from tests.support.documents import document, nested, save
from tests.support.large import ROWS
from tests.support.mirrors import query
from tests.support.program import Watch, run
from tests.support.waiting import wait_until

QUICK = ("--debounce-ms", "10", "--warm-s", "1")
"""The child that keeps an edited document ends after a second of rest, for which tests wait."""


@pytest.fixture(scope="session")
def deadly() -> bytes:
    """Return a document nested so deeply that the decoder ends with SIGSEGV on any stack."""
    return nested(5_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a document in an app folder."""
    return save(document_path(tmp_path), document(3))


@pytest.fixture
def watch(path: Path, tmp_path: Path) -> Iterator[Watch]:
    """Watch it, ready."""
    assert path.exists()
    with Watch(tmp_path, *QUICK) as watch:
        watch.until("ready")
        yield watch


def workers(watch: Watch) -> list[psutil.Process]:
    """Return the worker processes and their jobs."""
    return psutil.Process(watch.process.pid).children(recursive=True)


def the_worker(watch: Watch) -> psutil.Process:
    """Return the worker once it is at rest and its last job is gone."""
    wait_until(lambda: len(workers(watch)) == 1, "one worker and no job")
    return workers(watch)[0]


def rows(path: Path) -> int:
    """Count the rows in a document's mirror."""
    ((count,),) = query(mirror_of(path), "SELECT count(*) FROM notes")
    assert isinstance(count, int)
    return count


def test_a_crash_costs_one_document_one_failure(
    watch: Watch, path: Path, tmp_path: Path, deadly: bytes
) -> None:
    """The old mirror stays, other documents are synced, a later good version is synced."""
    save(path, deadly)
    failed = watch.until("failed", path=str(path))
    assert (failed["code"], failed["retry_ms"]) == ("crashed", 60_000)
    assert "SIGSEGV" in failed["message"]
    assert rows(path) == 3
    other = save(document_path(tmp_path, "w2"), document(1))
    watch.until("rebuilt", path=str(other))
    save(path, document(4))
    watch.until("rebuilt", path=str(path), rows=4)
    assert [event["type"] for event in watch.events].count("failed") == 1
    assert leftovers(tmp_path) == []


@pytest.mark.long
def test_a_crash_does_not_take_its_neighbours_along(tmp_path: Path, deadly: bytes) -> None:
    """Documents that share a job with a deadly one are synced all the same, in watch and sync."""
    for number in range(20):
        data = deadly if number % 10 == 3 else document(1)
        save(document_path(tmp_path, f"w{number:02}"), data)
    with Watch(tmp_path) as watch:
        ready = watch.until("ready")
    assert (ready["rebuilt"], ready["failed"]) == (18, 2)
    done = run("sync", "--json", tmp_path)
    assert done.code == 1
    assert done.events()[-1]["unchanged"] == 18
    assert {e["code"] for e in done.events() if e["type"] == "failed"} == {"crashed"}


def test_a_sync_that_takes_too_long_is_ended(path: Path, tmp_path: Path, large: bytes) -> None:
    """--max-seconds, code `timeout`; the mirror stays as it was."""
    run("sync", tmp_path)
    save(path, large)
    done = run("sync", "--json", tmp_path, "--max-seconds", "0.05")
    assert (done.code, done.events()[0]["code"]) == (1, "timeout")
    assert rows(path) == 3
    with Watch(tmp_path, *QUICK, "--max-seconds", "0.05") as watch:
        assert watch.until("failed")["code"] == "timeout"
        watch.until("ready")
        save(path, document(4))
        watch.until("rebuilt", rows=4)
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_sync_that_needs_too_much_memory_is_ended(
    path: Path, tmp_path: Path, large: bytes
) -> None:
    """``--max-memory-mb``, code `memory`, for allocations in Rust and in Python."""
    run("sync", tmp_path)
    save(path, large)
    done = run("sync", "--json", tmp_path, "--max-memory-mb", "64")
    assert (done.code, done.events()[0]["code"]) == (1, "memory")
    assert rows(path) == 3


def test_a_document_that_is_too_large_is_not_read(path: Path, tmp_path: Path) -> None:
    """--max-document-mb, code `too_large`."""
    save(path, b"\x01" * (1 << 20) + b"x")
    done = run("sync", "--json", tmp_path, "--max-document-mb", "1")
    assert (done.code, done.events()[0]["code"]) == (1, "too_large")


def test_a_worker_killed_at_rest_is_replaced(watch: Watch, path: Path) -> None:
    """No event is sent; the next change uses a new worker."""
    worker = the_worker(watch)
    worker.kill()
    wait_until(
        lambda: [w for w in workers(watch) if w.pid != worker.pid and w.is_running()],
        "a new worker",
    )
    save(path, document(4))
    watch.until("rebuilt", rows=4)
    assert "failed" not in [event["type"] for event in watch.events]


def test_a_worker_killed_at_work_is_tried_again(watch: Watch, path: Path, large: bytes) -> None:
    """It is not the document's fault: one `failed` with the wait, then the rebuild."""
    save(path, large)
    wait_until(lambda: unfinished(mirror_of(path)), "the build")
    for worker in workers(watch):
        worker.kill()
    failed = watch.until("failed")
    assert failed["code"] == "crashed"
    assert failed["retry_ms"] is not None
    watch.until("rebuilt", rows=ROWS)
    assert rows(path) == ROWS


def test_a_quiet_document_does_not_wait_for_a_large_one(
    watch: Watch, path: Path, tmp_path: Path, large: bytes
) -> None:
    """During a long job a second worker takes the other documents, and ends afterwards."""
    save(path, large)
    wait_until(lambda: unfinished(mirror_of(path)), "the build")
    job = [process for process in workers(watch) if len(process.children()) == 0]
    for process in job:
        process.suspend()
    other = save(document_path(tmp_path, "w2"), document(1))
    watch.until("rebuilt", path=str(other))
    assert rows(other) == 1
    for process in job:
        process.resume()
    watch.until("rebuilt", path=str(path), rows=ROWS)
    wait_until(lambda: len(workers(watch)) == 1, "one worker at rest")


def test_memory_goes_back_after_a_large_document(watch: Watch, path: Path, large: bytes) -> None:
    """Afterwards there is one worker, and it is small."""
    save(path, large)
    watch.until("rebuilt", rows=ROWS)
    wait_until(lambda: len(workers(watch)) == 1, "one worker at rest")
    resident = [p.memory_info().rss for p in [psutil.Process(watch.process.pid), *workers(watch)]]
    assert sum(resident) < 120 << 20  # shared pages count twice in it


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="it counts handles, of which few are ours")
def test_nothing_grows(watch: Watch, path: Path) -> None:
    """Descriptors, threads and children are the same after a hundred syncs as after one."""
    program = psutil.Process(watch.process.pid)

    def sizes() -> tuple[int, int, int]:
        return (program.num_fds(), program.num_threads(), len(workers(watch)))

    save(path, document(4))
    watch.until("rebuilt")
    the_worker(watch)
    before = sizes()
    for number in range(100):
        watch.send({"type": "sync", "force": True, "id": number})
        watch.until("synced", id=number)
    wait_until(lambda: sizes() == before, "the sizes of before")
