"""A mirror written into the existing file: the pages that are written, and the state after a kill.

Readers that stay open through it are tested in tests/fault.
"""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import MirrorReplacedError
from sidecar.files import version_of
from sidecar.mirror import in_place
from sidecar.mirror.in_place import write_into
from sidecar.mirror.publish import publish
from sidecar.mirror.sqlite_files import OWN_JOURNAL
from sidecar.mirror.state import change_counter, read_mirror
from sidecar.mirror.temporary import Temporary
from tests.support.mirrors import query
from tests.unit.mirror.test_publish import make


class Killed(BaseException):
    """Replaces SIGKILL where the process must continue."""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of 300 rows in place."""
    return make(tmp_path / "tables.sqlite", 300)


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A finished candidate of 500 rows in another folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return make(folder / "tables.sqlite", 500)


def rows(mirror: Path) -> object:
    """Count the rows on a new connection."""
    return query(mirror, "SELECT count(*) FROM t")[0][0]


def nothing() -> None:
    """Check nothing."""


def test_an_open_connection_sees_the_new_state(mirror: Path, candidate: Path) -> None:
    """With its next read; ``data_version`` changes."""
    with closing(sqlite3.connect(mirror)) as reader:
        versions = [reader.execute("PRAGMA data_version").fetchone()]
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (300,)
        inode = mirror.stat().st_ino
        write_into(str(candidate), str(mirror), nothing)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (500,)
        versions.append(reader.execute("PRAGMA data_version").fetchone())
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(set(versions)) == 2
    assert mirror.stat().st_ino == inode
    assert not mirror.with_name("tables.sqlite-journal").exists()


def test_tables_that_come_and_go_are_seen_by_prepared_statements(
    mirror: Path, tmp_path: Path
) -> None:
    """The schema cookie changes with the schema, so that SQLite prepares statements again."""
    other = tmp_path / "other.sqlite"
    shutil.copy(mirror, other)
    with closing(sqlite3.connect(other)) as changed, changed:
        changed.execute("CREATE TABLE a_first (x)")
        changed.execute("INSERT INTO a_first VALUES (1)")
        changed.execute("ALTER TABLE t ADD COLUMN more DEFAULT 7")
    with closing(sqlite3.connect(mirror)) as reader:
        assert len(reader.execute("SELECT * FROM t").fetchone()) == 3
        write_into(str(other), str(mirror), nothing)
        assert len(reader.execute("SELECT * FROM t").fetchone()) == 4
        assert reader.execute("SELECT x FROM a_first").fetchone() == (1,)


def test_the_counter_to_expect_is_written_with_the_rest(mirror: Path, candidate: Path) -> None:
    """So that the next sync can see that no other program has written, after many writes."""
    for turn in range(2, 5):
        assert change_counter(str(mirror)) == turn - 1
        write_into(str(candidate), str(mirror), nothing)
        found = read_mirror(str(mirror))
        assert (found.fault, found.change_counter, found.rows) == (None, turn, 500)
        assert change_counter(str(mirror)) == turn


def test_a_write_by_someone_else_shows(mirror: Path, candidate: Path) -> None:
    """Also in a mirror that is written in place."""
    write_into(str(candidate), str(mirror), nothing)
    with closing(sqlite3.connect(mirror)) as writer, writer:
        writer.execute("DELETE FROM t WHERE id = 'r1'")
    assert read_mirror(str(mirror)).fault == "damaged"


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_pages_of_any_size_are_written_over(mirror: Path, candidate: Path, page_size: int) -> None:
    """Also if the new mirror has another page size; no bytes of the old file stay after its end."""
    with closing(sqlite3.connect(mirror)) as meddler:
        meddler.execute(f"PRAGMA page_size={page_size}")
        meddler.execute("VACUUM")
    with closing(sqlite3.connect(mirror)) as reader:
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (300,)
        write_into(str(candidate), str(mirror), nothing)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (500,)
    assert read_mirror(str(mirror)).fault is None
    assert mirror.stat().st_size == candidate.stat().st_size


def test_only_pages_that_differ_are_written(mirror: Path, tmp_path: Path) -> None:
    """And only those are kept in the journal."""
    other = tmp_path / "other.sqlite"
    shutil.copy(mirror, other)
    with closing(sqlite3.connect(other)) as changed, changed:
        changed.execute("UPDATE t SET n = n + 1 WHERE id = 'r7'")
    before = mirror.read_bytes()
    journal = 0

    def look(_self: object, _number: int) -> None:
        nonlocal journal
        journal = mirror.with_name("tables.sqlite-journal").stat().st_size
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_place.Pages, "put", look)
        with pytest.raises(Killed):
            write_into(str(other), str(mirror), nothing)
    assert journal == 512 + 3 * (4096 + 8)  # the first page, the row's, and that of _mirror
    assert mirror.read_bytes() == before
    write_into(str(other), str(mirror), nothing)
    differing = sum(
        before[place : place + 4096] != mirror.read_bytes()[place : place + 4096]
        for place in range(0, len(before), 4096)
    )
    assert differing == 3


@pytest.fixture
def interrupted(mirror: Path, candidate: Path, tmp_path: Path) -> tuple[Path, bytes]:
    """A mirror whose writer was killed after half of its pages, and its bytes before that."""
    before, done = mirror.read_bytes(), 0
    put = in_place.Pages.put
    kept = tmp_path / "kept"

    def stop(pages: in_place.Pages, number: int) -> None:
        nonlocal done
        done += 1
        if done == 5:
            pages.target.flush()
            kept.mkdir()
            for path in mirror.parent.glob("tables.sqlite*"):
                shutil.copy(path, kept)
            raise Killed
        put(pages, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_place.Pages, "put", stop)
        with pytest.raises(Killed):
            write_into(str(candidate), str(mirror), nothing)
    assert mirror.read_bytes() == before, "one that fails rolls back by itself"
    assert sorted(path.name for path in kept.iterdir()) == [
        "tables.sqlite",
        "tables.sqlite-journal",
    ]
    assert (kept / "tables.sqlite").read_bytes() != before
    return kept / "tables.sqlite", before


def test_sqlite_rolls_back_what_a_killed_writer_left(interrupted: tuple[Path, bytes]) -> None:
    """The journal has SQLite's format: any program that may write restores the old bytes."""
    mirror, before = interrupted
    with closing(sqlite3.connect(mirror)) as anybody:
        assert anybody.execute("SELECT count(*) FROM t").fetchone() == (300,)
    assert mirror.read_bytes() == before
    assert [path.name for path in mirror.parent.iterdir()] == ["tables.sqlite"]


