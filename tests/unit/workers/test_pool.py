"""The pool: workers that cannot be started, and their time limits."""

import subprocess
import threading
from typing import Any

import pytest

from sidecar.workers.pool import ProcessPool


@pytest.fixture
def pool() -> ProcessPool:
    """Return a pool without a started worker."""
    return ProcessPool(lambda _worker, _message: None, lambda text, ms: TOLD.append((text, ms)))


TOLD: list[tuple[str, int]] = []


@pytest.mark.parametrize("scarce", ["process", "descriptor", "thread"])
def test_a_worker_that_cannot_be_started_is_tried_later(
    pool: ProcessPool, monkeypatch: pytest.MonkeyPatch, scarce: str
) -> None:
    """Reported once with the wait, with longer waits; when possible one is started."""
    TOLD.clear()

    def refuse(*_arguments: Any, **_named: Any) -> None:
        if scarce == "thread":
            raise RuntimeError("can't start new thread")
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        if scarce == "thread":
            patch.setattr(threading.Thread, "start", refuse)
        else:
            patch.setattr(subprocess, "Popen", refuse)
        assert pool.free(100.0) is None
        ((text, retry_ms),) = TOLD
        assert "no worker can be started" in text
        assert retry_ms == 1000
        assert pool.next_check(waiting=True) == 101.0
        assert pool.free(101.0) is None
        assert pool.next_check(waiting=True) == 102.0
        assert pool.free(102.0) is None
        assert pool.next_check(waiting=True) == 107.0
        assert len(TOLD) == 1
    assert pool.free(106.0) is None
    assert pool.free(107.0) is not None
    pool.dismiss(30)


class Kept:
    """A worker without a process."""

    def __init__(self, _deliver: Any) -> None:
        """Begin idle."""
        self.batch: object = None
        self.holds: str | None = None
        self.holds_mb = 0
        self.since = 0.0
        self.worked = True
        self.is_ended = False
        MADE.append(self)

    def retire(self) -> None:
        """Record the request to end."""
        self.is_ended = True


MADE: list[Kept] = []


@pytest.mark.parametrize(
    ("sizes", "most_mb", "left"),
    [
        ([10] * 4, 40, "abcd"),
        ([10] * 5, 100, "bcde"),
        ([10] * 4, 39, "bcd"),
        ([30, 10, 10, 10], 40, "bcd"),
        ([10, 10, 10, 30], 40, "cd"),
        ([10, 10, 10, 50], 40, ""),
    ],
)
def test_the_least_recently_edited_document_goes_first(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], most_mb: int, left: str
) -> None:
    """Four are kept, within the allowed memory; the one with the oldest edit is dropped first."""
    MADE.clear()
    monkeypatch.setattr("sidecar.workers.pool.ProcessWorker", Kept)
    pool = ProcessPool(lambda _worker, _message: None, keep_s=20.0, keep_mb=most_mb)
    for at, (name, size) in enumerate(zip("abcde", sizes, strict=False)):
        worker: Any = pool.free(float(at))
        worker.holds, worker.holds_mb, worker.since = name, size, float(at)
        pool.finish(worker, waiting=False)
    assert [worker.holds for worker in pool.resting()] == [*left]
    assert all(pool.keeps(name) for name in left)
    assert sum(worker.is_ended for worker in MADE) == len(sizes) - len(left)
    pool.end_overdue(19.0 + len(sizes), 300.0)
    assert pool.resting() == [worker for worker in pool.resting() if worker.since > len(sizes) - 1]


def test_a_document_edited_again_is_the_last_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last edit counts, not the first."""
    MADE.clear()
    monkeypatch.setattr("sidecar.workers.pool.ProcessWorker", Kept)
    pool = ProcessPool(lambda _worker, _message: None, keep_s=20.0, keep_mb=100)
    for at, name in enumerate("abcdae"):
        held = [worker for worker in pool.resting() if worker.holds == name]
        worker: Any = held[0] if held else pool.free(float(at))
        worker.holds, worker.holds_mb, worker.since = name, 1, float(at)
        pool.finish(worker, waiting=False)
    assert {worker.holds for worker in pool.resting()} == {*"acde"}
    pool.drop("c")
    assert {worker.holds for worker in pool.resting()} == {*"ade"}
