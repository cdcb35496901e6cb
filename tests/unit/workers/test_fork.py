"""A batch in its own child: the parent learns how it ended, and continues."""

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sidecar.model import Failed, Options, Source
from sidecar.workers.fork import AbandonedError, Child, ended_by, run_forked
from sidecar.workers.messages import Answer, Batch, Ended, Keep, Task, message_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no fork")

Send = Callable[[Answer], None]


def batch(max_seconds: float = 30.0, max_memory_mb: int | None = None) -> Batch:
    """Make a batch; the task's function is given separately."""
    return Batch((), Options("/nowhere"), max_memory_mb, max_seconds)


def result(value: object) -> Failed:
    """Make a result with a text."""
    return Failed("internal", str(value), "once")


def do(
    run_batch: Callable[[Batch, Send], object], batch_: Batch | None = None
) -> tuple[Ended, list[str]]:
    """Run a function in a child; return how it ended and its results."""
    lines: list[bytes] = []
    ended = run_forked(batch_ or batch(), lines.append, run_batch=run_batch)
    messages = [message_of(line) for line in lines]
    results = [message.result for message in messages if isinstance(message, Answer)]
    return ended, [found.message for found in results if isinstance(found, Failed)]


def test_answers_come_back_whole() -> None:
    """Also large ones, and ones with surrogate escapes."""
    big = "x" * 1_000_000 + "\udcff"

    def run_batch(_: Batch, send: Send) -> None:
        send(Answer(result(big), 0.0))
        send(Answer(result(2), 0.0))

    assert do(run_batch) == (Ended(), [big, "2"])


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_crash_names_its_signal(number: signal.Signals) -> None:
    """Earlier results are kept; the parent continues."""

    def run_batch(_: Batch, send: Send) -> None:
        faulthandler.disable()  # pytest's own
        send(Answer(result(1), 0.0))
        os.kill(os.getpid(), number)

    ended, answers = do(run_batch)
    assert (ended.code, ended.passing, answers) == ("crashed", False, ["1"])
    assert number.name in ended.message


def test_a_kill_from_outside_is_told_apart() -> None:
    """The document is not the cause, so it may be tried again."""
    ended, _ = do(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert (ended.code, ended.passing) == ("crashed", True)


def test_a_hang_ends_after_its_time() -> None:
    """The limit is for each task: each result starts it again."""

    def run_batch(_: Batch, send: Send) -> None:
        for number in range(3):
            time.sleep(0.1)
            send(Answer(result(number), 0.0))
        signal.pause()

    ended, answers = do(run_batch, batch(max_seconds=0.25))
    assert (ended.code, answers) == ("timeout", ["0", "1", "2"])


@pytest.mark.medium
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_memory_is_bounded() -> None:
    """An allocation past the limit fails; here it is Python's, so it is an exception."""

    def run_batch(_: Batch, send: Send) -> None:
        try:
            bytearray(1000 << 20)
        except MemoryError:
            send(Answer(result("refused"), 0.0))

    assert do(run_batch, batch(max_memory_mb=300))[1] == ["refused"]
    assert do(run_batch)[1] == []


def test_an_abort_of_rust_for_want_of_memory_has_its_code() -> None:
    """Rust reports the allocation and aborts; that counts as ``memory``, not as a crash."""
    errors = "memory allocation of 4000000000 bytes failed\n"
    assert ended_by(-signal.SIGABRT, errors).code == "memory"
    assert ended_by(-signal.SIGABRT, "panic").code == "crashed"
    assert ended_by(3, "").code == "crashed"


def test_stderr_is_kept_in_part() -> None:
    """Its end, for the log; it is not printed and cannot block the child."""

    def run_batch(_: Batch, _send: Send) -> None:
        os.write(2, b"x" * 200_000 + b"the end")

    ended, _ = do(run_batch)
    assert ended.errors.endswith("the end")
    assert len(ended.errors) <= 4096


def test_an_abandoned_job_is_ended() -> None:
    """When the lifeline ends, the child is killed and waited for."""
    reading, writing = os.pipe()
    pids: list[int] = []

    def run_batch(_: Batch, send: Send) -> None:
        os.close(writing)
        send(Answer(result(os.getpid()), 0.0))
        signal.pause()

    def hear(line: bytes) -> None:
        message = message_of(line)
        assert isinstance(message, Answer)
        assert isinstance(message.result, Failed)
        pids.append(int(message.result.message))
        os.close(writing)

    with pytest.raises(AbandonedError):
        run_forked(batch(), hear, lifeline=reading, run_batch=run_batch)
    os.close(reading)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_GET_PDEATHSIG is Linux's")
def test_a_job_dies_with_its_parent() -> None:
    """The system kills it, also if the parent was killed."""

    def run_batch(_: Batch, send: Send) -> None:
        number = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)
        send(Answer(result(number.value), 0.0))

    assert do(run_batch)[1] == [str(int(signal.SIGKILL))]


