"""Full disks, refused files, missing folders: the old mirror stays, with a code, and recovers."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import sidecar.tasks.sync
from sidecar.mirror.build import Candidate
from sidecar.model import Failed, Rebuilt
from tests.fault.bench import Bench, fill, hand_over, is_root, remount, small_disk, sync_elsewhere
from tests.support.systems import needs_byte_names

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and mounts")

MANY = 800


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Return a folder that other users may enter; pytest's own folders are for one user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("leave", range(0, 60_000, 8192))
def test_a_full_disk_keeps_the_old_mirror(tmp_path: Path, leave: int) -> None:
    """At every step of the build: `disk_full`, no file left; with free space it succeeds."""
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench.at(disk, state=tmp_path / "state")
        bench.save(MANY)
        filler = fill(disk, leave)
        bench.must_fail("disk_full")
        filler.unlink()
        assert isinstance(bench.must_sync(), Rebuilt)
        assert bench.rows() == MANY


def test_a_full_disk_under_the_locks_too(tmp_path: Path) -> None:
    """State and data on one full disk: still `disk_full`, no lock is left held, and it recovers."""
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench.at(disk)
        bench.save(MANY)
        filler = fill(disk)
        before = open_files()
        for _ in range(5):
            bench.must_fail("disk_full")
        assert open_files() == before
        filler.unlink()
        bench.must_sync()
        assert bench.rows() == MANY


def open_files() -> int:
    """Count this process's descriptors."""
    return psutil.Process().num_fds()


def test_a_full_disk_at_a_collapse_keeps_the_rows(tmp_path: Path) -> None:
    """No room for tables.last-good.sqlite: the mirror is not replaced either."""
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench.at(disk, rows=MANY, state=tmp_path / "state")
        bench.save(0)
        filler = fill(disk, 40_000)
        bench.must_fail("disk_full")
        assert bench.rows() == MANY
        filler.unlink()
        outcome = bench.must_sync()
        assert isinstance(outcome, Rebuilt)
        assert outcome.collapse is not None


def test_a_read_only_disk(tmp_path: Path) -> None:
    """Code `read_only`; a mirror that is in step is no failure; it recovers when writable."""
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench.at(disk, state=tmp_path / "state")
        remount(disk, "ro")
        bench.must_sync()
        bench.must_fail("read_only", force=True)
        remount(disk, "rw")
        bench.save(5)
        bench.must_sync()
        assert bench.rows() == 5


@pytest.mark.parametrize(
    ("what", "mode"), [("folder", 0o555), ("folder", 0), ("document", 0), ("folder", 0o444)]
)
def test_what_we_may_not_do_is_denied(open_path: Path, what: str, mode: int) -> None:
    """No permission to write the folder, or to read the document: `denied`, then it recovers."""
    bench = Bench.at(open_path)
    bench.save(4)
    hand_over(open_path)
    path = {"folder": bench.folder, "document": bench.document}[what]
    usual = path.stat().st_mode
    path.chmod(mode)
    answer = sync_elsewhere(bench)
    path.chmod(usual)
    assert answer["code"] == "denied"
    assert bench.leftovers() == set()
    assert bench.rows() == 3
    assert sync_elsewhere(bench)["outcome"] == "rebuilt"
    assert bench.rows() == 4


def test_a_folder_that_cannot_be_listed_is_good_enough(open_path: Path) -> None:
    """Permission to write and enter is enough: a failed fsync of the folder is no failure."""
    bench = Bench.at(open_path)
    bench.save(4)
    hand_over(open_path)
    bench.folder.chmod(0o300)
    answer = sync_elsewhere(bench)
    bench.folder.chmod(0o755)
    assert answer["outcome"] == "rebuilt"
    assert bench.rows() == 4


@pytest.mark.skipif(not is_root(), reason="needs two users")
@pytest.mark.parametrize("mode", [0o644, 0o600, 0])
def test_one_in_place_that_is_somebody_elses_is_replaced(open_path: Path, mode: int) -> None:
    """A mirror that is never updated would be worse than a new file."""
    bench = Bench.at(open_path)
    bench.sync(in_place=True)
    inode = bench.mirror.stat().st_ino
    bench.save(4)
    hand_over(open_path)
    os.chown(bench.mirror, 0, 0)
    bench.mirror.chmod(mode)
    assert sync_elsewhere(bench)["outcome"] == "rebuilt"
    assert bench.mirror.stat().st_ino != inode
    assert bench.rows() == 4


@pytest.mark.parametrize("leave", range(0, 60_000, 8192))
def test_a_disk_that_fills_up_in_place_keeps_the_old_mirror(tmp_path: Path, leave: int) -> None:
    """In the candidate, the journal or the mirror: `disk_full`, rolled back, nothing left."""
    with small_disk(tmp_path / "disk") as disk:
        bench = Bench.at(disk, state=tmp_path / "state")
        bench.sync(in_place=True)
        bench.save(MANY)
        filler = fill(disk, leave)
        bench.must_fail("disk_full")
        assert bench.rows() == 3
        filler.unlink()
        bench.must_sync()
        assert bench.rows() == MANY


def test_a_mirror_that_cannot_be_read_is_replaced(open_path: Path) -> None:
    """With wrong permissions nobody can read it."""
    bench = Bench.at(open_path)
    hand_over(open_path)
    bench.mirror.chmod(0)
    assert sync_elsewhere(bench)["outcome"] == "rebuilt"
    assert bench.mirror.stat().st_mode & 0o777 == bench.document.stat().st_mode & 0o777


