"""Another program at the mirror: writes, locks, long reads, WAL mode, damage."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.model import Failed, Rebuilt
from tests.fault.bench import Bench, Client
from tests.support.mirrors import query
from tests.support.program import run

PATIENCE_SECONDS = 20.0
"""Far more than the busy limits allow, far less than for ever."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A synced document of three rows."""
    return Bench.at(tmp_path)


def rebuilt(bench: Bench, reason: str, rows: int) -> Rebuilt:
    """Sync; it must rebuild for this reason, in time, and leave only a sound mirror."""
    started = time.monotonic()
    outcome = bench.sync()
    assert isinstance(outcome, Rebuilt), outcome
    assert outcome.reason == reason
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert bench.rows() == rows
    assert bench.leftovers() == set()
    return outcome


def statement(sql: str) -> Callable[[Path], None]:
    """Return a function that executes SQL and closes."""

    def execute(mirror: Path) -> None:
        with closing(sqlite3.connect(mirror)) as connection, connection:
            connection.execute(sql)

    return execute


def cut(mirror: Path) -> None:
    """Truncate the mirror in the middle of a page."""
    with mirror.open("r+b") as file:
        file.truncate(mirror.stat().st_size - 100)


def cut_to_nothing(mirror: Path) -> None:
    """Truncate the mirror to no bytes at all."""
    mirror.write_bytes(b"")


def cut_in_the_header(mirror: Path) -> None:
    """Leave a header that is not whole."""
    mirror.write_bytes(mirror.read_bytes()[:50])


def text(mirror: Path) -> None:
    """Put a text file in its place."""
    mirror.write_text("this is no database")


def bad_pages(mirror: Path) -> None:
    """Damage everything except the header."""
    data = mirror.read_bytes()
    mirror.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


DAMAGED = [
    statement("UPDATE notes SET n = 7"),
    statement("CREATE TABLE theirs (a)"),
    statement("VACUUM"),
    statement("PRAGMA journal_mode=WAL"),
    statement("DROP TABLE _mirror"),
    statement("DROP TABLE _mirror_tables"),
    statement("DELETE FROM _mirror"),
    statement("UPDATE _mirror SET value = 'garbage' WHERE key = 'state_vector'"),
    statement("UPDATE _mirror SET value = '[1]' WHERE key = 'options'"),
    statement("UPDATE _mirror SET value = '{\"fts\":5}' WHERE key = 'options'"),
    statement("UPDATE _mirror SET value = NULL"),
    statement("UPDATE _mirror SET value = x'ff'"),
    statement("UPDATE _mirror_tables SET rows = 'many', digest = 5"),
    cut,
    cut_to_nothing,
    cut_in_the_header,
    text,
    bad_pages,
]


@pytest.mark.parametrize("deed", DAMAGED)
def test_what_was_done_to_a_mirror_is_undone(bench: Bench, deed: Callable[[Path], None]) -> None:
    """Any write, and any damage of the catalog, is noticed by the next sync, and rebuilt."""
    deed(bench.mirror)
    rebuilt(bench, "damaged", 3)


@pytest.mark.parametrize("deed", DAMAGED)
def test_what_was_done_to_a_mirror_does_not_hide_a_new_document(
    bench: Bench, deed: Callable[[Path], None]
) -> None:
    """A damaged mirror and a changed document at once."""
    deed(bench.mirror)
    bench.save(5)
    rebuilt(bench, "damaged", 5)


def test_a_database_of_someone_else_is_foreign(bench: Bench) -> None:
    """Another application id: it is not a mirror."""
    statement("PRAGMA application_id = 1")(bench.mirror)
    rebuilt(bench, "foreign", 3)


def test_another_format_is_rebuilt(bench: Bench) -> None:
    """Made by a version of the program with another format."""
    statement("PRAGMA user_version = 99")(bench.mirror)
    rebuilt(bench, "format", 3)


@pytest.mark.parametrize(
    "sql", ["BEGIN", "BEGIN IMMEDIATE", pytest.param("BEGIN EXCLUSIVE", marks=pytest.mark.long)]
)
def test_a_lock_that_is_held_holds_nobody_up(bench: Bench, sql: str) -> None:
    """A long read, a write that never ends, an exclusive lock: the rename still succeeds."""
    with Client(bench.mirror) as client:
        client.run(sql)
        assert sql == "BEGIN EXCLUSIVE" or client.run("SELECT n FROM notes", rows=1) == [[0]]
        bench.save(5)
        rebuilt(bench, "changed", 5)
        client.run("COMMIT")
    assert bench.rows() == 5


