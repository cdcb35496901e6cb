"""The end: for every reason, in time, with no process left."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.apps import document_path, mirror_of, unfinished
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.processes import family, is_gone
from tests.support.program import Watch, program
from tests.support.systems import needs_signals
from tests.support.waiting import wait_until

SMALL = document(3)
HOST = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
time.sleep(600)
"""


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Watch one small document, ready."""
    save(document_path(tmp_path), SMALL)
    with Watch(tmp_path, "--debounce-ms", "10") as watch:
        watch.until("ready")
        yield watch


def assert_all_gone(processes: list[psutil.Process], seconds: float) -> None:
    """Wait until none of the processes is alive."""
    wait_until(lambda: all(map(is_gone, processes)), "the end of every process", seconds)


def begin_large_build(watch: Watch, large: bytes) -> list[psutil.Process]:
    """Start a large build, and return every process that takes part."""
    path = document_path(Path(watch.events[0]["root"][0]))
    save(path, large)
    wait_until(lambda: unfinished(mirror_of(path)), "the build")
    return family(watch)


@needs_signals
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_stops(watch: Watch, name: str) -> None:
    """`stopped`, exit 0, nothing left."""
    processes = family(watch)
    watch.process.send_signal(signal.Signals[name])
    assert watch.until("stopped")["reason"] == "signal"
    assert watch.wait() == 0
    assert_all_gone(processes, 1.0)


def test_shutdown_stops(watch: Watch) -> None:
    """By the host's command."""
    watch.send({"type": "shutdown", "id": 1})
    assert watch.until("stopped")["reason"] == "shutdown"
    assert watch.wait() == 0


def test_the_end_of_stdin_stops(watch: Watch) -> None:
    """The end of stdin is the only sign of a crashed host."""
    processes = family(watch)
    watch.close_stdin()
    assert watch.until("stopped")["reason"] == "stdin"
    assert watch.wait() == 0
    assert_all_gone(processes, 1.0)


def test_a_polite_stop_lets_a_short_build_end(watch: Watch) -> None:
    """A build that is nearly done is finished."""
    path = document_path(Path(watch.events[0]["root"][0]))
    watch.send({"type": "sync", "force": True})
    save(path, document(2000))
    watch.send({"type": "shutdown"})
    watch.until("stopped")
    assert watch.wait() == 0


@pytest.mark.parametrize("how", [pytest.param("signal", marks=needs_signals), "stdin"])
def test_a_large_build_does_not_delay_the_stop(watch: Watch, large: bytes, how: str) -> None:
    """The build is ended in time; the old mirror stays, and the next start builds the new one."""
    processes = begin_large_build(watch, large)
    for process in processes[1:]:
        process.suspend()  # a build that never ends by itself
    if how == "signal":
        watch.process.terminate()
    else:
        watch.close_stdin()
    assert watch.until("stopped")["reason"] == how
    assert watch.wait() == 0
    assert_all_gone(processes, 1.0)
    path = document_path(Path(watch.events[0]["root"][0]))
    assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(3,)]


@pytest.mark.parametrize("how", ["stdin", pytest.param("signal", marks=needs_signals)])
def test_an_abandoned_build_leaves_nothing_behind(watch: Watch, large: bytes, how: str) -> None:
    """The worker removes the temporary files of the job that it ends."""
    begin_large_build(watch, large)
    if how == "stdin":
        watch.close_stdin()
    else:
        watch.process.send_signal(signal.SIGTERM)
    watch.until("stopped")
    assert watch.wait() == 0
    folder = document_path(Path(watch.events[0]["root"][0])).parent
    assert {path.name for path in folder.iterdir()} == {"workspace.yjs", "tables.sqlite"}


@needs_signals
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sync_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, large: bytes, number: signal.Signals, code: int
) -> None:
    """It ends its job and removes temporary files before it exits."""
    path = document_path(tmp_path)
    save(path, large)
    with subprocess.Popen([*program(), "sync", tmp_path], stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: unfinished(mirror_of(path)), "the build")
        process.send_signal(number)
        assert process.wait(10) == code
    assert [path.name for path in path.parent.iterdir()] == ["workspace.yjs"]


@needs_signals
def test_a_signal_and_its_echo_are_one(watch: Watch) -> None:
    """`timeout` sends its signal to the process, and at once to its group."""
    watch.process.send_signal(signal.SIGTERM)
    watch.process.send_signal(signal.SIGTERM)
    assert watch.until("stopped")["reason"] == "signal"
    assert watch.wait() == 0


def test_a_second_signal_does_not_wait(watch: Watch, large: bytes) -> None:
    """It ends the process at once, in the middle of a build."""
    processes = begin_large_build(watch, large)
    for process in processes[1:]:
        process.suspend()
    watch.process.terminate()
    watch.process.send_signal(signal.SIGINT)
    assert watch.wait() in {128 + signal.SIGTERM, 128 + signal.SIGINT}
    assert_all_gone(processes, 1.0)


def test_nothing_outlives_a_killed_supervisor(watch: Watch, large: bytes) -> None:
    """SIGKILL leaves no time for anything: the workers end by themselves, mid-build too."""
    processes = begin_large_build(watch, large)
    watch.process.kill()
    assert_all_gone(processes, 1.0)


