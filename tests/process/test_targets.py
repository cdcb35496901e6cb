"""Which files are documents and where their mirrors go, with real processes."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.apps import document_path, mirror_of
from tests.support.data import SAMPLE
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, program, run, sync

NO_RESCAN = ("--rescan-s", "3600", "--debounce-ms", "50")
COUNT = "SELECT count(*) FROM notes"


def rows(mirror: Path) -> int:
    """Return the number of notes in a mirror."""
    ((count,),) = query(mirror, COUNT)
    return int(count)


# ---------------------------------------------------------------- a copy, a backup, a head


@pytest.mark.parametrize("name", ["head.yjs", "workspace2.yjs", "workspace.yjs.bak", "a.b"])
def test_naming_a_copy_never_replaces_the_tables(tmp_path: Path, name: str) -> None:
    """tables.sqlite is the mirror of workspace.yjs only; any other FILE has FILE.sqlite."""
    path = save(document_path(tmp_path), document(3))
    sync(tmp_path)
    before = mirror_of(path).read_bytes()
    copy = save(path.with_name(name), document(5))
    (rebuilt, _) = sync(copy).events()
    assert (rebuilt["workspace"], rebuilt["epoch"]) == (name, None)
    assert mirror_of(path).read_bytes() == before
    assert rows(path.with_name(f"{name}.sqlite")) == 5
    assert run("status", copy).code == run("verify", copy).code == 0


@pytest.mark.parametrize("content", [b"", b"mine", b"SQLite format 3\0" + b"\0" * 4080])
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file at the path of a mirror that is not a mirror, even an empty one, is not changed."""
    path = save(tmp_path / "notes.yjs", document(3))
    theirs = save(tmp_path / "notes.yjs.sqlite", content)
    done = run("sync", "--json", path)
    failed, synced = done.events()
    assert (done.code, failed["code"], synced["failed"]) == (1, "foreign_mirror", 1)
    assert theirs.read_bytes() == content
    assert run("sync", "--into", tmp_path / "into", path).code == 0
    assert rows(tmp_path / "into" / "notes.yjs.sqlite") == 3
    (told,) = run("status", "--json", path).json()["documents"]
    assert (told["state"], told["code"]) == ("damaged", "foreign_mirror")


def test_tables_sqlite_is_ours_whatever_is_in_it(tmp_path: Path) -> None:
    """A file that an app wrote there by mistake, or half a mirror, is replaced."""
    path = save(document_path(tmp_path), document(3))
    save(mirror_of(path), b"somebody else's")
    assert sync(tmp_path).events()[0]["reason"] == "damaged"
    assert rows(mirror_of(path)) == 3


@pytest.mark.parametrize("name", ["tables", "tables.sqlite", "x.SQLITE", "x.last-good"])
def test_some_names_are_never_documents(tmp_path: Path, name: str) -> None:
    """Their mirrors would replace other files; the usage error gives the reason."""
    path = save(tmp_path / name, document(3))
    done = run("sync", path)
    assert (done.code, done.out) == (2, "")
    assert f"{path} is no document" in done.err
    assert [one.name for one in tmp_path.iterdir()] == [name]


# ---------------------------------------------------------------- other apps' documents


def test_any_app_that_saves_updates_is_served(tmp_path: Path) -> None:
    """Two documents in one folder, each with its mirror, watched as they change and appear."""
    one, two = (save(tmp_path / name, document(2)) for name in ("one.yjs", "two.yjs"))
    save(tmp_path / "head.yjs", document(9))
    with Watch(tmp_path, "--documents", "*.yjs", *NO_RESCAN) as watch:
        assert watch.until("ready")["documents"] == 2
        save(two, document(4))
        assert watch.until("rebuilt", rows=4)["workspace"] == "two.yjs"
        save(tmp_path / "three.yjs", document(6))
        assert watch.until("rebuilt", rows=6)["path"] == str(tmp_path / "three.yjs")
        Path(f"{one}.sqlite").unlink()
        assert watch.until("rebuilt", reason="missing", rows=2)["path"] == str(one)
    assert not (tmp_path / "head.yjs.sqlite").exists()


