"""Replacing the old mirror by a finished one, keeping a copy, removing temporary files.

What readers and meddlers do meanwhile is tested in tests/fault, with processes of their own.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from sidecar.errors import MirrorReplacedError, MirrorUnavailableError
from sidecar.files import version_of
from sidecar.mirror.publish import Replace, keep_last_good, publish, sweep
from sidecar.mirror.state import row_count
from sidecar.mirror.temporary import Temporary
from tests.support.made import tables, update
from tests.support.mirrors import query
from tests.unit.mirror.test_build import build


def make(path: Path, rows: int) -> Path:
    """Build a mirror of so many rows at a path."""
    return build(path, update(tables=tables(t={f"r{n}": {"n": n} for n in range(rows)})))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of three rows in place."""
    return make(tmp_path / "tables.sqlite", 3)


@pytest.fixture
def candidate(tmp_path: Path, mirror: Path) -> Iterator[Temporary]:
    """A finished candidate of five rows, under its temporary name."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = make(elsewhere / "made", 5)
    file = Temporary(str(mirror))
    file.create(0o644)
    Path(file.path).write_bytes(made.read_bytes())
    made.unlink()
    elsewhere.rmdir()
    yield file
    file.discard()


def put(candidate: Temporary, mirror: Path, replace: Replace = os.replace) -> None:
    """Publish over the file that is in place now."""
    publish(candidate, str(mirror), version_of(str(mirror)), replace=replace)


def names(mirror: Path) -> list[str]:
    """Return the names of the files in the folder."""
    return sorted(path.name for path in mirror.parent.iterdir())


def test_the_new_file_takes_the_place(mirror: Path, candidate: Temporary) -> None:
    """It is the file that was built, and its temporary name no longer exists."""
    built = Path(candidate.path).stat().st_ino
    put(candidate, mirror)
    assert mirror.stat().st_ino == built
    assert names(mirror) == ["tables.sqlite"]


def test_the_first_mirror_needs_nothing_in_place(mirror: Path, candidate: Temporary) -> None:
    """It also works without a file to replace."""
    mirror.unlink()
    put(candidate, mirror)
    assert row_count(str(mirror)) == 5


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_no_journal_of_the_old_one_stays_beside_the_new(
    mirror: Path, candidate: Temporary, suffix: str
) -> None:
    """SQLite would apply it to the wrong file."""
    mirror.with_name(mirror.name + suffix).write_bytes(b"stale" * 200)
    put(candidate, mirror)
    assert names(mirror) == ["tables.sqlite"]
    assert row_count(str(mirror)) == 5


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "read_only"),
        (errno.EBUSY, "busy"),
        (errno.EMFILE, "busy"),
        (errno.EACCES, "denied"),
        (errno.EIO, "denied"),
        (errno.EISDIR, "denied"),
        (errno.ENOENT, "gone"),
    ],
)
def test_a_rename_that_fails_keeps_the_old_mirror(
    mirror: Path, candidate: Temporary, number: int, code: str
) -> None:
    """With a code for each cause."""

    def refuse(_source: str, _target: str) -> None:
        raise OSError(number, os.strerror(number))

    refuse_as_posix = pytest.MonkeyPatch()
    refuse_as_posix.setattr(os, "replace", refuse)
    with refuse_as_posix.context(), pytest.raises(MirrorUnavailableError) as caught:
        put(candidate, mirror, refuse)
    refuse_as_posix.undo()
    assert caught.value.code == code
    assert row_count(str(mirror)) == 3


def test_a_folder_that_cannot_be_brought_to_disk_is_no_failure(
    mirror: Path, candidate: Temporary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mirror is published; only a power cut at that moment could lose it."""
    fsync = os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "no")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    put(candidate, mirror)
    assert row_count(str(mirror)) == 5


def test_a_mirror_is_kept_before_it_is_lost(mirror: Path) -> None:
    """The copy is a separate file with all rows, and the mirror stays in place."""
    kept = keep_last_good(str(mirror), 3)
    assert kept == str(mirror.with_name("tables.last-good.sqlite"))
    assert names(mirror) == ["tables.last-good.sqlite", "tables.sqlite"]
    assert row_count(kept) == row_count(str(mirror)) == 3
    assert Path(kept).stat().st_ino != mirror.stat().st_ino


@pytest.mark.parametrize(("there", "stays"), [(2, 3), (3, 3), (4, 4)])
def test_a_fuller_one_is_not_overwritten(mirror: Path, there: int, stays: int) -> None:
    """A copy is replaced only by one with at least as many rows."""
    make(mirror.with_name("tables.last-good.sqlite"), there)
    assert row_count(keep_last_good(str(mirror), 3)) == stays


