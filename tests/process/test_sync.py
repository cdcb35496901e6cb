"""`sync`: one pass, its output and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import program, run_anew
from tests.support.terminal import needs_terminal, run_on_terminal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a document in an app folder."""
    return save(document_path(tmp_path / "app"), document(3))


@pytest.fixture
def app(path: Path) -> Path:
    """Return that app folder."""
    return path.parents[3]


@pytest.mark.parametrize("below", ["", "workspaces", "workspaces/w1", "workspaces/w1/0"])
def test_every_level_syncs(app: Path, path: Path, below: str) -> None:
    """With any kind of PATH the mirror is beside the document."""
    done = run_anew("sync", "--json", app / below)
    assert [event["type"] for event in done.events()] == ["rebuilt", "synced"]
    assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(3,)]
    assert leftovers(app) == []


def test_a_folder_may_come_from_the_environment(app: Path, tmp_path: Path) -> None:
    """SIDECAR_ROOT, or an identifier below XDG_DATA_HOME; a PATH wins."""
    assert run_anew("sync", environment={"SIDECAR_ROOT": str(app)}).code == 0
    app.rename(tmp_path / "com.example.app")
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    if sys.platform == "linux":
        assert (
            run_anew("sync", "--identifier", "com.example.app", environment=environment).code == 0
        )
    assert run_anew("sync", tmp_path / "nowhere", environment={"SIDECAR_ROOT": str(app)}).code == 3


def test_a_second_sync_changes_nothing(app: Path, path: Path) -> None:
    """It reports `unchanged`; ``--force`` builds in any case."""
    run_anew("sync", app)
    before = mirror_of(path).stat().st_ino
    done = run_anew("sync", "--json", app)
    assert [e.get("reason") for e in done.events()] == ["bytes", None]
    assert mirror_of(path).stat().st_ino == before
    done = run_anew("sync", "--json", "--force", app)
    assert [e.get("reason") for e in done.events()] == ["forced", None]


def test_one_bad_document_does_not_stop_the_others(app: Path) -> None:
    """Exit 1, the failure on a line of its own, the rest in step."""
    for name in ("w0", "w2"):
        save(document_path(app, name), b"%PDF-1.7 no update")
    done = run_anew("sync", app)
    assert done.code == 1
    assert [line.split()[1] for line in done.out.splitlines()[:4]] == [
        "failed", "rebuilt", "failed", "synced",
    ]  # fmt: skip
    assert "foreign" in done.out


def test_several_bad_documents_end_the_pass(app: Path) -> None:
    """Each fails once, after its retries; none delays the others."""
    good = document(3)
    for number, data in enumerate((b"", b"hello", good[:-20], good + bytes(9), b"{}")):
        save(document_path(app, f"bad-{number}"), data)
    result = run_anew("sync", "--json", app)
    ended = [event["type"] for event in result.events()]
    assert sorted(ended) == [*["failed"] * 5, "rebuilt", "synced"]
    assert result.code == 1