def test_nothing_outlives_a_killed_host(tmp_path: Path, large: bytes) -> None:
    """The host is SIGKILLed during a large build: a second later no process is left."""
    path = save(document_path(tmp_path), SMALL)
    command = [*program(), "watch", "--debounce-ms", "10", str(tmp_path)]
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, *command],
        stdout=subprocess.PIPE,
    )
    assert host.stdout
    for line in host.stdout:
        if b'"ready"' in line:
            break
    save(path, large)
    wait_until(lambda: unfinished(mirror_of(path)), "the build")
    processes = psutil.Process(host.pid).children(recursive=True)
    assert len(processes) >= 3
    host.kill()
    host.wait()
    host.stdout.close()
    assert_all_gone(processes, 1.0)


def test_a_parent_by_pid_is_a_lifeline(tmp_path: Path) -> None:
    """Without reading stdin, the end of another process stops it."""
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as parent,
        Watch(tmp_path, "--stdin", "off", "--parent-pid", str(parent.pid)) as watch,
    ):
        watch.until("ready")
        parent.kill()
        assert watch.until("stopped")["reason"] == "parent"
        assert watch.wait() == 0


def test_a_parent_that_is_gone_already_stops_at_once(tmp_path: Path) -> None:
    """The host may have ended during our start."""
    parent = subprocess.Popen([sys.executable, "-c", ""])
    parent.wait()
    with Watch(tmp_path, "--parent-pid", str(parent.pid)) as watch:
        assert watch.until("stopped")["reason"] == "parent"
        assert watch.wait() == 0


@needs_signals
@pytest.mark.parametrize("kind", ["null", "file", "terminal", "closed"])
def test_a_stdin_that_is_no_pipe_is_left_alone(tmp_path: Path, kind: str) -> None:
    """A terminal, a file, /dev/null and nothing at all: standalone use, stopped by a signal."""
    save(document_path(tmp_path), SMALL)
    (tmp_path / "file").write_text('{"type": "shutdown"}\n')
    words = [*program(), "watch", str(tmp_path)]
    with contextlib.ExitStack() as stack:
        if kind == "null":
            stdin: int = stack.enter_context(open(os.devnull)).fileno()  # noqa: PTH123
        elif kind == "terminal":
            ours, stdin = os.openpty()
            stack.callback(os.close, ours)
            stack.callback(os.close, stdin)
        else:
            stdin = stack.enter_context((tmp_path / "file").open()).fileno()
        if kind == "closed":
            words = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *words]
        process = stack.enter_context(subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE))
        assert process.stdout
        seen = b""
        while b'"ready"' not in seen:
            seen = process.stdout.readline()
        process.terminate()
        assert b'"signal"' in process.stdout.read()
        assert process.wait() == 0


def test_stdin_on_reads_even_a_file(tmp_path: Path) -> None:
    """With ``--stdin on`` the end of a file stops it."""
    (tmp_path / "commands").write_text("")
    with (tmp_path / "commands").open() as commands:
        done = subprocess.run(
            [*program(), "watch", "--stdin", "on", str(tmp_path)],
            stdin=commands,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0
    assert b'"reason":"stdin"' in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="only POSIX tells without a write")
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_is_gone_stops(tmp_path: Path, kind: str) -> None:
    """Also while there is nothing to write; Node gives its children sockets."""
    save(document_path(tmp_path), SMALL)
    if kind == "pipe":
        ours, theirs = os.pipe()
    else:
        pair = socket.socketpair()
        ours, theirs = pair[0].detach(), pair[1].detach()
    process = subprocess.Popen(
        [*program(), "watch", "--stdin", "off", str(tmp_path)], stdout=theirs
    )
    os.close(theirs)
    seen = b""
    while b'"ready"' not in seen:
        seen += os.read(ours, 1 << 16)
    processes = [
        psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)
    ]  # fmt: skip
    os.close(ours)
    assert process.wait(30) == 1
    assert_all_gone(processes, 1.0)


@needs_signals
def test_a_reader_that_stalls_does_not_delay_the_stop(tmp_path: Path) -> None:
    """Nobody reads stdout and the pipe is full: syncing continues, and it stops in time."""
    path = save(document_path(tmp_path), SMALL)
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, b" " * 4096)
    os.set_blocking(theirs, True)
    process = subprocess.Popen(
        [*program(), "watch", "--debounce-ms", "10", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=theirs,
    )
    os.close(theirs)
    for rows in (5, 6, 7):
        save(path, document(rows))
        wait_until(
            lambda rows=rows: (
                mirror_of(path).exists()  # type: ignore[misc]
                and query(mirror_of(path), "SELECT count(*) FROM notes") == [(rows,)]
            ),
            "the mirror",
        )
    processes = psutil.Process(process.pid).children(recursive=True)
    started = time.monotonic()
    process.terminate()
    assert process.wait(30) == 0
    assert time.monotonic() - started < 10
    assert_all_gone(processes, 1.0)
    os.close(ours)
    assert process.stdin
    process.stdin.close()


def test_the_lock_is_let_go(tmp_path: Path) -> None:
    """A second start right after the first one's end finds the root free."""
    for _ in range(2):
        with Watch(tmp_path) as watch:
            watch.until("ready")
            watch.process.kill()
            watch.wait()
