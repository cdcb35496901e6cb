"""Processes that share no lock write one mirror at once: readers always see a whole one."""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from scripts.fault import races
from scripts.fault.races import KINDS, Track
from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import run, sync

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and links")


USUAL = {("state folders", None), ("state folders", 0.16), ("out", 0.16), ("link", None)}
"""What `make test` plays of three kinds with four moments of a kill; `make test-slow` plays all."""


def _each_race() -> Iterator[Any]:
    for kind, kill_after_s in product(KINDS, (None, 0.12, 0.16, 0.2)):
        marks = [] if (kind, kill_after_s) in USUAL else [pytest.mark.slow]
        yield pytest.param(kind, kill_after_s, marks=marks)


@pytest.mark.parametrize(("kind", "kill_after_s"), list(_each_race()))
def test_two_processes_that_share_no_lock(
    tmp_path: Path, kind: str, kill_after_s: float | None
) -> None:
    """Other state folders, two `--out` to one file, a path through a link; one of them killed."""
    track = Track(tmp_path, kind)
    track.save(1)
    for lane in track.lanes:
        assert races.start(lane).wait(60) == 0
    for rows in (1500, 20):
        races.race(track, rows, kill_after_s=kill_after_s)


def test_two_outs_never_meet_in_one_file(tmp_path: Path) -> None:
    """`--out a` and `--out a.tmp` at work in one folder are two mirrors."""
    path = save(document_path(tmp_path / "app"), document(3))
    for name in ("a", "a.tmp"):
        sync(path, "--out", tmp_path / name)
    sync(path, "--out", tmp_path / "b")
    for name in ("a", "a.tmp", "b"):
        assert query(tmp_path / name, "SELECT count(*) FROM notes") == [(3,)]


@pytest.mark.parametrize("suffix", [".tmp", ".tmp-journal", "-journal", "-wal", "-shm"])
def test_out_deletes_nobodys_file(tmp_path: Path, suffix: str) -> None:
    """Files beside FILE stay; if SQLite would use them as FILE's journal, FILE is not built."""
    path = save(document_path(tmp_path / "app"), document(3))
    theirs = tmp_path / f"a{suffix}"
    theirs.write_bytes(b"theirs")
    done = run("sync", "--json", path, "--out", tmp_path / "a")
    assert theirs.read_bytes() == b"theirs"
    assert (done.code == 0) == (suffix in {".tmp", ".tmp-journal"})
    if done.code:
        assert done.events()[0]["code"] == "foreign_mirror"
        assert str(theirs) in done.events()[0]["message"]
    assert not list(tmp_path.glob(".a.*"))


def test_what_a_killed_process_left_is_swept_by_any_other(tmp_path: Path) -> None:
    """Also with another state folder, because the lock is on the file."""
    path = save(document_path(tmp_path / "app"), document(3))
    sync(path)
    mirror_of(path).with_name(".tables.sqlite.0123456789ab.tmp").write_bytes(b"half")
    sync(path, environment={"SIDECAR_STATE_DIR": str(tmp_path / "other")})
    assert leftovers(tmp_path / "app") == []
