"""The demo's stage: a copy of the sample app, the running program, and the process that writes."""

import contextlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts import nodejs
from scripts.children import ChildError, Message, NodeWriter, Watch, Writer
from scripts.demo.screen import Answer, Screen

SAMPLE = Path(__file__).resolve().parent / "sample"
STUDIO = Path("workspaces", "juniper-studio", "0")


class DemoError(Exception):
    """Something was not as it should be; the text says what."""


class Demo:
    """The sample app, the running program, the writer, and the screen they are shown on."""

    def __init__(self, screen: Screen, app: Path, watch: Watch, writer: Writer) -> None:
        """Keep the parts; the steps below play with them."""
        self.screen = screen
        self.app = app
        self.watch = watch
        self.writer = writer
        self.mirror = app / STUDIO / "tables.sqlite"

    def wait(self, kind: str, **fields: object) -> Message:
        """Show events until the one that is waited for has come.

        Raises:
            DemoError: the program reports a failure.
        """
        while True:
            event = self.watch.receive()
            self.screen.event(event)
            if event["type"] == "failed":
                raise DemoError(event["message"])
            if event["type"] == kind and all(event.get(k) == v for k, v in fields.items()):
                return event

    def query(self, sql: str) -> Answer:
        """Ask the mirror, read-only, as any other program would."""
        uri = f"{self.mirror.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            cursor = connection.execute(sql)
            return Answer([column[0] for column in cursor.description], cursor.fetchall())

    def show(self, sql: str, *expected: tuple[object, ...], before: Answer | None = None) -> None:
        """Show the result of a query, which must be ``expected``."""
        answer = self.query(sql)
        self.screen.result(sql, answer, before)
        check(sql, answer.rows, list(expected))

    def follow(self, sql: str, *expected: tuple[object, ...], before: Answer | None = None) -> None:
        """Wait for the rebuild after which a query's result is ``expected``, and show it.

        It is the first one, but for machines so slow that one edit's saves take over half a second.
        """
        with contextlib.suppress(ChildError):  # then the result that is there is shown and judged
            self.wait("rebuilt")
            while self.query(sql).rows != list(expected):
                self.wait("rebuilt")
        self.show(sql, *expected, before=before)


@contextlib.contextmanager
def sample_app() -> Iterator[Path]:
    """Copy the sample app data folder to a temporary place."""
    with tempfile.TemporaryDirectory(prefix="sidecar-demo-") as folder:
        app = Path(folder).resolve() / "studio.example.app"
        shutil.copytree(SAMPLE, app)
        yield app


def own_state(app: Path) -> dict[str, str]:
    """Return the environment that keeps the demo's locks apart from those of real use."""
    return {"SIDECAR_STATE_DIR": str(app.parent / "state")}


def open_writer(document: Path) -> Writer:
    """Start the process that edits ``document``: real Yjs where there is Node, else pycrdt."""
    if nodejs.missing() is None:
        return NodeWriter(document)
    return Writer([sys.executable, "-m", "scripts.demo.pycrdt_writer"], document)


def check(what: str, actual: object, expected: object) -> None:
    """Insist that something is as it should be.

    Raises:
        DemoError: it is not.
    """
    if actual != expected:
        message = f"{what}\n  should be {expected!r}\n  but is    {actual!r}"
        raise DemoError(message)
