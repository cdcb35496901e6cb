"""The walk on two cores gives what the walk on one gives, whatever becomes of the helper."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pycrdt
import pytest

from sidecar.document import parallel
from sidecar.model import Options, Rebuilt, Source
from sidecar.sync import sync

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.fixture(name="document")
def fixture_document(tmp_path: Path) -> Path:
    """A document with a large table, a small one, an empty one, and a name that must bend."""
    doc: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc(client_id=1)
    tables = doc.get("tables", type=pycrdt.Map)
    with doc.transaction():
        for name, rows in (("large", 5500), ("small", 3), ("empty", 0), ("Large", 2500)):
            table: pycrdt.Map[object] = pycrdt.Map()
            tables[name] = table
            for number in range(rows):
                row: dict[str, object] = {"id": f"r{number}", "n": number, "tags": ["a", "b"]}
                if number % 700 == 0:
                    row = {"id": "other", "deep": {"x": [number]}, "nan": float("nan")}
                table[f"r{number}"] = pycrdt.Map(row)
    path = tmp_path / "workspace.yjs"
    path.write_bytes(doc.get_update())
    return path


def mirror_of(document: Path, name: str) -> bytes:
    """Sync a document into a mirror of this name and give the mirror's bytes."""
    mirror = document.with_name(name)
    source = Source(str(document), str(mirror), "w", 0)
    outcome = sync(source, Options(str(document.parent / "state")), last_try=True)
    assert isinstance(outcome, Rebuilt)
    assert outcome.rows == 8003
    return mirror.read_bytes()


@pytest.fixture(name="serial")
def fixture_serial(document: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The mirror that one process makes; from then on two are used."""
    monkeypatch.setattr(parallel, "LEAST_CELLS", 10**12)
    mirror = mirror_of(document, "serial.sqlite")
    monkeypatch.setattr(parallel, "LEAST_CELLS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return mirror


def test_two_processes_give_the_same_bytes(document: Path, serial: bytes) -> None:
    """A mirror walked by two processes equals that of one, byte for byte."""
    assert mirror_of(document, "parallel.sqlite") == serial


def dying(after: int) -> Callable[[int, int, bytes], None]:
    """Make a send that kills the helper after so many messages."""
    send = parallel._send  # noqa: SLF001 - the fault is put where the helper speaks
    sent = 0

    def send_and_die(pipe: int, index: int, message: bytes) -> None:
        nonlocal sent
        if sent == after:
            os.kill(os.getpid(), signal.SIGKILL)
        sent += 1
        send(pipe, index, message)

    return send_and_die


@pytest.mark.parametrize("after", [0, 1, 3, 4, 6])
def test_a_helper_that_dies_costs_nothing_but_time(
    document: Path, serial: bytes, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Whatever a killed helper has not sent is walked by the process itself."""
    monkeypatch.setattr(parallel, "_send", dying(after))
    assert mirror_of(document, "parallel.sqlite") == serial


def test_the_helper_is_gone_afterwards(document: Path, serial: bytes) -> None:
    """No child is left behind, and no descriptor."""
    descriptors = Path("/dev/fd")
    before = len(list(descriptors.iterdir()))
    assert mirror_of(document, "parallel.sqlite") == serial
    assert len(list(descriptors.iterdir())) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
