"""Start: watching, then `started`, then the first pass, then `ready`."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.files import version_of
from tests.support.apps import document_path, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, run_anew
from tests.support.systems import needs_shell

GOOD = document(3)


def types(watch: Watch) -> list[str]:
    """Return the types of the events so far, in order."""
    return [event["type"] for event in watch.events]


def test_everything_found_is_in_step_when_ready_is_said(tmp_path: Path) -> None:
    """Epochs, documents without an epoch and bad ones: each has its outcome before `ready`."""
    for workspace in ("w1", "w2"):
        for epoch in (0, 3):
            save(document_path(tmp_path, workspace, epoch), GOOD)
    save(tmp_path / "workspaces" / "w3" / "workspace.yjs", GOOD)
    save(document_path(tmp_path, "bad"), b"\x89PNG\r\n\x1a\n no update")
    with Watch(tmp_path) as watch:
        ready = watch.until("ready")
        assert types(watch) == ["started", *sorted(types(watch)[1:-1]), "ready"]
        assert [ready[name] for name in ("documents", "rebuilt", "unchanged", "failed")] == [
            6, 5, 0, 1,
        ]  # fmt: skip
        assert ready["root"] == [str(tmp_path)]
        assert ready["pid"] == watch.events[0]["pid"] == watch.process.pid
    assert query(
        tmp_path / "workspaces" / "w3" / "tables.sqlite", "SELECT count(*) FROM notes"
    ) == [(3,)]


def test_what_is_in_step_is_not_told_at_the_start(tmp_path: Path) -> None:
    """A second start compares the digests in the mirrors, and sends no events for them."""
    mirror = mirror_of(save(document_path(tmp_path), GOOD))
    run_anew("sync", tmp_path)
    before = version_of(str(mirror))
    with Watch(tmp_path) as watch:
        ready = watch.until("ready")
    assert types(watch) == ["started", "ready"]
    assert (ready["rebuilt"], ready["unchanged"]) == (0, 1)
    assert version_of(str(mirror)) == before


def test_changes_made_while_it_was_off_are_caught_up(tmp_path: Path) -> None:
    """The first pass compares contents, not times."""
    path = save(document_path(tmp_path), GOOD)
    run_anew("sync", tmp_path)
    before = path.stat()
    save(path, document(3, title="raw"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with Watch(tmp_path) as watch:
        assert watch.until("ready")["rebuilt"] == 1


def test_an_empty_root_is_ready_with_nothing(tmp_path: Path) -> None:
    """A new installation has no documents; they are followed when they appear."""
    with Watch(tmp_path) as watch:
        assert watch.until("ready")["documents"] == 0
        save(document_path(tmp_path), GOOD)
        assert watch.until("rebuilt")["reason"] == "missing"


@pytest.mark.parametrize("polling", [False, True])
def test_a_root_that_does_not_exist_yet_is_waited_for(tmp_path: Path, *, polling: bool) -> None:
    """It is reported once, and the root may appear folder by folder."""
    root = tmp_path / "share" / "com.example.app"
    with Watch(root, *(["--force-polling"] if polling else [])) as watch:
        assert watch.until("waiting")["root"] == str(root)
        watch.until("ready")
        save(document_path(root), GOOD)
        assert watch.until("rebuilt")["workspace"] == "w1"
        save(document_path(root, "w2"), GOOD)
        assert watch.until("rebuilt")["workspace"] == "w2"
    assert types(watch) == ["started", "waiting", "ready", "rebuilt", "rebuilt"]


def test_commands_sent_before_the_start_are_answered_after_it(tmp_path: Path) -> None:
    """A host may send commands before `started`."""
    save(document_path(tmp_path), GOOD)
    with Watch(tmp_path) as watch:
        watch.send({"type": "ping", "id": 1})
        watch.until("pong", id=1)
        watch.until("ready")
    assert types(watch).index("started") < types(watch).index("pong")


def test_several_roots_and_a_document_alone(tmp_path: Path) -> None:
    """Roots may be of any kind, nested too: each document is followed once."""
    one = save(document_path(tmp_path / "one"), GOOD)
    other = save(tmp_path / "two" / "copy.yjs", GOOD)
    with Watch(tmp_path / "one", one.parent, other) as watch:
        assert watch.until("ready")["documents"] == 2
        save(other, document(4))
        assert watch.until("rebuilt")["path"] == str(other)


def test_an_unreadable_root_ends_the_start(tmp_path: Path) -> None:
    """Exit 3, with the reason for people on stderr and for hosts on stdout."""
    root = tmp_path / "root"
    root.mkdir()
    root.chmod(0)
    if os.access(root, os.R_OK):
        pytest.skip("this user may read everything")
    with Watch(root) as watch:
        assert watch.until("failed")["code"] == "root"
        assert watch.wait() == 3


@needs_shell
def test_a_system_without_room_is_told_in_one_line(tmp_path: Path) -> None:
    """No descriptors for the pipes of a worker: reported; `watch` continues and can be stopped."""
    command = shlex.join([sys.executable, "-m", "sidecar", "watch", str(tmp_path)])
    with subprocess.Popen(
        ["/bin/sh", "-c", f"ulimit -n 9; exec {command}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watch:
        try:
            failed = json.loads(next(line for line in watch.stdout or () if "failed" in line))
            assert (failed["code"], failed["retry_ms"] is None) == ("busy", False)
            watch.terminate()
            _, errors = watch.communicate(timeout=30)
        finally:
            watch.kill()
    assert (watch.returncode, "Traceback" in errors) == (0, False)


def test_a_bad_option_is_a_usage_error(tmp_path: Path) -> None:
    """Exit 2, and nothing on stdout."""
    done = run_anew("watch", tmp_path, "--max-load", "0")
    assert (done.code, done.out) == (2, "")
    assert "--max-load" in done.err


@needs_shell
def test_the_closed_descriptors_of_a_careless_parent_do_no_harm(tmp_path: Path) -> None:
    """Files of ours never get the descriptors 0, 1 or 2."""
    save(document_path(tmp_path), GOOD)
    script = f'exec "$0" -m sidecar sync {tmp_path} <&- >&- 2>&-'
    done = subprocess.run(["/bin/sh", "-c", script, sys.executable], timeout=60, check=False)
    assert done.returncode == 0
    assert query(mirror_of(document_path(tmp_path)), "SELECT count(*) FROM notes") == [(3,)]
