"""A batch in a child of its own: whatever happens to it, the parent gets to know and lives on."""

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from sidecar.model import Failed, Options
from sidecar.workers.fork import AbandonedError, ended_by, run_forked
from sidecar.workers.messages import Answer, Batch, Ended, message_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no fork")

Send = Callable[[Answer], None]


def batch(max_seconds: float = 30.0, max_memory_mb: int | None = None) -> Batch:
    """Make a batch; what is done is given apart."""
    return Batch((), Options("/nowhere"), max_memory_mb, max_seconds)


def result(value: object) -> Failed:
    """Make a result that says something."""
    return Failed("internal", str(value), "once")


def do(
    run_batch: Callable[[Batch, Send], object], batch_: Batch | None = None
) -> tuple[Ended, list[str]]:
    """Do something in a child and return how it ended and what it answered."""
    lines: list[bytes] = []
    ended = run_forked(batch_ or batch(), lines.append, run_batch=run_batch)
    messages = [message_of(line) for line in lines]
    results = [message.result for message in messages if isinstance(message, Answer)]
    return ended, [found.message for found in results if isinstance(found, Failed)]


def test_answers_come_back_whole() -> None:
    """Also big ones, and ones with surrogate escapes."""
    big = "x" * 1_000_000 + "\udcff"

    def run_batch(_: Batch, send: Send) -> None:
        send(Answer(result(big), 0.0))
        send(Answer(result(2), 0.0))

    assert do(run_batch) == (Ended(), [big, "2"])


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_crash_names_its_signal(number: signal.Signals) -> None:
    """What was answered before counts; the parent lives."""

    def run_batch(_: Batch, send: Send) -> None:
        faulthandler.disable()  # pytest's own
        send(Answer(result(1), 0.0))
        os.kill(os.getpid(), number)

    ended, answers = do(run_batch)
    assert (ended.code, ended.passing, answers) == ("crashed", False, ["1"])
    assert number.name in ended.message


def test_a_kill_from_outside_is_told_apart() -> None:
    """It is not the document's fault, so it may be tried again."""
    ended, _ = do(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert (ended.code, ended.passing) == ("crashed", True)


def test_a_hang_ends_after_its_time() -> None:
    """The limit is for each task: an answer starts it anew."""

    def run_batch(_: Batch, send: Send) -> None:
        for number in range(3):
            time.sleep(0.1)
            send(Answer(result(number), 0.0))
        signal.pause()

    ended, answers = do(run_batch, batch(max_seconds=0.25))
    assert (ended.code, answers) == ("timeout", ["0", "1", "2"])


@pytest.mark.slow
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
    """Rust writes what it wanted and aborts; that is no crash."""
    errors = "memory allocation of 4000000000 bytes failed\n"
    assert ended_by(-signal.SIGABRT, errors).code == "memory"
    assert ended_by(-signal.SIGABRT, "panic").code == "crashed"
    assert ended_by(3, "").code == "crashed"


def test_stderr_is_kept_in_part() -> None:
    """The end of it, for the log; it reaches no terminal and cannot block the child."""

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
    """The system kills it, so nothing depends on a parent that can still act."""

    def run_batch(_: Batch, send: Send) -> None:
        number = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)
        send(Answer(result(number.value), 0.0))

    assert do(run_batch)[1] == [str(int(signal.SIGKILL))]


def test_nothing_of_a_job_is_left() -> None:
    """Descriptors are closed and children waited for."""
    before = psutil.Process().num_fds()
    for _ in range(20):
        do(lambda *_: None)
    assert psutil.Process().num_fds() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