def test_a_reader_that_began_before_reads_the_old_mirror_to_its_end(bench: Bench) -> None:
    """A statement half read when the new mirror is published returns the rest of the old rows."""
    with Client(bench.mirror) as client:
        client.run("BEGIN")
        assert client.run("SELECT n FROM notes ORDER BY id", rows=1) == [[0]]
        bench.save(9)
        bench.must_sync()
        assert client.run("SELECT count(*) FROM notes") == [[3]]
        client.run("COMMIT")
    assert bench.rows() == 9


def test_a_transaction_that_was_begun_cannot_reach_the_new_mirror(bench: Bench) -> None:
    """Their journal is removed, so it is applied to neither file."""
    with Client(bench.mirror) as client:
        client.run("PRAGMA cache_size=1")
        client.run("BEGIN IMMEDIATE")
        client.run("UPDATE notes SET title = title || 'theirs'")
        bench.save(5)
        rebuilt(bench, "damaged", 5)
        client.run("COMMIT")
        assert client.run("UPDATE notes SET n = 9") != []
    assert bench.rows() == 5
    assert query(bench.mirror, "SELECT count(*) FROM notes WHERE title LIKE '%theirs%'") == [(0,)]


def test_the_journal_of_a_killed_writer_is_swept(bench: Bench) -> None:
    """A hot journal of a process that has ended."""
    hot_journal(bench)
    assert bench.leftovers() == {"tables.sqlite-journal"}
    rebuilt(bench, "damaged", 3)


def hot_journal(bench: Bench) -> None:
    """Leave the journal of a writer that was killed within its transaction."""
    with Client(bench.mirror) as client:
        client.run("PRAGMA cache_size=1")
        client.run("BEGIN EXCLUSIVE")
        client.run("UPDATE notes SET title = hex(randomblob(5000))")
        client.process.kill()
        client.process.wait()


def stale_journal(bench: Bench) -> None:
    """Leave a journal that no mirror has ever had."""
    bench.mirror.with_name("tables.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9" * 999)


@pytest.mark.parametrize("journal", [hot_journal, stale_journal])
@pytest.mark.parametrize("command", ["status", "verify", "query", "search", "schema", "problems"])
def test_a_reader_leaves_a_journal_of_others_alone(
    bench: Bench, journal: Callable[[Bench], None], command: str
) -> None:
    """Nobody who only reads writes to a mirror, nor beside it: the next sync rebuilds it."""
    journal(bench)
    before = {path.name: path.read_bytes() for path in bench.folder.iterdir()}
    words = {"query": ["SELECT count(*) FROM notes"], "search": ["word"]}
    done = run(command, bench.folder, *words.get(command, []))
    assert done.code == 1, done
    assert "run sync" in done.out + done.err, done
    assert {path.name: path.read_bytes() for path in bench.folder.iterdir()} == before
    rebuilt(bench, "damaged", 3)


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_a_stale_journal_is_swept(bench: Bench, suffix: str) -> None:
    """A journal of unknown origin."""
    bench.mirror.with_name(bench.mirror.name + suffix).write_bytes(b"\xd9\xd5\x05\xf9" * 999)
    bench.save(5)
    rebuilt(bench, "changed" if suffix == "-shm" else "damaged", 5)


@pytest.mark.parametrize("sql", ["SELECT 1", "BEGIN; SELECT * FROM theirs", "BEGIN IMMEDIATE"])
def test_wal_mode_with_its_user_still_there(bench: Bench, sql: str) -> None:
    """Switched to WAL, written to, and still open, reading or writing: rebuilt, and not WAL."""
    with Client(bench.mirror) as client:
        assert client.run("PRAGMA journal_mode=WAL") == [["wal"]]
        client.run("CREATE TABLE theirs (a)")
        for part in sql.split("; "):
            client.run(part)
        rebuilt(bench, "damaged", 3)
        client.run("COMMIT")
        client.run("INSERT INTO theirs VALUES (1)")
    assert bench.leftovers() == set()
    assert bench.rows() == 3
    assert query(bench.mirror, "PRAGMA journal_mode") == [("delete",)]


def collapse(bench: Bench, rows_before: int) -> None:
    """Empty the document and sync: reported as a collapse, and the rows are kept in the copy."""
    bench.save(0)
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is not None
    assert outcome.collapse.rows_before == rows_before
    assert outcome.collapse.kept == str(bench.last_good)
    assert bench.rows() == 0


def kept_rows(bench: Bench) -> int:
    """Count the rows in the copy, which must be sound and in rollback mode."""
    assert query(bench.last_good, "PRAGMA integrity_check") == [("ok",)]
    assert bench.last_good.read_bytes()[18:20] == b"\1\1"
    ((count,),) = query(bench.last_good, "SELECT count(*) FROM notes")
    assert isinstance(count, int)
    return count


