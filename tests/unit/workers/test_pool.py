"""The pool: workers that cannot be started, and how long they may take."""

import subprocess
import threading
from typing import Any

import pytest

from sidecar.workers.pool import ProcessPool


@pytest.fixture
def pool() -> ProcessPool:
    """Return a pool that has started nothing."""
    return ProcessPool(lambda _worker, _message: None, lambda text, ms: TOLD.append((text, ms)))


TOLD: list[tuple[str, int]] = []


@pytest.mark.parametrize("scarce", ["process", "descriptor", "thread"])
def test_a_worker_that_cannot_be_started_is_tried_later(
    pool: ProcessPool, monkeypatch: pytest.MonkeyPatch, scarce: str
) -> None:
    """Said once with the wait, slower and slower; with room again there is one."""
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
