"""A guarded connection only reads, with any SQL."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from sidecar.errors import MirrorDamagedError
from sidecar.readers.guard import attach, guard, open_mirror_file, open_nothing
from tests.support.desk import Desk

OUTSIDE = "/tmp/epicenter-sidecar-must-not-be-there"  # noqa: S108 - nothing is written there

REFUSED = [
    f"ATTACH '{OUTSIDE}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH m0",
    f"VACUUM INTO '{OUTSIDE}'",
    "VACUUM",
    "ANALYZE",
    "REINDEX",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "CREATE TEMP TRIGGER r AFTER INSERT ON m0.notes BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE temp.v USING fts5(a)",
    "CREATE VIRTUAL TABLE temp.v USING dbstat(main)",
    "CREATE INDEX i ON notes (title)",
    "DROP TABLE m0.notes",
    "ALTER TABLE m0.notes RENAME TO other",
    "INSERT INTO m0.notes (id) VALUES ('x')",
    "UPDATE m0.notes SET title = 'x'",
    "DELETE FROM m0.notes",
    "DELETE FROM m0.notes RETURNING id",
    "REPLACE INTO m0.notes (id) VALUES ('x')",
    "INSERT INTO m0.notes_fts (notes_fts) VALUES ('rebuild')",
    "INSERT INTO m0.sqlite_schema (type) VALUES ('table')",
    "UPDATE m0.sqlite_schema SET sql = ''",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/hostname')",
    f"SELECT writefile('{OUTSIDE}', 'x')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT fts5(1)",
    "SELECT sqlite_log(1, 'x')",
    "SELECT * FROM fsdir('/')",
    "PRAGMA user_version = 9",
    "PRAGMA application_id(9)",
    "PRAGMA m0.journal_mode = wal",
    "PRAGMA journal_mode",
    "PRAGMA writable_schema = on",
    "PRAGMA trusted_schema = on",
    "PRAGMA query_only = off",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA hard_heap_limit = 0",
    "PRAGMA soft_heap_limit = 0",
    "PRAGMA busy_timeout = 0",
    "PRAGMA locking_mode = exclusive",
    "PRAGMA wal_checkpoint",
    "PRAGMA optimize",
    "PRAGMA incremental_vacuum",
    "PRAGMA mmap_size = 0",
    "PRAGMA cache_size = 1",
    "PRAGMA integrity_check",
    "EXPLAIN DELETE FROM m0.notes",
    'SELECT "no column" FROM m0.notes',
    "WITH w AS (SELECT 1) DELETE FROM m0.notes",
]

ALLOWED = [
    "SELECT count(*) FROM m0.notes",
    "SELECT id FROM m0.notes_fts f JOIN m0.notes n ON n.rowid = f.rowid WHERE f.title MATCH 'one'",
    "SELECT * FROM m0.notes, json_each('[1]')",
    "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 3) SELECT * FROM r",
    "VALUES (1)",
    "EXPLAIN QUERY PLAN SELECT * FROM m0.notes",
    "PRAGMA m0.table_info(notes)",
    "PRAGMA m0.user_version",
    "SELECT name FROM pragma_table_list",
    "SELECT name FROM m0.sqlite_schema",
    "SELECT title, row_number() OVER (ORDER BY title) FROM m0.notes",
    "SELECT datetime('now'), sin(1), json('[1]'), printf('%d', 1)",
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A guarded connection with a mirror of two notes attached as m0."""
    desk = Desk.with_two_notes(tmp_path / "w")
    desk.sync_with_index()
    opened = open_nothing()
    attach(opened, str(desk.mirror), "m0")
    guard(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("sql", REFUSED)
def test_whatever_is_no_reading_is_refused(sql: str, connection: apsw.Connection) -> None:
    """With an error of SQLite, before it has any effect."""
    with pytest.raises(apsw.Error):
        connection.execute(sql).fetchall()
    assert not Path(OUTSIDE).exists()


@pytest.mark.parametrize("sql", REFUSED)
def test_the_same_on_one_mirror(sql: str, tmp_path: Path) -> None:
    """Opened by itself, where the file is ``main``; it and its folder stay as they are."""
    desk = Desk.with_two_notes(tmp_path / "w")
    desk.sync_with_index()
    before = desk.mirror.read_bytes()
    opened = open_mirror_file(str(desk.mirror))
    guard(opened)
    with pytest.raises(apsw.Error):
        opened.execute(sql.replace("m0.", "main.").replace("m0", "main")).fetchall()
    opened.close()
    assert desk.mirror.read_bytes() == before
    assert sorted(file.name for file in desk.mirror.parent.iterdir()) == [
        *("tables.sqlite", "workspace.yjs"),
    ]


@pytest.mark.parametrize("sql", ALLOWED)
def test_whatever_reads_is_allowed(sql: str, connection: apsw.Connection) -> None:
    """Joins, windows, JSON, full-text search, the schema and plans."""
    assert connection.execute(sql).fetchall()


def test_a_limit_cannot_be_raised_again(connection: apsw.Connection) -> None:
    """A statement that would allocate gigabytes is refused."""
    with pytest.raises(apsw.TooBigError):
        connection.execute("SELECT zeroblob(900000000)").fetchall()


def test_what_is_no_mirror_is_refused(tmp_path: Path) -> None:
    """Other databases, other files, folders, and nothing at all."""
    (tmp_path / "other.sqlite").write_bytes(b"hello")
    for name in ("other.sqlite", "nothing.sqlite", "."):
        with pytest.raises(MirrorDamagedError):
            open_mirror_file(str(tmp_path / name))


def test_a_mirror_in_wal_mode_is_not_opened(tmp_path: Path) -> None:
    """Reading it would make two files beside it."""
    desk = Desk.with_two_notes(tmp_path / "w")
    desk.tamper("PRAGMA journal_mode = wal")
    with pytest.raises(MirrorDamagedError, match="run sync"):
        open_mirror_file(str(desk.mirror))
    assert sorted(file.name for file in desk.mirror.parent.iterdir()) == [
        *("tables.sqlite", "workspace.yjs"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes among the files")
@pytest.mark.parametrize("suffix", ["-journal", "-wal"])
def test_a_pipe_in_a_journals_place_blocks_no_reader(suffix: str, tmp_path: Path) -> None:
    """SQLite would open it, and wait for a writer."""
    desk = Desk.with_two_notes(tmp_path / "w")
    os.mkfifo(f"{desk.mirror}{suffix}")
    with pytest.raises(MirrorDamagedError, match="is no file"):
        open_mirror_file(str(desk.mirror))


def test_a_mirror_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """If the writer ends in time, the reader sees the new state."""
    desk = Desk.with_two_notes(tmp_path / "w")
    writer = apsw.Connection(str(desk.mirror))
    writer.execute("BEGIN EXCLUSIVE; DELETE FROM notes")
    reader = open_mirror_file(str(desk.mirror))
    waited: list[int] = []

    def wait(times: int) -> bool:
        waited.append(times)
        writer.execute("COMMIT")
        return True

    reader.set_busy_handler(wait)
    assert reader.execute("SELECT count(*) FROM notes").get == 0
    assert waited
    reader.close()
    writer.close()
