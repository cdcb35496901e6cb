"""``sidecar.open_mirror``: read-only, the newest mirror, rows with the app's types."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec
import pytest

import sidecar
from sidecar.errors import MirrorDamagedError
from sidecar.readers.deadline import TooLongError
from sidecar.readers.query import Limits
from tests.support.desk import Desk


class Note(msgspec.Struct):
    """A note as a caller may want it."""

    id: str
    title: str
    done: bool | None
    tags: list[str] | None


@dataclass
class Title:
    """Part of a note."""

    id: str
    title: str


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of two notes."""
    desk = Desk(tmp_path / "w1")
    desk.put("notes", "n1", title="One", done=True, tags=["a", "b"], stars=2.0)
    desk.put("notes", "n2", title="Two", undeclared={"x": 1.0})
    desk.sync()
    return desk


def test_rows_have_the_apps_types(desk: Desk) -> None:
    """Booleans are bool, tags and _extra are Python values, the rest is as SQLite has it."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        first, second = mirror.rows("notes")
    assert first["done"] is True
    assert first["tags"] == ["a", "b"]
    assert first["stars"] == 2
    assert (second["done"], second["_extra"]) == (None, {"undeclared": {"x": 1}})


def test_rows_into_types_of_the_caller(desk: Desk) -> None:
    """Structs and dataclasses are filled by name."""
    with sidecar.open_mirror(str(desk.mirror)) as mirror:
        assert mirror.rows("notes", "done", into=Note) == [Note("n1", "One", True, ["a", "b"])]
        assert mirror.rows("notes", "id = ?", ["n2"], into=Title) == [Title("n2", "Two")]
        with pytest.raises(msgspec.ValidationError):
            mirror.rows("notes", into=dict[str, int])


def test_query_gives_what_sqlite_has(desk: Desk) -> None:
    """Any SQL that reads, with parameters."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        assert mirror.query("SELECT title FROM notes WHERE id = ?", ("n2",)) == [("Two",)]


def test_rows_know_their_columns(desk: Desk) -> None:
    """Also where there are none."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        assert mirror.query("SELECT id, title AS t FROM notes").columns == ("id", "t")
        assert mirror.query("SELECT id FROM notes WHERE 0").columns == ("id",)


def test_limits_hold(desk: Desk) -> None:
    """Omitted rows are reported; queries that take too long are ended."""
    endless = "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r"
    with sidecar.open_mirror(desk.mirror, limits=Limits(rows=3, seconds=0.2)) as mirror:
        found = mirror.query(endless)
        assert (found, found.truncated) == ([(1,), (2,), (3,)], True)
        assert not mirror.query("SELECT 1").truncated
        with pytest.raises(TooLongError, match=r"longer than 0\.2 s"):
            mirror.query(endless.replace("SELECT x FROM", "SELECT max(x) FROM"))
        with pytest.raises(TooLongError):
            mirror.rows("notes", f"(SELECT max(x) FROM ({endless}))")
        assert len(mirror.rows("notes")) == 2


def test_tables_describe_themselves(desk: Desk) -> None:
    """Columns, labels and options by table."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        assert list(mirror.tables()) == ["notes"]
        assert mirror.tables()["notes"].label == "Notes"


def test_nothing_can_be_written(desk: Desk) -> None:
    """The connection is read-only."""
    before = desk.mirror.read_bytes()
    with sidecar.open_mirror(desk.mirror) as mirror:
        for sql in ("DELETE FROM notes", "ATTACH 'x' AS y", "PRAGMA user_version = 1", "BEGIN"):
            with pytest.raises(apsw.AuthError):
                mirror.query(sql)
    assert desk.mirror.read_bytes() == before
    assert sorted(file.name for file in desk.mirror.parent.iterdir()) == [
        "tables.sqlite",
        "workspace.yjs",
    ]


def test_new_mirror_is_opened_when_it_is_published(desk: Desk) -> None:
    """The next call after a rebuild sees the new rows and the new columns."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        assert mirror.query("SELECT count(*) FROM notes") == [(2,)]
        desk.define("notes", {"id": {"type": "id"}, "new": {"type": "text"}})
        desk.put("notes", "n3", new="here")
        desk.sync()
        assert mirror.query("SELECT count(*) FROM notes") == [(3,)]
        assert [column.name for column in mirror.tables()["notes"].columns] == [
            *("id", "new", "_extra"),
        ]
        assert mirror.rows("notes", "new IS NOT NULL")[0]["id"] == "n3"


def test_mirror_that_disappeared_is_read_on(desk: Desk) -> None:
    """Until there is a new one, the old one is read."""
    with sidecar.open_mirror(desk.mirror) as mirror:
        desk.mirror.unlink()
        assert mirror.query("SELECT count(*) FROM notes") == [(2,)]
        desk.drop("notes", "n1")
        desk.sync()
        assert mirror.query("SELECT count(*) FROM notes") == [(1,)]


def test_unknown_table_is_a_key_error(desk: Desk) -> None:
    """As with a dict."""
    with sidecar.open_mirror(desk.mirror) as mirror, pytest.raises(KeyError):
        mirror.rows("nowhere")


def test_missing_file_is_said(tmp_path: Path) -> None:
    """With the command that builds it."""
    with pytest.raises(FileNotFoundError, match="epicenter-sidecar sync"):
        sidecar.open_mirror(tmp_path / "tables.sqlite")


def test_other_databases_are_refused(tmp_path: Path) -> None:
    """Only mirrors are opened."""
    (tmp_path / "other.sqlite").write_bytes(b"hello")
    with pytest.raises(MirrorDamagedError, match="no mirror"):
        sidecar.open_mirror(tmp_path / "other.sqlite")


def test_importing_the_package_imports_no_sqlite() -> None:
    """``import sidecar`` stays cheap; the helper is imported when it is asked for."""
    code = (
        "import sys, sidecar;"
        "print({'apsw', 'pycrdt', 'sqlite3', 'rich'} & sys.modules.keys());"
        "sidecar.open_mirror; print('apsw' in sys.modules);"
        "print(hasattr(sidecar, 'nonsense'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["set()", "True", "False"]


def test_one_that_is_written_in_place_is_read_on(desk: Desk) -> None:
    """Each call sees one state, also where columns come while it is open."""
    desk.options = msgspec.structs.replace(desk.options, in_place=True)
    desk.sync()
    with sidecar.open_mirror(desk.mirror) as mirror:
        assert len(mirror.rows("notes")) == 2
        inode = desk.mirror.stat().st_ino
        desk.put("notes", "n3", title="Three", surprise=3.0)
        desk.define("others", {"x": {"type": "integer", "name": "X"}})
        desk.put("others", "o1", x=1.0)
        desk.sync()
        assert desk.mirror.stat().st_ino == inode
        assert mirror.rows("notes")[2]["_extra"] == {"surprise": 3}
        assert mirror.query("SELECT x FROM others") == [(1,)]
        with pytest.raises(apsw.Error):
            mirror.query("SELECT nothing FROM others")
        with pytest.raises(apsw.AuthError):
            mirror.query("ROLLBACK")
        assert mirror.query("SELECT count(*) FROM notes") == [(3,)]
