"""Systems without free processes or descriptors, or without /proc."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, program, run_anew
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prlimit and namespaces are Linux")

QUICK = ("--debounce-ms", "10", "--rescan-s", "2", "--log-level", "debug")
ROOM, NONE = (1024, 4096), (3, 4096)


def limit(process: psutil.Process, descriptors: tuple[int, int]) -> None:
    """Limit the descriptors of a running process."""
    process.rlimit(resource.RLIMIT_NOFILE, descriptors)


def rows(path: Path) -> int:
    """Count the rows in a document's mirror."""
    ((count,),) = query(mirror_of(path), "SELECT count(*) FROM notes")
    assert isinstance(count, int)
    return count


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a document in an app folder."""
    return save(document_path(tmp_path), document(3))


def test_a_worker_without_descriptors_is_no_fault_of_the_document(
    path: Path, tmp_path: Path
) -> None:
    """EMFILE at its fork: reported with the time of the next try, and synced when it has passed."""
    with Watch(tmp_path, *QUICK) as watch:
        watch.until("ready")
        program_ = psutil.Process(watch.process.pid)
        wait_until(lambda: len(program_.children(recursive=True)) == 1, "one worker at rest")
        (worker,) = program_.children()
        limit(worker, NONE)
        save(path, document(4))
        failed = watch.until("failed")
        assert (failed["code"], failed["retry_ms"]) == ("busy", 1000)
        assert "permissions" not in failed["message"]
        limit(worker, ROOM)
        watch.until("rebuilt", rows=4)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("spare", range(12))
def test_a_child_without_descriptors_blames_nobody(path: Path, tmp_path: Path, spare: int) -> None:
    """EMFILE at any step: never reported as `check its permissions` or as a bug, and it passes."""
    with Watch(tmp_path, *QUICK) as watch:
        watch.until("ready")
        program_ = psutil.Process(watch.process.pid)
        wait_until(lambda: len(program_.children(recursive=True)) == 1, "one worker at rest")
        (worker,) = program_.children()
        limit(worker, (worker.num_fds() + 4 + spare, 4096))
        save(path, document(4))
        event = watch.receive()
        if event["type"] == "failed":
            assert event["code"] in {"busy", "disk_full", "denied"}, (event, watch.errors())
            assert "permissions" not in event["message"]
            assert event["retry_ms"] is not None
            limit(worker, ROOM)
            watch.until("rebuilt", rows=4)
        wait_until(lambda: rows(path) == 4, "the edit")
        assert "Traceback" not in watch.errors()
    assert leftovers(tmp_path) == []


def test_no_worker_to_be_had_is_said_and_waited_out(path: Path, tmp_path: Path) -> None:
    """The supervisor has no descriptor for a new worker: no traceback, and it continues later."""
    with Watch(tmp_path, *QUICK) as watch:
        watch.until("ready")
        program_ = psutil.Process(watch.process.pid)
        wait_until(lambda: len(program_.children(recursive=True)) == 1, "one worker at rest")
        limit(program_, (3, 4096))
        for worker in program_.children(recursive=True):
            worker.kill()
        failed = watch.until("failed")
        assert failed["code"] == "busy"
        assert "no worker can be started" in failed["message"]
        assert failed["retry_ms"] > 0
        save(path, document(5))
        watch.send({"type": "ping", "id": 1})
        watch.until("pong", id=1)
        limit(program_, ROOM)
        watch.until("rebuilt", rows=5)
        assert "Traceback" not in watch.errors()


def test_everything_works_without_proc(path: Path, tmp_path: Path) -> None:
    """In a container that has none, one is hidden by an empty folder here."""
    hide = 'mount -t tmpfs none /proc && exec "$@"'
    confined = ["unshare", "--mount", "sh", "-c", hide, "sh"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    tried = subprocess.run([*confined, "true"], check=False, capture_output=True)
    if tried.returncode:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(
        [*confined, *program(), "sync", "--json", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert rows(path) == 3
    save(path, document(4))
    process = subprocess.Popen(
        [*confined, *program(), "watch", *QUICK, "--output", "ndjson", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: rows(path) == 4, "the first pass")
    save(path, document(5))
    wait_until(lambda: rows(path) == 5, "an edit")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"failed"' not in out.replace('"failed":0', "")
    assert "Traceback" not in err
    assert run_anew("verify", tmp_path).code == 0