@pytest.mark.parametrize("spare", range(6))
def test_too_many_open_files(tmp_path: Path, spare: int) -> None:
    """With few descriptors left a sync ends well or with `busy`; with more it ends well."""
    import resource  # noqa: PLC0415 - not on Windows

    bench = Bench.at(tmp_path)
    bench.save(4)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
    try:
        outcome = bench.sync()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    if isinstance(outcome, Failed):
        assert outcome.code in ("busy", "denied")
        assert bench.rows() == 3
    assert bench.leftovers() == set()
    bench.must_sync()
    assert bench.rows() == 4


def _removed(folder: Path) -> None:
    shutil.rmtree(folder)


def _renamed(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _made_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


@pytest.mark.parametrize("how", [_removed, _renamed, _made_a_file])
@pytest.mark.parametrize(
    ("place", "step"),
    [
        (sidecar.tasks.sync, "read_mirror"),
        (sidecar.tasks.sync, "read_stable"),
        (sidecar.tasks.sync, "decoded"),
        (Candidate, "fill"),
        (Candidate, "finish"),
        (sidecar.tasks.sync, "publish"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_folder_that_goes_away_in_the_middle(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    step: str,
    how: Callable[[Path], None],
) -> None:
    """At every step: `gone`, the folder is not made again, and no lock is left."""
    bench = Bench.at(tmp_path)
    bench.save(4)
    really = getattr(place, step)

    def first(*arguments: Any, **named: Any) -> Any:
        how(bench.folder)
        return really(*arguments, **named)

    monkeypatch.setattr(place, step, first)
    outcome = bench.sync()
    assert isinstance(outcome, Failed)
    assert outcome.code == "gone"
    assert not bench.folder.is_dir()
    assert list((bench.state / "locks").iterdir()) == []


def _a_folder(path: Path) -> None:
    path.mkdir()


def _a_fifo(path: Path) -> None:
    os.mkfifo(path)


def _a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(path.parent)  # the names of sockets are short
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


def _a_link_outside(path: Path) -> None:
    victim = path.parent.parent / "victim"
    victim.write_text("theirs")
    path.symlink_to(victim)


def _a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ODD = [_a_folder, _a_fifo, _a_socket, _a_link_outside, _a_link_to_a_device]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("suffix", ["", "-journal", "-wal", "-shm"])
@pytest.mark.parametrize("rows", [4, 0])
def test_something_odd_in_one_of_our_places(
    tmp_path: Path, odd: Callable[[Path], None], suffix: str, rows: int
) -> None:
    """It is replaced, or the sync fails with a code; nothing blocks, no other file changes."""
    bench = Bench.at(tmp_path)
    bench.save(rows)
    path = bench.mirror.with_name(bench.mirror.name + suffix)
    path.unlink(missing_ok=True)
    odd(path)
    outcome = bench.sync()
    if odd is _a_folder:
        assert isinstance(outcome, Failed) or suffix == "-shm"
        path.rmdir()
        outcome = bench.sync()
    assert not isinstance(outcome, Failed), outcome
    assert bench.rows() == rows
    assert bench.leftovers() == set()
    assert bench.mirror.is_file()
    assert not bench.mirror.is_symlink()
    if (victim := tmp_path / "victim").exists():
        assert victim.read_text() == "theirs"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("odd", ODD)
def test_a_document_that_is_no_regular_file_is_not_opened(
    tmp_path: Path, odd: Callable[[Path], None]
) -> None:
    """FIFOs, devices, sockets, folders: `foreign`, at once. A link counts as its target."""
    bench = Bench.at(tmp_path)
    bench.document.unlink()
    odd(bench.document)
    code = "undecodable" if odd is _a_link_outside else "foreign"
    bench.must_fail(code)


@pytest.mark.parametrize(
    "mode",
    [
        0o600,
        0o444,
        *(pytest.param(mode, marks=pytest.mark.slow) for mode in (0o400, 0o640, 0o666, 0o777)),
    ],
)
def test_our_files_take_the_permissions_of_the_document(open_path: Path, mode: int) -> None:
    """With any umask: the mirror and its kept copy, read-only ones too."""
    bench = Bench.at(open_path)
    bench.document.chmod(mode)
    hand_over(open_path)
    assert sync_elsewhere(bench, umask=0o077)["outcome"] == "rebuilt"
    assert bench.mirror.stat().st_mode & 0o777 == mode
    assert sync_elsewhere(bench, umask=0)["outcome"] == "rebuilt"
    assert bench.mirror.stat().st_mode & 0o777 == mode
    bench.document.chmod(0o600)
    bench.save(0)
    bench.document.chmod(mode)
    assert sync_elsewhere(bench, umask=0)["outcome"] == "rebuilt"
    assert bench.last_good.stat().st_mode & 0o777 == mode


@needs_byte_names
def test_paths_need_not_be_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and characters with a meaning in URIs or SQL."""
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe %20 ?mode=ro#'\""))
    bench = Bench.at(root)
    bench.save(4)
    bench.must_sync()
    assert bench.rows() == 4
    assert bench.leftovers() == set()


def test_the_document_is_only_ever_read(tmp_path: Path) -> None:
    """Its bytes, its mtime and its inode stay the same, whatever happens to the mirror."""
    bench = Bench.at(tmp_path)
    before = bench.document.stat()
    for _ in range(3):
        bench.mirror.unlink()
        bench.must_sync()
    after = bench.document.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