def test_nothing_of_a_job_is_left() -> None:
    """Descriptors are closed and children waited for."""
    this = psutil.Process()
    before = this.num_fds(), this.children()
    for _ in range(20):
        do(lambda *_: None)
    assert (this.num_fds(), this.children()) == before


KEEP = Keep(60.0, 1 << 20, 0)
NextBatch = Callable[[str], Batch | None] | None


def keeping(act: Callable[[], object]) -> Callable[..., object]:
    """Make a function that keeps a document and returns its pid; from the second batch it acts."""

    def run_batch(first: Batch, send: Send, next_batch: NextBatch = None) -> None:
        current, done = first, 0
        while current is not None:
            if done:
                act()
            send(Answer(result(os.getpid()), 0.0))
            done += 1
            current = next_batch("document") if next_batch else None  # type: ignore[assignment]

    return run_batch


def serve(run_batch: Callable[..., object], kept: list[Child]) -> tuple[Ended, int]:
    """Run one task; return how it ended, and the pid of its process."""
    lines: list[bytes] = []
    task = Task("status", Source("/d", "/m", None, None))
    ended = run_forked(
        Batch((task,), Options("/nowhere"), None, 30.0, KEEP),
        lines.append,
        run_batch=run_batch,
        kept=kept,
    )
    (answer,) = [message_of(line) for line in lines]
    assert isinstance(answer, Answer)
    assert isinstance(answer.result, Failed)
    return ended, int(answer.result.message)


def crash() -> None:
    """End as the decoder does at what it cannot take, without pytest's traceback of it."""
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize("end", ["crash", "kill", "exit", "error", "hang", "stop"])
def test_the_end_of_one_that_keeps_a_document_costs_a_fresh_one(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any cause the task is done by a new child, which then keeps the document."""
    monkeypatch.setattr("sidecar.workers.fork._LEAST_PATIENCE_S", 0.5)
    monkeypatch.setattr("sidecar.workers.fork._PATIENCE", 0)
    acts: dict[str, Callable[[], object]] = {
        "crash": crash,
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "exit": lambda: os._exit(0),
        "error": lambda: 1 // 0,
        "hang": lambda: time.sleep(600),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    }
    kept: list[Child] = []
    run_batch = keeping(acts[end])
    first, child = serve(run_batch, kept)
    assert first.holds == "document"
    for _ in range(2):
        ended, other = serve(run_batch, kept)
        assert (ended.code, ended.holds) == (None, "document")
        assert other != child
        assert not psutil.pid_exists(child)
        child = other
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_one_that_keeps_a_document_ends_when_memory_is_scarce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends soon, and the next edit is decoded afresh. With little memory none is kept."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\n")
    monkeypatch.setattr("sidecar.workers.fork.MEMINFO", str(meminfo))
    monkeypatch.setattr("sidecar.workers.fork._LOOK_S", 0.02)
    kept: list[Child] = []
    run_batch = keeping(lambda: None)
    _, child = serve(run_batch, kept)
    assert serve(run_batch, kept)[1] == child
    meminfo.write_text("MemTotal: 1000 kB\nMemAvailable: 40 kB\n")
    process = psutil.Process(child)
    wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, "it has ended")
    again, other = serve(run_batch, kept)
    assert (again.code, again.holds) == (None, None)
    assert other != child
    assert kept == []
