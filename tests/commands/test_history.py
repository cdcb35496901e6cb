"""``history``: the list of snapshots, and the mirror of a moment."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from tests.support.program import run

FIRST, SECOND = 1768208400000, 1768294800000


def test_snapshots_as_json(studio: Path) -> None:
    """One value in the documented shape."""
    done = run("history", "--json", studio)
    told = done.json()
    assert done.code == 0
    assert (told["v"], told["exact"], told["path"]) == (1, True, str(studio / "workspace.yjs"))
    first, second = told["snapshots"]
    assert first == {
        "unix_ms": FIRST,
        "description": "First clients",
        "bytes": 4,
        "code": None,
        "rows": 4,
        "tables": {"clients": 4, "invoices": 0, "notes": 0, "projects": 0},
        "message": None,
    }
    assert (second["unix_ms"], second["rows"]) == (SECOND, 9)


def test_snapshots_as_lines(studio: Path) -> None:
    """Time, description and rows of each; a snapshot that cannot be read has a reason."""
    (studio / "snapshots" / "1768300000000.ysnap").write_bytes(b"\1\1\1\0\0")
    done = run("history", studio)
    assert done.code == 0
    assert "Projects planned" in done.out
    assert "undecodable: the file is no Yjs snapshot" in done.out


def test_mirror_of_a_moment(studio: Path, tmp_path: Path) -> None:
    """A normal mirror, of the newest snapshot at that time."""
    out = tmp_path / "past.sqlite"
    done = run("history", studio, "--at", str(SECOND + 5000), "--out", out)
    assert done.code == 0
    assert f"9 rows as of the snapshot {SECOND}" in done.out
    with closing(connect(out)) as connection:
        assert connection.execute("SELECT count(*) FROM projects").fetchone() == (5,)
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    done = run("history", studio, "--at", str(FIRST), "--out", out, "--json")
    assert done.json() == {"v": 1, "unix_ms": FIRST, "out": str(out), "rows": 4}


def test_a_moment_that_is_there_is_built_again(studio: Path, tmp_path: Path) -> None:
    """And has as many rows as the first time."""
    out = tmp_path / "past.sqlite"
    (moment, *_) = run("history", studio, "--json").json()["snapshots"]
    command = ("history", studio, "--at", str(moment["unix_ms"]), "--out", out, "--json")
    assert run(*command).json() == run(*command).json()
    assert run(*command).json()["rows"] == moment["rows"] > 0


def test_other_files_are_left_alone(studio: Path, tmp_path: Path) -> None:
    """``--out`` only replaces mirrors."""
    (tmp_path / "letter.txt").write_text("dear")
    done = run("history", studio, "--at", str(FIRST), "--out", tmp_path / "letter.txt")
    assert done.code == 2
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_wrong_questions(app: Path, studio: Path, tmp_path: Path) -> None:
    """One of the two options, a moment before the first, more than one document."""
    assert run("history", studio, "--at", str(FIRST)).code == 2
    assert run("history", app).code == 2
    done = run("history", studio, "--at", "5", "--out", tmp_path / "past.sqlite")
    assert done.code == 1
    assert f"the first one is {FIRST}" in done.err
    assert not (tmp_path / "past.sqlite").exists()


def test_workspace_without_snapshots(app: Path) -> None:
    """It prints that there are none, and exits with 0."""
    done = run("history", app / "workspaces" / "harvest-kitchen")
    assert (done.code, done.out) == (0, "harvest-kitchen/0 has no snapshots beside it\n")
