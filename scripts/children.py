"""Child processes that talk in JSON lines: the program's own ``watch``, and writers of documents.

Every wait has a deadline, and every child is gone when its ``with`` block ends.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from scripts import nodejs

Message = dict[str, Any]

SECONDS = 30.0
"""How long an answer may take before it counts as never coming. Slow machines need the room."""


class ChildError(Exception):
    """The child ended, stayed silent or refused; the text ends with what it wrote to stderr."""


class LineProcess:
    """A child process with one JSON object a line on stdin and on stdout."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start ``command``; ``environment`` is added to this process's own."""
        self.command = list(command)
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name) / "stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **(environment or {})},
            )
        self._stdin, self._stdout = _pipe(self.process.stdin), _pipe(self.process.stdout)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    def send(self, message: Message) -> None:
        """Write one line to the child's stdin."""
        self._stdin.write(json.dumps(message).encode() + b"\n")
        self._stdin.flush()

    def receive(self, seconds: float = SECONDS) -> Message:
        """Return the next line from the child's stdout.

        Raises:
            ChildError: the child ended or wrote nothing for ``seconds``.
        """
        try:
            line = self._lines.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            what = f"wrote nothing for {seconds:.1f} s"
            raise self._error(what) from None
        if line is None:
            self._lines.put(None)
            what = "closed its stdout"
            raise self._error(what)
        message: Message = json.loads(line)
        return message

    def close_stdin(self) -> None:
        """End the child's stdin, which asks it to stop."""
        self._stdin.close()

    def wait(self, seconds: float = SECONDS) -> int:
        """Return the child's exit code once it has ended.

        Raises:
            ChildError: it is still alive after ``seconds``.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            what = f"was still alive after {seconds:.1f} s"
            raise self._error(what) from None

    def errors(self) -> str:
        """Return what the child has written to stderr so far."""
        return self._errors.read_text(errors="replace")

    def _read_lines(self) -> None:
        for line in self._stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _error(self, what: str) -> ChildError:
        command = " ".join(self.command)
        return ChildError(f"{command}\n{what}; exit code {self.process.poll()}\n{self.errors()}")

    def __enter__(self) -> Self:
        """Return the running child."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the child, by force if need be, and let go of its pipes."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._stdout.close()
        with contextlib.suppress(BrokenPipeError):  # what is still unwritten has no reader left
            self._stdin.close()
        self._folder.cleanup()


class Watch(LineProcess):
    """A running ``epicenter-sidecar watch``; ``events`` keeps every event received so far."""

    def __init__(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start ``watch`` with these paths and options."""
        words = [str(argument) for argument in arguments]
        super().__init__([*program(), "watch", "--output", "ndjson", *words], environment)
        self.events: list[Message] = []

    def receive(self, seconds: float = SECONDS) -> Message:
        """Return the next event and remember it."""
        event = super().receive(seconds)
        self.events.append(event)
        return event

    def until(self, kind: str, seconds: float = SECONDS, **fields: object) -> Message:
        """Return the next event of this ``type`` that has these fields; others are let pass.

        Raises:
            ChildError: it did not come within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            event = self.receive(deadline - time.monotonic())
            if event["type"] == kind and all(event[name] == fields[name] for name in fields):
                return event

    def quiet(self, seconds: float) -> list[Message]:
        """Return the events that come before none has come for ``seconds``."""
        heard: list[Message] = []
        while True:
            try:
                heard.append(self.receive(seconds))
            except ChildError:
                if self.process.poll() is not None:
                    raise
                return heard


class Writer(LineProcess):
    """A process that holds one document and saves it as the host application does."""

    def __init__(self, command: Sequence[str], document: Path) -> None:
        """Start ``command`` and have it open ``document``, or begin an empty one."""
        super().__init__(command)
        self.ask({"do": "open", "path": str(document)})

    def ask(self, command: Message) -> Message:
        """Send a command of ``scripts/js/writer.js`` and return its answer.

        Raises:
            ChildError: the command failed over there.
        """
        self.send(command)
        reply = self.receive()
        if "error" in reply:
            raise ChildError(reply["error"])
        return reply

    def edit(self, *edits: Message, saves: str = "awaited") -> None:
        """Apply edits, one update each, and save each: see ``scripts/js/writer.js``."""
        self.ask({"do": "edit", "edits": edits, "saves": saves})

    def save(self) -> None:
        """Write the same content again."""
        self.ask({"do": "save"})


class NodeWriter(Writer):
    """A writer that is real Yjs, in Node."""

    def __init__(self, document: Path) -> None:
        """Open ``document``, or begin an empty one."""
        node = nodejs.find_node()
        if node is None:
            raise ChildError(nodejs.missing())
        super().__init__([str(node), str(nodejs.JS / "writer.js")], document)

    def expected(self) -> Message:
        """Return what a mirror of the file on disk must hold, told by JavaScript."""
        return self.ask({"do": "expected"})


def program() -> list[str]:
    """Return the installed command, the one that belongs to this interpreter."""
    found = shutil.which("epicenter-sidecar", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-m", "sidecar"]


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for; the type of Popen cannot say that it is there."""
    if stream is None:
        raise TypeError
    return stream