def test_what_cannot_be_kept_is_told(mirror: Path) -> None:
    """A folder in its place: the caller must not replace the mirror."""
    (mirror.parent / "tables.last-good.sqlite" / "x").mkdir(parents=True)
    with pytest.raises(MirrorUnavailableError):
        keep_last_good(str(mirror), 3)
    assert names(mirror) == ["tables.last-good.sqlite", "tables.sqlite"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_what_is_kept_is_as_private_as_it_was(mirror: Path) -> None:
    """The copy has the document's permissions."""
    mirror.chmod(0o600)
    kept = keep_last_good(str(mirror), 3)
    assert Path(kept).stat().st_mode & 0o777 == 0o600


def test_a_mirror_that_was_replaced_meanwhile_stays(mirror: Path, candidate: Temporary) -> None:
    """Another process published; a candidate compared with an older mirror is not published."""
    compared = version_of(str(mirror))
    make(mirror, 7)
    with pytest.raises(MirrorReplacedError, match="replaced by another process"):
        publish(candidate, str(mirror), compared)
    assert row_count(str(mirror)) == 7


def test_a_candidate_that_was_exchanged_is_not_published(
    mirror: Path, candidate: Temporary
) -> None:
    """Only the file that was built is renamed, not another file of its name."""
    make(Path(candidate.path), 1)
    with pytest.raises(MirrorReplacedError, match="removed by another process"):
        put(candidate, mirror)
    assert row_count(str(mirror)) == 3
    Path(candidate.path).unlink()
    with pytest.raises(MirrorReplacedError, match="removed by another process"):
        put(candidate, mirror)
    assert row_count(str(mirror)) == 3


def test_a_candidate_that_goes_at_the_last_moment(mirror: Path, candidate: Temporary) -> None:
    """Between the check and the rename: the sync starts again."""

    def replace(source: str, target: str) -> None:
        Path(source).unlink()
        Path(source).replace(target)

    with pytest.raises(MirrorReplacedError):
        put(candidate, mirror, replace)
    assert row_count(str(mirror)) == 3


def test_a_journal_that_belongs_to_nothing_of_ours_is_left_alone(tmp_path: Path) -> None:
    """Beside a path given by the user, without a mirror: `foreign_mirror`."""
    place = tmp_path / "export.db"
    beside = place.with_name("export.db-journal")
    beside.write_bytes(b"theirs")
    file = Temporary(str(place))
    file.create(0o644)
    with pytest.raises(MirrorUnavailableError, match="belongs to somebody else") as caught:
        put(file, place)
    file.discard()
    assert caught.value.code == "foreign_mirror"
    assert beside.read_bytes() == b"theirs"
    assert names(place) == ["export.db-journal"]


def test_what_is_no_mirror_is_not_taken_for_a_kept_one(tmp_path: Path) -> None:
    """Beside a mirror at a path given by the user: that file stays."""
    mirror = make(tmp_path / "export.db", 2)
    theirs = tmp_path / "export.last-good.sqlite"
    theirs.write_bytes(b"theirs")
    with pytest.raises(MirrorUnavailableError) as caught:
        keep_last_good(str(mirror), 2)
    assert caught.value.code == "foreign_mirror"
    assert theirs.read_bytes() == b"theirs"


def test_a_kept_copy_is_not_in_wal_mode(mirror: Path) -> None:
    """Readers would make a -wal file beside it."""
    mirror.chmod(0o644)
    connection = apsw.Connection(str(mirror))
    connection.execute("PRAGMA journal_mode=WAL; CREATE TABLE x (y)")
    kept = Path(keep_last_good(str(mirror), 3))
    connection.close()
    assert kept.read_bytes()[18:20] == b"\1\1"
    assert query(kept, "PRAGMA integrity_check") == [("ok",)]


LEFT = ".tables.sqlite.0123456789ab.tmp"
LEFT_OF_COPY = ".tables.last-good.sqlite.0123456789ab.tmp"


def test_leftovers_are_swept(mirror: Path) -> None:
    """Everything a killed process can have left."""
    for name in (LEFT, LEFT_OF_COPY):
        for suffix in ("", "-journal", "-wal", "-shm"):
            mirror.with_name(name + suffix).write_bytes(b"x")
    mirror.with_name("workspace.yjs").write_bytes(b"x")
    sweep(str(mirror))
    assert names(mirror) == ["tables.sqlite", "workspace.yjs"]


@pytest.mark.parametrize(
    "name",
    [
        "tables.sqlite.tmp",
        "tables.sqlite.tmp-journal",
        ".tables.sqlite.tmp",
        ".tables.sqlite.draft.tmp",
        ".tables.sqlite.0123456789AB.tmp",
        ".tables.sqlite.0123456789ab.tmp.bak",
        ".other.sqlite.0123456789ab.tmp",
    ],
)
def test_what_others_called_so_is_not_swept(mirror: Path, name: str) -> None:
    """Files with names that we never make are not ours."""
    mirror.with_name(name).write_bytes(b"theirs")
    sweep(str(mirror))
    assert names(mirror) == sorted([name, "tables.sqlite"])


def test_what_is_being_built_is_not_swept(mirror: Path, candidate: Temporary) -> None:
    """Its builder holds the lock, in this process or in another one."""
    sweep(str(mirror))
    put(candidate, mirror)
    assert row_count(str(mirror)) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="an open file is its own lock there")
@pytest.mark.parametrize(("age_s", "stays"), [(0, True), (3000, True), (4000, False)])
def test_without_locks_a_file_goes_when_it_is_an_hour_old(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, age_s: int, *, stays: bool
) -> None:
    """Without locks, age is the only sign that no process uses it."""
    left = mirror.with_name(LEFT)
    left.write_bytes(b"x")
    then = time.time() - age_s
    os.utime(left, (then, then))
    monkeypatch.setattr("sidecar.mirror.temporary.try_lock", lambda _descriptor: None)
    sweep(str(mirror))
    assert left.exists() == stays


@pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs")
def test_odd_things_under_our_names_are_left(mirror: Path) -> None:
    """Links are not followed, FIFOs not opened; the sync does not fail."""
    victim = mirror.with_name("victim")
    victim.write_text("theirs")
    mirror.with_name(LEFT).symlink_to(victim)
    os.mkfifo(mirror.with_name(LEFT_OF_COPY))
    (mirror.with_name(LEFT.replace("0", "f")) / "x").mkdir(parents=True)
    sweep(str(mirror))
    sweep(str(mirror.parent / "no such folder" / "tables.sqlite"))
    assert victim.read_text() == "theirs"


def test_a_long_name_still_has_room(tmp_path: Path) -> None:
    """File systems take 255 bytes; ours is made of the name's beginning."""
    place = tmp_path / ("n" * 251)
    file = Temporary(str(place))
    file.create(0o644)
    put(file, place)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
