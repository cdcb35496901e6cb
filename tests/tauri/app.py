"""Runs the Tauri test app for the tests: orders in, reports out, and which processes are alive."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from scripts.children import LineProcess, Message
from tests.tauri.prepare import FRONTEND, HOST_PYTHON, SRC_TAURI

HOST = Path(__file__).with_name("host.py")
IDENTIFIER = "com.example.notes"
MARK = "NOTES_TEST_RUN"
REPORT_SECONDS = 40
"""How long a test waits for what the page reports; anything it does takes a second or two."""


class App(LineProcess):
    """One run of the app: a real Tauri process with its WebKit page and all it has started."""

    def __init__(
        self, home: Path, *capabilities: str, frontend: Path = FRONTEND, src_tauri: Path = SRC_TAURI
    ) -> None:
        """Start the app and wait until its page listens.

        Args:
            home: Where its data is.
            capabilities: The only ones that hold; all in the folder when none is named.
            frontend: Its page.
            src_tauri: Its configuration.
        """
        self.data = home / "data" / IDENTIFIER
        self.reports: list[Message] = []
        self._orders = 0
        self._mark = uuid4().hex
        environment = home_variables(home) | {MARK: self._mark}
        command = [str(HOST_PYTHON), str(HOST), str(src_tauri), str(frontend)]
        super().__init__([*command, *capabilities], environment)
        self.report(lambda report: "hello" in report)

    def order(self, action: str, **fields: object) -> int:
        """Give the page an order; return its number, for ``answer``."""
        self._orders += 1
        self.send({"id": self._orders, "do": action} | fields)
        return self._orders

    def refused(self, action: str, **fields: object) -> Message:
        """Give the page an order that must fail; return what it was rejected with."""
        number = self.order(action, **fields)
        reply = self.report(lambda report: report.get("reply") == number)
        assert "error" in reply, reply
        return reply

    def answer(self, number: int) -> Any:
        """Return what came of an order; where the action failed, so does the test."""
        reply = self.report(lambda report: report.get("reply") == number)
        assert "error" not in reply, reply["error"]
        return reply["value"]

    def do(self, action: str, **fields: object) -> Any:
        """Give the page an order and return what came of it."""
        return self.answer(self.order(action, **fields))

    def event(self, kind: str, since: int = 0, **fields: object) -> Message:
        """Return the first event of the sidecar that the page heard with these fields."""
        wanted = {"type": kind} | fields
        found = self.report(lambda report: report.get("event", {}).items() >= wanted.items(), since)
        event: Message = found["event"]
        return event

    def report(self, wanted: Callable[[Message], bool], since: int = 0) -> Message:
        """Return the first wanted report after the first ``since``; wait for it if need be."""
        deadline = time.monotonic() + REPORT_SECONDS
        while True:
            for report in self.reports[since:]:
                if wanted(report):
                    return report
            since = len(self.reports)
            self.reports.append(self.receive(deadline - time.monotonic()))

    def reported(self, kind: str) -> list[Any]:
        """Return the reports of one kind so far: ``event``, ``exit``, ``log``, ``uncaught``."""
        return [report[kind] for report in self.reports if kind in report]

    def sidecars(self) -> dict[int, list[str]]:
        """Return pid and command line of each living process of ours that this run started."""
        return {
            pid: words
            for pid, words in marked_processes(self._mark)
            if any("epicenter-sidecar" in word for word in words[:2])
        }

    def quit(self) -> None:
        """Leave the app in the normal way and wait for its end."""
        self.order("quit")
        self.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the app and whatever it has left behind."""
        super().__exit__(kind, error, trace)
        for pid in self.sidecars():
            os.kill(pid, signal.SIGKILL)


def home_variables(home: Path) -> dict[str, str]:
    """Return the environment that keeps the files of the app and of the sidecar under ``home``."""
    names = {"XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache"}
    return {variable: str(home / folder) for variable, folder in names.items()}


def marked_processes(mark: str) -> Iterator[tuple[int, list[str]]]:
    """Yield pid and command line of the living processes that inherited a mark."""
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name), (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue  # ended meanwhile, or not ours to read
