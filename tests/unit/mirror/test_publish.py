"""Putting a finished mirror in the old one's place, keeping a lost one, sweeping.

What readers and meddlers do meanwhile is tested in tests/fault, with processes of their own.
"""

import errno
import os
import sys
from pathlib import Path

import pytest

from sidecar.errors import MirrorUnavailableError
from sidecar.mirror.publish import keep_last_good, publish, sweep
from sidecar.mirror.state import row_count
from tests.support.made import tables, update
from tests.unit.mirror.test_build import build


def make(path: Path, rows: int) -> Path:
    """Build a mirror of so many rows at a path."""
    return build(path, update(tables=tables(t={f"r{n}": {"n": n} for n in range(rows)})))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of three rows in place."""
    return make(tmp_path / "tables.sqlite", 3)


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A finished one of five rows, under the temporary name."""
    return make(tmp_path / "tables.sqlite.tmp", 5)


def names(mirror: Path) -> list[str]:
    """Return what is in the folder."""
    return sorted(path.name for path in mirror.parent.iterdir())


def test_the_new_file_takes_the_place(mirror: Path, candidate: Path) -> None:
    """The very file that was built, and its temporary name is gone."""
    built = candidate.stat().st_ino
    publish(str(candidate), str(mirror))
    assert mirror.stat().st_ino == built
    assert names(mirror) == ["tables.sqlite"]


def test_the_first_mirror_needs_nothing_in_place(mirror: Path, candidate: Path) -> None:
    """Nothing to replace is as good."""
    mirror.unlink()
    publish(str(candidate), str(mirror))
    assert row_count(str(mirror)) == 5


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_no_journal_of_the_old_one_stays_beside_the_new(
    mirror: Path, candidate: Path, suffix: str
) -> None:
    """It would be applied to a file that is not its own."""
    mirror.with_name(mirror.name + suffix).write_bytes(b"stale" * 200)
    publish(str(candidate), str(mirror))
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
    mirror: Path, candidate: Path, number: int, code: str
) -> None:
    """Each with the code that tells what to do about it."""

    def refuse(_source: str, _target: str) -> None:
        raise OSError(number, os.strerror(number))

    refuse_as_posix = pytest.MonkeyPatch()
    refuse_as_posix.setattr(os, "replace", refuse)
    with refuse_as_posix.context(), pytest.raises(MirrorUnavailableError) as caught:
        publish(str(candidate), str(mirror), replace=refuse)
    refuse_as_posix.undo()
    assert caught.value.code == code
    assert row_count(str(mirror)) == 3


def test_a_folder_that_cannot_be_brought_to_disk_is_no_failure(
    mirror: Path, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mirror stands; a power cut right now is another matter."""

    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    publish(str(candidate), str(mirror))
    assert row_count(str(mirror)) == 5


def test_a_mirror_is_kept_before_it_is_lost(mirror: Path) -> None:
    """A file of its own with all rows, and the mirror stays where it is."""
    kept = keep_last_good(str(mirror), 3)
    assert kept == str(mirror.with_name("tables.last-good.sqlite"))
    assert names(mirror) == ["tables.last-good.sqlite", "tables.sqlite"]
    assert row_count(kept) == row_count(str(mirror)) == 3
    assert Path(kept).stat().st_ino != mirror.stat().st_ino


@pytest.mark.parametrize(("there", "stays"), [(2, 3), (3, 3), (4, 4)])
def test_a_fuller_one_is_not_overwritten(mirror: Path, there: int, stays: int) -> None:
    """At least as many rows, or the older one is worth more."""
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
    """The rows of a document that only its owner may read."""
    mirror.chmod(0o600)
    kept = keep_last_good(str(mirror), 3)
    assert Path(kept).stat().st_mode & 0o777 == 0o600


def test_leftovers_are_swept(mirror: Path) -> None:
    """Everything a killed process can have left, and nothing else."""
    for name in ("tables.sqlite.tmp", "tables.last-good.sqlite.tmp"):
        for suffix in ("", "-journal", "-wal", "-shm"):
            mirror.with_name(name + suffix).write_bytes(b"x")
    mirror.with_name("workspace.yjs").write_bytes(b"x")
    sweep(str(mirror))
    assert names(mirror) == ["tables.sqlite", "workspace.yjs"]


def test_what_cannot_be_swept_is_left(mirror: Path) -> None:
    """Sweeping is no reason to fail."""
    (mirror.parent / "tables.sqlite.tmp" / "x").mkdir(parents=True)
    sweep(str(mirror))
    sweep(str(mirror.parent / "no such folder" / "tables.sqlite"))