def test_a_torn_document_is_tried_again(app: Path, path: Path) -> None:
    """A file that is being written when `sync` reads it is read again."""
    whole = document(200)
    save(path, whole[:50])
    command = [*program(), "sync", "--json", "--log-level", "debug", str(app)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        while "next try in" not in process.stderr.readline():
            assert process.poll() is None
        save(path, whole)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(200,)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nowhere"], 3, "does not exist"),
        (["empty"], 1, "no documents"),
        (["empty", "--fts", "none"], 1, "no documents"),
        ([], 2, "for example"),
        (["empty", "--max-memory-mb", "x"], 2, "--max-memory-mb"),
        (["empty", "--unknown"], 2, "--unknown"),
        (["--identifier", "../x"], 2, "bundle identifier"),
        (["app", "app/copy.yjs", "--out", "x.sqlite"], 2, "--out is for one document"),
        (["app/workspaces/w1", "--out", "app/workspaces/w1/0/workspace.yjs"], 2, "no mirror"),
        (["app/workspaces/w1", "--out", "app"], 2, "no mirror"),
        (["app/workspaces/w1", "--out", ""], 2, "no mirror"),
        (["empty", "--out", "x.sqlite"], 1, "no documents"),
        (["app/workspaces/w1", "--out", "nowhere/x.sqlite"], 2, "is no folder"),
        ([""], 2, "empty PATH"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(
    path: Path, tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    """The cause and what to do; nothing on stdout, no file changed."""
    (tmp_path / "empty").mkdir()
    save(tmp_path / "app" / "copy.yjs", document(1))
    before = path.read_bytes()
    done = subprocess.run(
        [*program(), "sync", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_a_state_folder_that_cannot_be_used_is_3(app: Path, path: Path) -> None:
    """No lock can be taken there: reported for each document, and at the end of `watch`."""
    done = run_anew("sync", "--json", app, "--state-dir", path)
    assert (done.code, done.events()[0]["code"]) == (3, "root")


def test_out_builds_elsewhere(app: Path, path: Path, tmp_path: Path) -> None:
    """No file beside the document, and only mirrors are replaced."""
    out = tmp_path / "copy.sqlite"
    assert run_anew("sync", app, "--out", out).code == 0
    assert query(out, "SELECT count(*) FROM notes") == [(3,)]
    assert not mirror_of(path).exists()
    save(path, document(4))
    assert run_anew("sync", app, "--out", out).code == 0
    assert query(out, "SELECT count(*) FROM notes") == [(4,)]
    out.write_text("a letter")
    done = run_anew("sync", app, "--out", out)
    assert (done.code, out.read_text()) == (2, "a letter")


def test_fts_may_stand_alone_before_a_path(app: Path, path: Path) -> None:
    """`--fts PATH` means all text, not an index of a field called PATH."""
    assert run_anew("sync", "--fts", app).code == 0
    assert run_anew("sync", "--fts", "none", app).code == 0
    assert query(mirror_of(path), "SELECT value FROM _mirror WHERE key = 'options'") == [
        ('{"fts":[],"in_place":false,"tables":["auto"]}',)
    ]


CLEARED = "\r\x1b[K"
"""Before each state of the progress line, which a slow machine shows."""


@needs_terminal
def test_colour_is_for_terminals(app: Path, path: Path) -> None:
    """None in a pipe, none with NO_COLOR, some on a terminal."""
    assert path.exists()
    assert "\x1b[" not in run_anew("sync", "--force", app).out
    _, coloured = run_on_terminal("sync", "--force", app)
    assert "\x1b[32m" in coloured
    _, plain = run_on_terminal("sync", "--force", app, environment={"NO_COLOR": "1"})
    assert "\x1b[" not in plain.replace(CLEARED, "")


@needs_terminal
def test_names_from_documents_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """Escape sequences in the names of a table and a workspace are shown as text."""
    evil = "\x1b]0;owned\x07\x9b2J\u202e"
    save(document_path(tmp_path, evil), document(1, table=evil))
    _, shown = run_on_terminal("sync", tmp_path, environment={"NO_COLOR": "1"})
    shown = shown.replace(CLEARED, "")
    assert not set(shown) - {"\r", "\n"} & set("\x1b\x07\x9b\u202e")
    assert "\\x1b]0;owned\\x07" in shown


def test_a_stdout_that_knows_no_unicode_is_no_crash(tmp_path: Path) -> None:
    """LANG=C and names in Japanese."""
    save(document_path(tmp_path, "日本"), document(1))
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run_anew("sync", tmp_path, environment=environment)
    assert done.code == 0
    assert "\\u65e5" in done.out


def test_logs_cannot_steer_a_terminal_either(tmp_path: Path) -> None:
    """A record is one line, with any names of paths and documents."""
    save(document_path(tmp_path, "\x1b]0;owned\x07\nCRITICAL forged"), document(1))
    done = run_anew("sync", "--log-level", "debug", tmp_path)
    assert done.code == 0
    assert "\x1b" not in done.err
    assert not any(line.startswith("CRITICAL") for line in done.err.splitlines())
    assert "\\x1b]0;owned" in done.err


@needs_terminal
def test_many_documents_have_a_progress_bar_on_a_terminal(tmp_path: Path) -> None:
    """And a line for each document; no bar in a pipe."""
    for number in range(25):
        save(document_path(tmp_path, f"w{number}"), document(1))
    _, shown = run_on_terminal("sync", tmp_path)
    assert shown.count("rebuilt") >= 25
    assert "Syncing" not in run_anew("sync", tmp_path).out