def test_a_reader_of_ours_rolls_it_back_too(interrupted: tuple[Path, bytes]) -> None:
    """SQLite refuses read-only connections until the rollback is done."""
    mirror, before = interrupted
    assert read_mirror(str(mirror)).rows == 300
    assert mirror.read_bytes() == before


def test_a_journal_is_damage_only_where_nobody_writes_in_place(
    interrupted: tuple[Path, bytes],
) -> None:
    """Beside a mirror that is not written in place, one that is not ours is another program's."""
    mirror, before = interrupted
    journal = mirror.with_name("tables.sqlite-journal")
    ours = journal.read_bytes()
    mirror.write_bytes(before)
    journal.write_bytes(ours.replace(OWN_JOURNAL, bytes(len(OWN_JOURNAL))))
    assert read_mirror(str(mirror)).fault == "damaged"
    assert journal.exists()
    journal.write_bytes(ours)
    assert read_mirror(str(mirror)).fault is None
    assert not journal.exists()


def published(candidate: Path, mirror: Path) -> None:
    """Publish a copy of a finished mirror in place."""
    file = Temporary(str(mirror))
    file.create(0o644)
    shutil.copyfile(candidate, file.path)
    try:
        publish(file, str(mirror), version_of(str(mirror)), in_place=True)
    finally:
        file.discard()


def text(mirror: Path) -> None:
    """Write something that is no database."""
    mirror.write_text("shopping list")


def cut(mirror: Path) -> None:
    """Take the second half away."""
    mirror.write_bytes(mirror.read_bytes()[: mirror.stat().st_size // 2])


def gone(mirror: Path) -> None:
    """Remove it."""
    mirror.unlink()


def foreign(mirror: Path) -> None:
    """Put somebody else's database there."""
    with closing(sqlite3.connect(mirror)) as theirs, theirs:
        theirs.execute("PRAGMA application_id = 7")


def linked(mirror: Path) -> None:
    """Put a link to a mirror there."""
    mirror.rename(mirror.with_name("aside.sqlite"))
    mirror.symlink_to("aside.sqlite")


@pytest.mark.parametrize("deed", [text, gone, foreign, linked])
def test_what_is_no_mirror_is_replaced_by_a_new_file(
    mirror: Path, candidate: Path, deed: object
) -> None:
    """A first mirror, too; the old file is not readable as a mirror."""
    assert callable(deed)
    deed(mirror)
    before = mirror.lstat().st_ino if os.path.lexists(mirror) else None
    published(candidate, mirror)
    assert mirror.lstat().st_ino != before
    assert not mirror.is_symlink()
    assert rows(mirror) == 500


def write_ahead(mirror: Path) -> None:
    """Put it into WAL mode, with nobody in it."""
    with closing(sqlite3.connect(mirror)) as meddler, meddler:
        meddler.execute("PRAGMA journal_mode=WAL")
        meddler.execute("DELETE FROM t WHERE id < 'r2'")


def persist(mirror: Path) -> None:
    """Leave an empty journal beside it."""
    with closing(sqlite3.connect(mirror)) as meddler, meddler:
        meddler.execute("PRAGMA journal_mode=PERSIST")
        meddler.execute("DELETE FROM t WHERE id < 'r2'")


def stale(mirror: Path) -> None:
    """Leave a file beside it that is not a valid journal."""
    mirror.with_name("tables.sqlite-journal").write_bytes(b"stale" * 200)


@pytest.mark.parametrize("deed", [write_ahead, persist, stale, cut])
def test_what_others_did_to_it_is_written_over(mirror: Path, candidate: Path, deed: object) -> None:
    """No journal of theirs stays."""
    assert callable(deed)
    deed(mirror)
    published(candidate, mirror)
    assert rows(mirror) == 500
    assert read_mirror(str(mirror)).fault is None
    assert sorted(path.name for path in mirror.parent.iterdir()) == ["elsewhere", "tables.sqlite"]


def test_another_process_may_have_been_quicker(mirror: Path, candidate: Path) -> None:
    """After locking, the mirror must still be the one that was compared."""

    def refuse() -> None:
        raise MirrorReplacedError("quicker")

    before = mirror.read_bytes()
    with pytest.raises(MirrorReplacedError):
        write_into(str(candidate), str(mirror), refuse)
    assert mirror.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_it_takes_the_documents_permission_bits(mirror: Path, candidate: Path) -> None:
    """But its owner must be able to write it."""
    candidate.chmod(0o440)
    write_into(str(candidate), str(mirror), nothing)
    assert mirror.stat().st_mode & 0o777 == 0o640
