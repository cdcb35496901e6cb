"""The Windows case: a rename that is refused while a reader has the mirror open."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import sidecar.tasks.sync
from sidecar.mirror.publish import publish
from sidecar.model import Failed, Rebuilt, Unchanged
from tests.fault.bench import Bench, Client
from tests.fault.test_meddling import bad_pages, cut, cut_to_nothing, text


class Refusal:
    """A rename that is refused for its first ``times`` calls, as Windows does."""

    def __init__(self, times: float) -> None:
        self.left = times
        self.calls = 0

    def __call__(self, source: str, target: str) -> None:
        """Rename, or refuse to."""
        self.calls += 1
        self.left -= 1
        if self.left >= 0 and Path(target).exists():
            raise PermissionError(13, "The process cannot access the file")
        Path(source).replace(target)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], Refusal]]:
    """Refuse so many renames from now on; the waits in between are only counted."""
    waits: list[float] = []

    def begin(times: float) -> Refusal:
        refusal = Refusal(times)
        monkeypatch.setattr(sidecar.tasks.sync, "publish", partial(publish, replace=refusal))
        monkeypatch.setattr("time.sleep", waits.append)
        return refusal

    yield begin
    assert sum(waits) < 5


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A synced document of three rows."""
    return Bench.at(tmp_path)


def test_a_rename_is_tried_again(bench: Bench, refuse: Callable[[float], Refusal]) -> None:
    """Most readers are quick: the second or third try succeeds, and the file is a new one."""
    refusal = refuse(2)
    bench.save(5)
    before = bench.mirror.stat().st_ino
    assert isinstance(bench.must_sync(), Rebuilt)
    assert refusal.calls == 3
    assert bench.mirror.stat().st_ino != before
    assert bench.rows() == 5


def test_a_rename_that_stays_refused_becomes_a_copy(
    bench: Bench, refuse: Callable[[float], Refusal]
) -> None:
    """The same file with the new content; the next sync accepts it, a third one replaces it."""
    refuse(float("inf"))
    bench.save(5)
    before = bench.mirror.stat().st_ino
    assert isinstance(bench.must_sync(), Rebuilt)
    assert (bench.mirror.stat().st_ino, bench.rows()) == (before, 5)
    assert bench.leftovers() == set()
    assert isinstance(bench.must_sync(), Unchanged)
    refuse(0)
    bench.save(6)
    assert isinstance(bench.must_sync(), Rebuilt)
    assert bench.rows() == 6


def test_a_connection_that_stays_open_sees_the_copy(
    bench: Bench, refuse: Callable[[float], Refusal]
) -> None:
    """In this case no reader has to reopen."""
    refuse(float("inf"))
    with Client(bench.mirror) as client:
        assert client.run("SELECT count(*) FROM notes") == [[3]]
        bench.save(5)
        bench.must_sync()
        assert client.run("SELECT count(*) FROM notes") == [[5]]


@pytest.mark.long
def test_a_long_read_is_waited_for_and_then_told(
    bench: Bench, refuse: Callable[[float], Refusal]
) -> None:
    """A reader in the middle of a transaction: `busy`, the old mirror, and later the new one."""
    refuse(float("inf"))
    with Client(bench.mirror) as client:
        client.run("BEGIN")
        assert client.run("SELECT n FROM notes", rows=1) == [[0]]
        bench.save(5)
        bench.must_fail("busy")
        assert client.run("SELECT count(*) FROM notes") == [[3]]
    bench.must_sync()
    assert bench.rows() == 5


@pytest.mark.parametrize("deed", [text, cut, cut_to_nothing, bad_pages])
def test_what_is_no_database_is_overwritten(
    bench: Bench, refuse: Callable[[float], Refusal], deed: Callable[[Path], None]
) -> None:
    """Nobody can be reading it as one."""
    deed(bench.mirror)
    refuse(float("inf"))
    bench.save(5)
    bench.must_sync()
    assert bench.rows() == 5


def test_the_last_copy_is_another_file(bench: Bench, refuse: Callable[[float], Refusal]) -> None:
    """A copy into the mirror in place does not change its kept copy."""
    refuse(float("inf"))
    bench.save(0)
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is not None
    shutil.move(bench.last_good, bench.mirror)
    assert bench.rows() == 3


def test_a_first_mirror_needs_no_road(bench: Bench, refuse: Callable[[float], Refusal]) -> None:
    """There is no old file to replace."""
    refuse(float("inf"))
    bench.mirror.unlink()
    bench.must_sync()
    assert bench.rows() == 3


def test_a_refusal_that_is_not_about_readers_is_denied(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On POSIX a refused rename means no permission: at once, with no copy into the file."""

    def refused(_source: str, _target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.replace", refused)
    monkeypatch.setattr(sidecar.tasks.sync, "publish", partial(publish, replace=refused))
    bench.save(5)
    outcome = bench.sync()
    assert isinstance(outcome, Failed)
    assert outcome.code == "denied"
    assert bench.rows() == 3
