"""Mirrors that are written in place: open connections, and transactions that block it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.mirror import in_place
from sidecar.model import Failed, Rebuilt, Unchanged
from tests.fault.bench import Bench, Client


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A document of three rows whose mirror is written in place."""
    bench = Bench.at(tmp_path)
    assert isinstance(bench.sync(in_place=True), Rebuilt)
    return bench


@pytest.fixture
def client(bench: Bench) -> Iterator[Client]:
    """A connection of another process, which stays open."""
    with Client(bench.mirror) as client:
        yield client


def count(client: Client) -> object:
    """Count the rows that it sees."""
    return client.run("SELECT count(*) FROM notes")


def test_the_option_is_remembered(bench: Bench, client: Client) -> None:
    """Until ``--no-in-place``; the first sync after that makes a new file."""
    inode = bench.mirror.stat().st_ino
    for rows in (5, 4, 9):
        bench.save(rows)
        assert isinstance(bench.must_sync(), Rebuilt)
        assert count(client) == [[rows]]
        assert bench.mirror.stat().st_ino == inode
        assert isinstance(bench.must_sync(), Unchanged)
    outcome = bench.sync(in_place=False)
    assert isinstance(outcome, Rebuilt)
    assert outcome.reason == "options"
    assert bench.mirror.stat().st_ino != inode


def test_turning_it_on_writes_into_the_file_already(tmp_path: Path) -> None:
    """Connections that are already open see the next state, too."""
    bench = Bench.at(tmp_path)
    with Client(bench.mirror) as client:
        assert count(client) == [[3]]
        bench.save(5)
        bench.sync(in_place=True)
        assert count(client) == [[5]]


def test_a_lost_mirror_is_written_in_place_again(bench: Bench) -> None:
    """The setting is kept in the state folder, too; a first mirror is a new file."""
    bench.mirror.unlink()
    bench.must_sync()
    inode = bench.mirror.stat().st_ino
    bench.save(5)
    bench.must_sync()
    assert bench.mirror.stat().st_ino == inode


@pytest.mark.parametrize(
    "begin", ["BEGIN", "BEGIN IMMEDIATE", pytest.param("BEGIN EXCLUSIVE", marks=pytest.mark.long)]
)
def test_who_holds_it_for_too_long_is_busy(
    bench: Bench, client: Client, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old state stays, and the new one follows when the transaction ends."""
    monkeypatch.setattr(in_place, "WAIT_S", 0.1)
    monkeypatch.setattr("sidecar.mirror.sqlite_files.READER_BUSY_MS", 100)
    client.run(begin)
    assert count(client) == [[3]]
    bench.save(5)
    outcome = bench.must_fail("busy")
    assert outcome.effect == "slow"
    assert count(client) == [[3]]
    client.run("ROLLBACK")
    bench.must_sync()
    assert count(client) == [[5]]


def test_a_collapse_keeps_a_copy_first(bench: Bench, client: Client) -> None:
    """The copy is another file, and is not written to with the mirror."""
    bench.save(0)
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is not None
    assert client.run("SELECT count(*) FROM _mirror_tables") == [[0]]
    shutil.copy(bench.last_good, bench.mirror)
    assert bench.rows() == 3


def test_a_write_by_someone_else_is_written_over(bench: Bench, client: Client) -> None:
    """In the same file, so that the other connection sees it."""
    inode = bench.mirror.stat().st_ino
    client.run("DELETE FROM notes")
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert (outcome.reason, count(client)) == ("damaged", [[3]])
    assert bench.mirror.stat().st_ino == inode


def test_one_in_wal_mode_that_is_in_use_is_busy(
    bench: Bench, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite leaves that mode only when nobody else has the file open; then it is written."""
    monkeypatch.setattr(in_place, "WAIT_S", 0.1)
    client.run("PRAGMA journal_mode=WAL")
    client.run("DELETE FROM notes WHERE n = 0")
    bench.save(5)
    outcome = bench.sync()
    assert isinstance(outcome, Failed)
    assert outcome.code == "busy"
    assert count(client) == [[2]]
    client.run("PRAGMA journal_mode=DELETE")
    bench.must_sync()
    assert count(client) == [[5]]
    assert bench.leftovers() == set()
