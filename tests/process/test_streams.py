"""stdout and stderr that cannot be written, or that nobody reads."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import document_path, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, program, run_anew
from tests.support.systems import needs_signals

needs_full = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux")
QUICK = ("--debounce-ms", "10")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return an app folder with a document and its mirror."""
    save(document_path(tmp_path / "app"), document(3))
    assert run_anew("sync", tmp_path / "app").code == 0
    return tmp_path / "app"


@contextlib.contextmanager
def full_pipe(*, closed: bool) -> Iterator[int]:
    """Return the writing end of a pipe that is full, or whose reader has closed it."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, b" " * 4096)
    os.set_blocking(theirs, True)
    if closed:
        os.close(ours)
    try:
        yield theirs
    finally:
        os.close(theirs)
        if not closed:
            os.close(ours)


def until(process: subprocess.Popen[bytes], word: bytes) -> None:
    """Read stdout up to a line with this word, or to its end."""
    assert process.stdout
    while word not in (line := process.stdout.readline()):
        assert line, "stdout ended"


@needs_full
def test_a_full_disk_under_stdout_ends_watch_as_a_failure(app: Path) -> None:
    """The reason is on stderr, and a service manager with Restart=on-failure starts it again."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*program(), "watch", "--output", "ndjson", "--stdin", "off", str(app)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "stdout cannot be written: No space left on device" in done.stderr
    assert "stopped: " in done.stderr
    assert "Traceback" not in done.stderr


WORDS = [
    ("sync",),
    ("sync", "--json", "--force"),
    ("status",),
    ("status", "--json"),
    ("verify", "--json"),
    ("schema",),
    ("protocol", "--typescript"),
    ("sync", "--help"),
    ("--help",),
    ("--version",),
]


def _each_broken() -> Iterator[Any]:
    """Yield each command with both kinds of stdout; `make test` has one of them, in turn."""
    for number, words in enumerate(WORDS):
        for place, broken in enumerate(("full", "closed")):
            marks = [] if place == number // 2 % 2 else [pytest.mark.slow]
            yield pytest.param(words, broken, marks=marks, id=f"{broken}-{' '.join(words)}")


@needs_full
@pytest.mark.parametrize(("words", "broken"), list(_each_broken()))
def test_commands_that_cannot_print_say_so_in_one_line(
    app: Path, words: tuple[str, ...], broken: str
) -> None:
    """Exit 1 and no traceback; a reader that has closed the pipe, as `head` does, is no error."""
    places = [] if words[-1] in {"--help", "--version", "--typescript"} else [str(app)]
    if broken == "full":
        out = os.open("/dev/full", os.O_WRONLY)
    else:
        ours, out = os.pipe()
        os.close(ours)
    done = subprocess.run(
        [*program(), *words, *places],
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(out)
    assert done.returncode == 1
    if broken == "full":
        (line,) = done.stderr.splitlines()
        assert "stdout cannot be written: No space left on device" in line
    else:
        assert done.stderr == ""


@needs_signals
@pytest.mark.parametrize("how", ["SIGTERM", "stdin"])
@pytest.mark.parametrize("state", ["stalled", "closed"])
def test_a_stderr_that_nobody_reads_stalls_nothing(app: Path, state: str, how: str) -> None:
    """Documents are synced, thousands of warnings are logged, and it stops in time."""
    path = document_path(app)
    with full_pipe(closed=state == "closed") as theirs:
        process = subprocess.Popen(
            [*program(), "watch", "--log-level", "debug", *QUICK, "--output", "ndjson", str(app)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        assert process.stdin
        assert process.stdout
        until(process, b'"ready"')
        for number in range(4, 7):
            process.stdin.write(b'{"type": "sync"}\n' * 1000)
            process.stdin.flush()
            save(path, document(number))
            until(process, b'"type":"rebuilt"')
        if how == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(10) == 0
        process.stdout.close()
        with contextlib.suppress(OSError):
            process.stdin.close()
    assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(6,)]


@pytest.mark.parametrize(
    ("end", "reason"),
    [("shutdown", "its host requested it"), ("stdin", "stdin ended"), ("parent", "--parent-pid")],
)
def test_the_reason_of_an_end_stands_on_stderr_too(app: Path, end: str, reason: str) -> None:
    """Service managers keep stderr as the log."""
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as parent,
        Watch(app, "--parent-pid", str(parent.pid)) as watch,
    ):
        watch.until("ready")
        if end == "shutdown":
            watch.send({"type": "shutdown"})
        elif end == "stdin":
            watch.close_stdin()
        else:
            parent.kill()
        assert watch.wait() == 0
        assert reason in watch.errors()
        parent.kill()
