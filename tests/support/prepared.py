"""Runs commands in forks of a process that has their modules loaded.

To load Python and the modules is most of what a short command costs. Everything else is as in a
process of its own: descriptors, environment, current folder, exit code, a traceback. Tests of what
depends on how a process starts (``PYTHON...`` variables, pipes, signals, descriptors) start the
program itself, by ``run_anew`` and ``Watch`` in ``tests/support/program.py`` or by ``Popen``.

``python -m tests.support.prepared FD`` is that process. It gets requests on a socket, each with
the descriptors 0, 1 and 2 of the command and one on which its exit code is answered.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

import sidecar
from sidecar.__main__ import main as run_command

_NOT_LOADED = {"__main__", "datasette", "mcp"}
"""What runs when it is loaded, or what needs an extra."""
_MOST = 1 << 20
"""Bytes of a request: arguments and environment."""
can_fork = os.name == "posix" and "COVERAGE_PROCESS_START" not in os.environ


class Prepared:
    """The client's end: one process for all commands of a test worker, ended with it."""

    def __init__(self) -> None:
        """Start it; it loads the modules while the first request is written."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
        with theirs:
            command = [sys.executable, "-m", "tests.support.prepared", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self._socket = ours
        atexit.register(self.end)

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], stdin: str, seconds: float
    ) -> tuple[int, str, str]:
        """Run a command to its end; return its exit code and what it wrote."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin.encode())
            given.seek(0)
            ours, theirs = os.pipe()
            try:
                request = json.dumps([list(words), dict(environment), str(Path.cwd())])
                files = [given.fileno(), out.fileno(), err.fileno(), theirs]
                socket.send_fds(self._socket, [request.encode()], files)
            finally:
                os.close(theirs)
            with os.fdopen(ours, "rb") as answers:
                ready, _, _ = select.select([answers], [], [], seconds)
                assert ready, f"not within {seconds:.0f} s: {words}"
                code = int(answers.read())
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return code, texts[0], texts[1]

    def end(self) -> None:
        """End the process: its socket is closed."""
        self._socket.close()
        self._process.wait()


@cache
def prepared() -> Prepared:
    """Return the process of this test worker, which begins with its first command."""
    return Prepared()


def serve(requests: socket.socket) -> None:
    """Fork for each request, and answer the exit codes, until the client is gone."""
    answers: dict[int, int] = {}
    awoken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([requests.fileno(), awoken], [], [])
        if awoken in ready:
            os.read(awoken, 512)
            _answer(answers)
        if requests.fileno() not in ready:
            continue
        request, files, _, _ = socket.recv_fds(requests, _MOST, 4)
        if not request:
            return
        pid = os.fork()
        if not pid:
            for fd in (*answers.values(), awoken, wake, files[3]):
                os.close(fd)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            _be_the_command(request, files[:3])
        answers[pid] = files[3]
        for fd in files[:3]:
            os.close(fd)


def _answer(answers: dict[int, int]) -> None:
    """Write the exit codes of those that have ended, negative where a signal ended them."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            fd = answers.pop(pid)
            with suppress(BrokenPipeError):  # the test waited long enough
                os.write(fd, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(fd)


def _be_the_command(request: bytes, files: list[int]) -> NoReturn:
    """Take over descriptors, environment and folder, run, and end as the interpreter does."""
    words, environment, folder = json.loads(request)
    for place, fd in enumerate(files):
        os.dup2(fd, place)
        os.close(fd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["epicenter-sidecar", *words]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    try:
        code = run_command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as at the end of any process
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # noqa: SLF001
    with suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Load the modules, then serve the socket whose descriptor is the argument."""
    for found in pkgutil.walk_packages(sidecar.__path__, "sidecar."):
        if found.name.rpartition(".")[2] not in _NOT_LOADED:
            importlib.import_module(found.name)
    gc.collect()
    gc.freeze()  # so that forks share the pages
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests)


if __name__ == "__main__":
    main()