def test_a_host_may_say_which_by_its_path(tmp_path: Path) -> None:
    """For documents without a workspace; an unknown path gets an error."""
    for name in ("one.yjs", "two.yjs"):
        save(tmp_path / name, document(2))
    with Watch(tmp_path, "--documents", "*.yjs", *NO_RESCAN) as watch:
        watch.until("ready")
        path = str(tmp_path / "two.yjs")
        watch.send({"type": "sync", "id": 1, "path": path, "force": True})
        assert watch.until("rebuilt", reason="forced")["path"] == path
        assert watch.until("synced", id=1)["rebuilt"] == 1
        watch.send({"type": "status", "id": 2, "path": path})
        (told,) = watch.until("status", id=2)["documents"]
        assert told["mirror"] == f"{path}.sqlite"
        watch.send({"type": "sync", "id": 3, "path": "/etc/passwd"})
        assert watch.until("failed", id=3)["code"] == "gone"


def test_globs_reach_workspaces_and_epochs_and_no_deeper(tmp_path: Path) -> None:
    """Several may be given; snapshots and other folders of the app are not included."""
    wanted = [
        save(tmp_path / "a.ydoc", document(1)),
        save(tmp_path / "workspaces" / "w1" / "b.ydoc", document(1)),
        save(tmp_path / "workspaces" / "w1" / "0" / "c.ydoc", document(1)),
        save(tmp_path / "workspaces" / "w1" / "0" / "workspace.yjs", document(1)),
    ]
    for decoy in ("cache/d.ydoc", "workspaces/w1/0/snapshots/e.ydoc", "workspaces/w1/x/f.ydoc"):
        save(tmp_path / decoy, document(1))
    done = sync(tmp_path, "--documents", "*.ydoc", "--documents", "workspace.yjs")
    paths = {event["path"] for event in done.events() if event["type"] == "rebuilt"}
    assert paths == set(map(str, wanted))
    again = run("status", "--json", tmp_path, environment={"SIDECAR_DOCUMENTS": "*.ydoc"})
    assert [one["state"] for one in again.json()["documents"]] == ["in_step"] * 3


def test_mirrors_may_stand_below_another_folder(tmp_path: Path) -> None:
    """At the same relative paths, with no file beside the documents; deleted ones are noticed."""
    root, into = tmp_path / "app", tmp_path / "a" / "b"
    path = save(document_path(root), document(3))
    path.parent.chmod(0o700)
    mirror = into / "workspaces" / "w1" / "0" / "tables.sqlite"
    with Watch(root, "--into", into, *NO_RESCAN) as watch:
        watch.until("ready")
        assert rows(mirror) == 3
        mirror.unlink()
        watch.until("rebuilt", reason="missing")
        into.rename(tmp_path / "away")  # one step: file by file, it would be built meanwhile
        watch.until("rebuilt", reason="missing")
    assert [one.name for one in path.parent.iterdir()] == ["workspace.yjs"]
    if os.name == "posix":
        assert mirror.parent.stat().st_mode & 0o077 == 0
    assert run("verify", root, "--into", into).code == run("status", root, "--into", into).code == 0
    assert run("status", root).code == 1


# ---------------------------------------------------------------- links


def link_to(link: Path, target: Path) -> None:
    """Replace a link in one step, as a deployment does."""
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.rename(link)


def test_a_document_behind_links_is_noticed_at_once(tmp_path: Path) -> None:
    """Inside the root: the file behind two links, and another one that a link in between names."""
    root = tmp_path / "app"
    store = root / "store"
    path = document_path(root)
    save(store / "one.yjs", document(1))
    save(root / "other" / "two.yjs", document(2))
    (store / "now").symlink_to(store / "one.yjs")
    path.symlink_to("../../../store/now")
    with Watch(root, *NO_RESCAN) as watch:
        watch.until("ready", rebuilt=1)
        save(store / "one.yjs", document(3))
        watch.until("rebuilt", rows=3)
        link_to(store / "now", root / "other" / "two.yjs")
        watch.until("rebuilt", rows=2)
        save(root / "other" / "two.yjs", document(4))
        watch.until("rebuilt", rows=4)


def test_an_exchanged_link_of_the_root_is_noticed_at_once(tmp_path: Path) -> None:
    """The link that is the root, or one above it, or one that a link leads over."""
    for name, count in (("v1", 1), ("v2", 2), ("v3", 3)):
        save(document_path(tmp_path / name / "app"), document(count))
    (tmp_path / "inner").symlink_to(tmp_path / "v1")
    (tmp_path / "current").symlink_to("inner")
    with Watch(tmp_path / "current" / "app", *NO_RESCAN) as watch:
        watch.until("ready", rebuilt=1)
        link_to(tmp_path / "inner", tmp_path / "v2")
        watch.until("rebuilt", rows=2)
        save(document_path(tmp_path / "v2" / "app"), document(5))
        watch.until("rebuilt", rows=5)
        link_to(tmp_path / "current", tmp_path / "v3")
        watch.until("rebuilt", rows=3)
        save(document_path(tmp_path / "v3" / "app"), document(6))
        watch.until("rebuilt", rows=6)


