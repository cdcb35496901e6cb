"""Locks: one `watch` per root, one sync per document; both are released with their holder."""

from pathlib import Path

import pytest

from tests.support.apps import document_path, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, run
from tests.support.systems import needs_signals


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a document in an app folder."""
    return save(document_path(tmp_path), document(3))


def test_a_second_watch_is_refused(path: Path, tmp_path: Path) -> None:
    """Exit 4, with the holder's pid, also by another path to the root."""
    (tmp_path / "link").symlink_to(tmp_path)
    with Watch(tmp_path) as first:
        first.until("ready")
        with Watch(tmp_path / "link" / "." / "link") as second:
            failed = second.until("failed")
            assert (failed["code"], failed["retry_ms"]) == ("locked", None)
            assert failed["holder_pid"] == first.process.pid
            assert second.wait() == 4
            assert str(first.process.pid) in second.errors()
    assert path.exists()


def test_wait_lock_takes_over(path: Path, tmp_path: Path) -> None:
    """It reports the holder once, and begins when that process has ended, in any way."""
    with Watch(tmp_path) as first:
        first.until("ready")
        with Watch(tmp_path, "--wait-lock") as second:
            failed = second.until("failed")
            assert failed["holder_pid"] == first.process.pid
            assert failed["retry_ms"] is not None
            first.process.kill()
            second.until("ready")
            save(path, document(4))
            second.until("rebuilt", rows=4)
            assert [event["type"] for event in second.events].count("failed") == 1


@pytest.mark.parametrize("how", [pytest.param("signal", marks=needs_signals), "stdin"])
def test_waiting_for_a_lock_can_be_stopped(path: Path, tmp_path: Path, how: str) -> None:
    """It ends when its host ends."""
    assert path.exists()
    with Watch(tmp_path) as first:
        first.until("ready")
        with Watch(tmp_path, "--wait-lock") as second:
            second.until("failed")
            if how == "signal":
                second.process.terminate()
            else:
                second.close_stdin()
            assert second.until("stopped")["reason"] == how
            assert second.wait() == 0


def test_nested_roots_and_sync_are_safe_beside_each_other(path: Path, tmp_path: Path) -> None:
    """The lock of a document also works between a watch and a sync with other roots."""
    with (
        Watch(tmp_path, "--debounce-ms", "10") as outer,
        Watch(path.parent, "--debounce-ms", "10") as inner,
    ):
        outer.until("ready")
        inner.until("ready")
        for rows in range(4, 12):
            save(path, document(rows))
            done = run("sync", "--json", tmp_path)
            assert done.code == 0, done.out
            assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(rows,)]
        for watch in (outer, inner):
            watch.send({"type": "sync", "id": "end"})
            assert watch.until("synced", id="end")["failed"] == 0
        assert not [e for e in (*outer.events, *inner.events) if e["type"] == "failed"]
    assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(11,)]
