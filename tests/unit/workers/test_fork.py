"""A job in a child of its own: whatever happens to it, the parent gets to know and lives on."""

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from sidecar.model import Options
from sidecar.workers.fork import AbandonedError, ended_by, run_forked
from sidecar.workers.messages import Answer, Ended, Job, message_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no fork")

Send = Callable[[Answer], None]


def job(max_seconds: float = 30.0, max_memory_mb: int | None = None) -> Job:
    """Make a job; what is done is given apart."""
    return Job((), Options("/nowhere"), max_memory_mb, max_seconds)


def do(
    perform: Callable[[Job, Send], object], job_: Job | None = None
) -> tuple[Ended, list[object]]:
    """Do something in a child and return how it ended and what it answered."""
    lines: list[bytes] = []
    ended = run_forked(job_ or job(), lines.append, perform=perform)
    messages = [message_of(line) for line in lines]
    return ended, [message.result for message in messages if isinstance(message, Answer)]


def test_answers_come_back_whole() -> None:
    """Also big ones, and ones with surrogate escapes."""
    big = "x" * 1_000_000 + "\udcff"

    def perform(_: Job, send: Send) -> None:
        send(Answer(big, 0.0))
        send(Answer(2, 0.0))

    assert do(perform) == (Ended(), [big, 2])


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_crash_names_its_signal(number: signal.Signals) -> None:
    """What was answered before counts; the parent lives."""

    def perform(_: Job, send: Send) -> None:
        faulthandler.disable()  # pytest's own
        send(Answer(1, 0.0))
        os.kill(os.getpid(), number)

    ended, answers = do(perform)
    assert (ended.code, ended.killed, answers) == ("crashed", False, [1])
    assert number.name in ended.message


def test_a_kill_from_outside_is_told_apart() -> None:
    """It is not the document's fault, so it may be tried again."""
    ended, _ = do(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert (ended.code, ended.killed) == ("crashed", True)


def test_a_hang_ends_after_its_time() -> None:
    """The limit is for each task: an answer starts it anew."""

    def perform(_: Job, send: Send) -> None:
        for number in range(3):
            time.sleep(0.1)
            send(Answer(number, 0.0))
        signal.pause()

    ended, answers = do(perform, job(max_seconds=0.25))
    assert (ended.code, answers) == ("timeout", [0, 1, 2])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_memory_is_bounded() -> None:
    """An allocation past the limit fails; here it is Python's, so it is an exception."""

    def perform(_: Job, send: Send) -> None:
        try:
            bytearray(1000 << 20)
        except MemoryError:
            send(Answer("refused", 0.0))

    assert do(perform, job(max_memory_mb=300))[1] == ["refused"]
    assert do(perform)[1] == []


def test_an_abort_of_rust_for_want_of_memory_has_its_code() -> None:
    """Rust writes what it wanted and aborts; that is no crash."""
    errors = "memory allocation of 4000000000 bytes failed\n"
    assert ended_by(-signal.SIGABRT, errors).code == "memory"
    assert ended_by(-signal.SIGABRT, "panic").code == "crashed"
    assert ended_by(3, "").code == "crashed"


def test_stderr_is_kept_in_part() -> None:
    """The end of it, for the log; it reaches no terminal and cannot block the child."""

    def perform(_: Job, _send: Send) -> None:
        os.write(2, b"x" * 200_000 + b"the end")

    ended, _ = do(perform)
    assert ended.errors.endswith("the end")
    assert len(ended.errors) <= 4096


def test_an_abandoned_job_is_ended() -> None:
    """When the lifeline ends, the child is killed and waited for."""
    reading, writing = os.pipe()
    pids: list[int] = []

    def perform(_: Job, send: Send) -> None:
        os.close(writing)
        send(Answer(os.getpid(), 0.0))
        signal.pause()

    def hear(line: bytes) -> None:
        message = message_of(line)
        assert isinstance(message, Answer)
        pids.append(message.result)
        os.close(writing)

    with pytest.raises(AbandonedError):
        run_forked(job(), hear, lifeline=reading, perform=perform)
    os.close(reading)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_GET_PDEATHSIG is Linux's")
def test_a_job_dies_with_its_parent() -> None:
    """The system kills it, so nothing depends on a parent that can still act."""

    def perform(_: Job, send: Send) -> None:
        number = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)
        send(Answer(number.value, 0.0))

    assert do(perform)[1] == [signal.SIGKILL]


def test_nothing_of_a_job_is_left() -> None:
    """Descriptors are closed and children waited for."""
    before = psutil.Process().num_fds()
    for _ in range(20):
        do(lambda *_: None)
    assert psutil.Process().num_fds() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