def test_an_exchanged_folder_above_the_root_is_noticed_at_once(tmp_path: Path) -> None:
    """It is renamed and another one takes its name, as in a restore from a backup."""
    for name, count in (("data", 1), ("restored", 2)):
        save(document_path(tmp_path / "x" / name / "deep" / "app"), document(count))
    with Watch(tmp_path / "x" / "data" / "deep" / "app", *NO_RESCAN) as watch:
        watch.until("ready", rebuilt=1)
        (tmp_path / "x" / "data").rename(tmp_path / "x" / "old")
        watch.until("gone")
        (tmp_path / "x" / "restored").rename(tmp_path / "x" / "data")
        watch.until("rebuilt", rows=2)


def test_snapshots_behind_links_that_leave_the_root_are_not_read(tmp_path: Path) -> None:
    """Neither one file nor the whole folder; links to targets inside the root are read."""
    app = Path(shutil.copytree(SAMPLE, tmp_path / "app"))
    epoch = app / "workspaces" / "juniper-studio" / "0"
    moments = run("history", "--json", epoch).json()["snapshots"]
    snapshots = epoch / "snapshots"
    first = next(iter(sorted(snapshots.glob("*.ysnap"))))
    first.rename(tmp_path / "outside.ysnap")
    first.symlink_to(tmp_path / "outside.ysnap")
    left = run("history", "--json", epoch).json()["snapshots"]
    assert [one["unix_ms"] for one in left] == [one["unix_ms"] for one in moments[1:]]
    assert run("history", epoch, "--at", first.stem, "--out", tmp_path / "x.sqlite").code == 1
    assert run("diff", f"{epoch / 'workspace.yjs'}@{first.stem}", epoch).code == 1
    snapshots.rename(app / "store")
    snapshots.symlink_to(app / "store")
    assert run("history", "--json", epoch).json()["snapshots"] == []
    assert (
        run("history", "--json", app, "--workspace", "juniper-studio").json()["snapshots"] == left
    )


# ---------------------------------------------------------------- odd circumstances


def test_two_dashes_end_the_options(tmp_path: Path) -> None:
    """What follows is a path, whatever it looks like."""
    save(tmp_path / "--json" / "0" / "workspace.yjs", document(3))
    done = subprocess.run(
        [*program(), "sync", "--json", "--", "--json"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"workspace":"--json"' in done.stdout


def test_everything_works_without_proc(tmp_path: Path) -> None:
    """In a jail or a container without it: sync, status, verify, and a watch that sees an edit."""
    path = save(document_path(tmp_path), document(3))
    command = " ".join(program())
    script = f"""
        mount -t tmpfs none /proc || exit 77
        {command} sync {tmp_path} && {command} status {tmp_path} && {command} verify {tmp_path}
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare here")
    done = subprocess.run(
        [unshare, "-m", "/bin/sh", "-c", script],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("nothing may be mounted here")
    assert done.returncode == 0, done.stderr
    assert rows(mirror_of(path)) == 3


def test_too_few_open_files_are_no_question_of_permissions(tmp_path: Path) -> None:
    """The message names the limit to raise."""
    save(document_path(tmp_path), document(3))
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -n 4; exec {' '.join(program())} sync {tmp_path}"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode
    assert "permissions" not in done.stderr + done.stdout


@pytest.mark.slow
def test_three_thousand_workspaces_deleted_at_once_are_gone_in_seconds(tmp_path: Path) -> None:
    """As `rm -r` deletes them, one by one. They hold nothing: it is about what is found."""
    for number in range(3000):
        path = save(document_path(tmp_path, f"w{number}"), b"\x89PNG")
        save(mirror_of(path), b"none")
    with Watch(tmp_path, *NO_RESCAN) as watch:
        watch.until("ready", seconds=120, documents=3000)
        shutil.rmtree(tmp_path / "workspaces")
        began = time.monotonic()
        for _ in range(3000):
            watch.until("gone")
        assert time.monotonic() - began < 15
