"""The current folder: it is untrusted, and no module in it is imported."""

import os
import queue
import subprocess
from pathlib import Path

import pytest

from sidecar.workers.pool import ProcessWorker
from tests.support.apps import document_path, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import program

TRAP = """import os
open(os.environ["TRAPPED"], "a").write(__name__ + "\\n")
"""
NAMES = ("json.py", "msgspec.py", "apsw.py", "logging.py", "sidecar/__init__.py", "queue.py")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return a folder with modules named like ours and like the standard library's."""
    for name in NAMES:
        path = tmp_path / "hostile" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRAP)
    return tmp_path / "hostile"


@pytest.mark.parametrize("command", ["sync", "watch", "status", "verify"])
def test_nothing_of_the_current_folder_is_run(tmp_path: Path, hostile: Path, command: str) -> None:
    """Neither by the command nor by its workers, and the sync succeeds."""
    path = save(document_path(tmp_path / "app"), document(3))
    environment = {**os.environ, "TRAPPED": str(tmp_path / "trapped")}
    environment.pop("PYTHONPATH", None)
    words = [*program(), command, str(tmp_path / "app")]
    if command == "watch":
        words += ["--stdin", "off", "--output", "ndjson"]
    with subprocess.Popen(
        words, cwd=hostile, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if command == "watch":
            assert process.stdout
            while b'"ready"' not in process.stdout.readline():
                assert process.poll() is None
            process.terminate()
        _, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors
    assert not (tmp_path / "trapped").exists(), (tmp_path / "trapped").read_text()
    if command in {"sync", "watch"}:
        assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(3,)]


def test_a_worker_passes_over_the_empty_entries_of_pythonpath(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """They name the current folder; a worker starts and ends without importing from it."""
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("TRAPPED", str(hostile / "trapped"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/nowhere", ".", "./"]))
    heard: queue.SimpleQueue[object] = queue.SimpleQueue()
    worker = ProcessWorker(lambda _, message: heard.put(message))
    worker.retire()
    assert heard.get(timeout=30) is None
    assert not (hostile / "trapped").exists()
    assert "Traceback" not in capfd.readouterr().err
