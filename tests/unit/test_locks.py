"""Locks that end with their holder."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.children import LineProcess
from sidecar.errors import LockedError, MirrorUnavailableError, RootError
from sidecar.locks import lock

HOLDER = """
import sys
from sidecar.locks import lock
with lock(*sys.argv[1:]):
    print("{}", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A state folder that does not exist yet."""
    return str(tmp_path / "deep" / "state")


@pytest.fixture
def holder(state: str, tmp_path: Path) -> Iterator[LineProcess]:
    """Another process that holds the lock of a root."""
    with LineProcess([sys.executable, "-c", HOLDER, state, "root", str(tmp_path / "d")]) as holder:
        holder.receive()
        yield holder


def take(state: str, path: Path) -> None:
    """Take the lock of a root and release it."""
    with lock(state, "root", str(path)):
        pass


def test_one_holder_at_a_time(state: str, tmp_path: Path, holder: LineProcess) -> None:
    """The error has the holder's pid; locks of different paths are independent."""
    with pytest.raises(LockedError) as caught:
        take(state, tmp_path / "d")
    assert caught.value.code == "locked"
    assert caught.value.holder_pid == holder.process.pid
    assert str(holder.process.pid) in caught.value.message
    take(state, tmp_path / "other")
    with lock(state, "document", str(tmp_path / "d")):
        pass


def test_it_dies_with_its_holder(state: str, tmp_path: Path, holder: LineProcess) -> None:
    """In any way; its file remains and is used again."""
    holder.process.kill()
    holder.process.wait()
    take(state, tmp_path / "d")
    assert list(Path(state, "locks").iterdir()) == []


def test_waiting_ends_with_the_holder(state: str, tmp_path: Path, holder: LineProcess) -> None:
    """As long as ``keep_waiting`` returns True."""
    asked: list[int] = []

    def keep_waiting() -> bool:
        asked.append(1)
        if len(asked) == 2:
            holder.close_stdin()
        return True

    with lock(state, "root", str(tmp_path / "d"), keep_waiting=keep_waiting):
        assert len(asked) >= 2


def test_waiting_ends_when_one_no_longer_wants_to(
    state: str, tmp_path: Path, holder: LineProcess
) -> None:
    """Then LockedError is raised."""
    patience = iter([True, True, False])
    with (
        pytest.raises(LockedError),
        lock(state, "root", str(tmp_path / "d"), keep_waiting=lambda: next(patience)),
    ):
        pytest.fail("the lock is held")
    assert holder.process.poll() is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_one_thing_have_one_lock(state: str, tmp_path: Path) -> None:
    """A path and its other name."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with lock(state, "root", str(tmp_path / "real" / "d")), pytest.raises(LockedError):
        take(state, tmp_path / "link" / "d")


def test_nothing_is_left_when_it_is_let_go(state: str, tmp_path: Path) -> None:
    """Neither a file nor a descriptor, also when the work under it fails."""
    seen: list[str] = []

    def work() -> None:
        (file,) = Path(state, "locks").iterdir()
        seen.append(file.read_text())
        raise RuntimeError

    with pytest.raises(RuntimeError), lock(state, "root", str(tmp_path / "d")):
        work()
    assert seen == [str(os.getpid())]
    assert list(Path(state, "locks").iterdir()) == []
    take(state, tmp_path / "d")


def test_a_documents_lock_names_nobody(state: str, tmp_path: Path) -> None:
    """There are thousands, held for milliseconds: writing a pid takes longer than the lock."""
    with lock(state, "document", str(tmp_path / "d")):
        (file,) = Path(state, "locks").iterdir()
        assert file.read_bytes() == b""
        with pytest.raises(LockedError) as caught, lock(state, "document", str(tmp_path / "d")):
            pytest.fail("the lock is held")
    assert caught.value.holder_pid is None
    assert "--wait-lock" not in caught.value.message


def test_a_lock_file_that_someone_removed_is_no_way_in(state: str, tmp_path: Path) -> None:
    """The next process makes a new file; both continue, and the state folder stays usable."""
    with lock(state, "root", str(tmp_path / "d")):
        for file in Path(state, "locks").iterdir():
            file.unlink()
        take(state, tmp_path / "d")
    take(state, tmp_path / "d")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EMFILE, "busy"),
        (errno.EACCES, "root"),
        (errno.EROFS, "root"),
    ],
)
def test_a_state_folder_that_cannot_be_used(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """Causes that may pass are retried; others are an error of the setting."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RootError if code == "root" else MirrorUnavailableError) as caught:
        take(state, tmp_path / "d")
    assert caught.value.code == code


def test_a_state_folder_that_is_a_file(tmp_path: Path) -> None:
    """The message has its path."""
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(RootError, match="state"):
        take(str(tmp_path / "state"), tmp_path / "d")


def test_a_pid_that_cannot_be_written_does_not_cost_the_lock(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is for messages only: on a full disk the lock still works."""

    def refuse(_descriptor: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "ftruncate", refuse)
    with lock(state, "root", str(tmp_path / "d")), pytest.raises(LockedError) as caught:
        take(state, tmp_path / "d")
    assert caught.value.holder_pid is None


def test_threads_exclude_each_other_too(state: str, tmp_path: Path) -> None:
    """A counter that is read, left and written under the lock misses no step."""
    count = [0]

    def step() -> None:
        for _ in range(20):
            with lock(state, "root", str(tmp_path / "d"), keep_waiting=lambda: True):
                seen = count[0]
                os.sched_yield() if hasattr(os, "sched_yield") else None
                count[0] = seen + 1

    threads = [threading.Thread(target=step) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == [60]


def test_a_child_does_not_inherit_it(state: str, tmp_path: Path) -> None:
    """A child that outlives the holder must not keep its lock."""
    with lock(state, "root", str(tmp_path / "d")):
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
    try:
        take(state, tmp_path / "d")
    finally:
        child.communicate()