def test_the_last_copy_is_kept(bench: Bench) -> None:
    """If a host empties a document after a failed load, the rows are kept."""
    collapse(bench, 3)
    assert kept_rows(bench) == 3


def test_a_stranger_with_fewer_rows_is_a_collapse_too(bench: Bench) -> None:
    """No common writer and fewer rows: not a later state of the same document."""
    bench.save(2, client=9)
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is not None
    assert (bench.rows(), kept_rows(bench)) == (2, 3)


def test_deleting_rows_is_no_collapse(bench: Bench) -> None:
    """Fewer rows by a known writer, or more by a stranger, are edits."""
    bench.save(2)
    assert bench.must_sync().collapse is None  # type: ignore[union-attr]
    bench.save(4, client=9)
    assert bench.must_sync().collapse is None  # type: ignore[union-attr]
    assert not bench.last_good.exists()


def test_a_fuller_copy_is_not_overwritten(bench: Bench) -> None:
    """The second collapse has fewer rows to lose than the first."""
    collapse(bench, 3)
    bench.save(1)
    bench.must_sync()
    collapse(bench, 1)
    assert kept_rows(bench) == 3


@pytest.mark.parametrize("rows", [3, 8])
def test_a_copy_with_no_more_rows_is_overwritten(bench: Bench, rows: int) -> None:
    """The newer one is worth more, at least as many rows given."""
    collapse(bench, 3)
    bench.save(rows, client=2)
    bench.must_sync()
    collapse(bench, rows)
    assert kept_rows(bench) == rows


@pytest.mark.parametrize("deed", [text, cut_to_nothing, bad_pages])
def test_a_copy_that_is_none_is_overwritten(bench: Bench, deed: Callable[[Path], None]) -> None:
    """Any file in its place without readable rows."""
    shutil.copyfile(bench.mirror, bench.last_good)
    deed(bench.last_good)
    collapse(bench, 3)
    assert kept_rows(bench) == 3


def test_no_copy_is_kept_when_nobody_wants_one(bench: Bench) -> None:
    """``--no-last-good``, for users who must not keep deleted data."""
    bench.save(0)
    outcome = bench.sync(last_good=False)
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is None
    assert not bench.last_good.exists()


@pytest.mark.parametrize("deed", [cut, *DAMAGED[:4]])
def test_a_damaged_mirror_that_collapses_is_kept(
    bench: Bench, deed: Callable[[Path], None]
) -> None:
    """As much as can be read: its rows may still be useful."""
    deed(bench.mirror)
    bench.save(0)
    outcome = bench.must_sync()
    assert isinstance(outcome, Rebuilt)
    assert outcome.collapse is not None
    assert bench.last_good.exists()


def test_nobody_writes_into_the_last_copy(bench: Bench) -> None:
    """An open transaction on the old mirror, committed afterwards, does not reach the copy."""
    with Client(bench.mirror) as client:
        client.run("BEGIN IMMEDIATE")
        client.run("DELETE FROM notes")
        collapse(bench, 3)
        client.run("COMMIT")
        client.run("DELETE FROM notes")
    assert kept_rows(bench) == 3
    assert bench.leftovers() == set()


def test_the_last_copy_of_a_mirror_in_wal_mode(bench: Bench) -> None:
    """Its mode is changed, so that readers leave no files beside it."""
    with Client(bench.mirror) as client:
        client.run("PRAGMA journal_mode=WAL")
        client.run("CREATE TABLE theirs (a)")
        collapse(bench, 3)
        client.run("INSERT INTO theirs VALUES (1)")
        client.run("PRAGMA wal_checkpoint")
    assert kept_rows(bench) == 3
    assert bench.leftovers() == set()


def test_the_copy_that_cannot_be_made_keeps_the_mirror(bench: Bench) -> None:
    """A folder in the copy's place: the mirror is not replaced, and a code gives the reason."""
    (bench.last_good / "theirs").mkdir(parents=True)
    bench.save(0)
    outcome = bench.sync()
    assert isinstance(outcome, Failed)
    assert outcome.code == "denied"
    assert bench.rows() == 3
    shutil.rmtree(bench.last_good)
    collapse(bench, 3)


def test_a_catalog_changed_in_the_log_does_not_stop_the_copy(bench: Bench) -> None:
    """The copy contains their changes, so its catalog may differ from the mirror's."""
    with Client(bench.mirror) as client:
        client.run("PRAGMA journal_mode=WAL")
        client.run("UPDATE _mirror_tables SET rows = 9")
        bench.save(0)
        assert isinstance(bench.must_sync(), Rebuilt)
    assert kept_rows(bench) == 3
