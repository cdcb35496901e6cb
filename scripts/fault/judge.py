"""The one invariant that every file has to keep, and the judge of it.

    Whatever bytes stand in workspace.yjs: one sync ends in a mirror that equals what Yjs itself
    shows, or in the old mirror, byte for byte, and a failure with a code. Nothing else is left in
    the folder, and nothing but a coded failure comes out of the sync. A process that the decoder
    takes down (its nesting, its memory) is a coded failure too, the worker's; the next sync then
    finds the old mirror whole and sweeps.

What Yjs shows is told by real Yjs (scripts/js/view.js): it loads the bytes and copies what it sees
into a fresh document, whose mirror must hold the same tables, cell by cell. Without Node the
comparison is left out, and the rest of the invariant is judged.
"""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from scripts import nodejs
from scripts.children import ChildError, LineProcess

SECONDS = 30.0
"""A sync of a small file that takes longer hangs."""
KNOWN_FILES = {"workspace.yjs", "tables.sqlite", "tables.last-good.sqlite"}

_TABLES = """SELECT m.name, m.sql FROM sqlite_schema m JOIN _mirror_tables t ON m.name = t.name
ORDER BY m.name"""
_OF_THE_FILE = {"unaccounted", "waiting", "repaired"}
"""Problems of how a file was read: the copy that Yjs writes of what it shows has none."""
_PROBLEMS = "SELECT table_name, field, kind, rows, row_id FROM _mirror_problems"

Content = tuple[list[tuple[str, str, list[Any]]], set[Any]]


class Verdict(NamedTuple):
    """How one file was judged.

    Attributes:
        kind: ``equal``, ``kept CODE``, ``crashed``, ``unseen`` (Yjs refuses what was shown, and
            nothing tells: a flipped bit), ``unjudged`` (there is no Yjs), or ``broken``.
        finding: What breaks the invariant, None when it holds.
    """

    kind: str
    finding: str | None = None


class Child:
    """A child process that is started when it is asked, and again after it has died."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: LineProcess | None = None

    def ask(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Send one line and return the answer, None when the process died or hung over it."""
        if self._process is None:
            self._process = LineProcess(self._command)
        try:
            self._process.send(message)
            return self._process.receive(SECONDS)
        except (ChildError, BrokenPipeError):
            self.end()
            return None

    def end(self) -> None:
        """End the process, by force."""
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None


class Judge:
    """Judges files one after the other, in a folder of its own. Use as a context."""

    def __init__(self, folder: Path, old: Path) -> None:
        """Prepare a mirror that every file is tried against.

        Args:
            folder: An empty folder to work in.
            old: The document of that mirror; share no rows with what is judged.
        """
        self._folder = folder
        self._syncs = Child([sys.executable, "-m", "scripts.fault.sync_child"])
        node = nodejs.find_node() if nodejs.missing() is None else None
        self._yjs = Child([str(node), str(nodejs.JS / "view.js")]) if node else None
        self._good = shutil.copyfile(old, self._place("good") / "workspace.yjs")
        self._sync("good")
        self._old = (folder / "good" / "tables.sqlite").read_bytes()

    def close(self) -> None:
        """End the child processes."""
        self._syncs.end()
        if self._yjs:
            self._yjs.end()

    def judge(self, data: bytes, *, refusals: bool = False) -> Verdict:
        """Try one file: write it beside the old mirror, sync, and look.

        Args:
            data: The file.
            refusals: It was not damaged, so it is a finding too when Yjs takes it and we do not.
        """
        folder = self._place("tried")
        (folder / "workspace.yjs").write_bytes(data)
        (folder / "tables.sqlite").write_bytes(self._old)
        answer = self._sync("tried")
        mirror = folder / "tables.sqlite"
        kept = mirror.exists() and mirror.read_bytes() == self._old
        if answer is None:
            return self._after_crash(folder, kept=kept)
        if left := sorted({path.name for path in folder.iterdir()} - KNOWN_FILES):
            return Verdict("broken", f"left {', '.join(left)} behind: {answer}")
        if "raised" in answer:
            return Verdict("broken", f"raised {answer['raised']}")
        if answer["outcome"] == "failed":
            finding = None if kept else f"failed and touched the mirror: {answer}"
            if refusals and kept and self._is_taken_by_yjs(folder):
                finding = f"refused what Yjs takes: {answer['message']}"
            return Verdict(f"kept {answer['code']}" if kept else "broken", finding)
        return self._compare(folder)

    def _after_crash(self, folder: Path, *, kept: bool) -> Verdict:
        """The next sync of a good document must find the old mirror and sweep."""
        if not kept:
            return Verdict("broken", "crashed and touched the mirror")
        shutil.copyfile(self._good, folder / "workspace.yjs")
        answer = self._sync("tried")
        left = {path.name for path in folder.iterdir()} - KNOWN_FILES
        if answer is None or answer.get("outcome") != "unchanged" or left:
            return Verdict("broken", f"crashed, and then: {answer}, {sorted(left)}")
        return Verdict("crashed")

    def _is_taken_by_yjs(self, folder: Path) -> bool:
        out = self._place("view") / "workspace.yjs"
        paths = {"path": str(folder / "workspace.yjs"), "out": str(out)}
        seen = self._yjs.ask(paths) if self._yjs else None
        return seen is not None and "error" not in seen

    def _compare(self, folder: Path) -> Verdict:
        if self._yjs is None:
            return Verdict("unjudged")
        view = self._place("view")
        paths = {"path": str(folder / "workspace.yjs"), "out": str(view / "workspace.yjs")}
        seen = self._yjs.ask(paths)
        shown = read_content(folder / "tables.sqlite")
        if seen is None:
            return Verdict("unjudged")
        if "error" in seen:
            told = any(line[2] in _OF_THE_FILE for line in shown[1])
            why = f"Yjs refuses ({seen['error']}) what was accepted"
            return Verdict("broken", why) if told else Verdict("unseen")
        if self._sync("view") is None:
            return Verdict("unjudged")
        told = any(line[2] == "waiting" for line in shown[1])
        if told and not seen["pending"]:
            return Verdict("broken", "the mirror says that the document waits, and Yjs does not")
        return _equal(shown, read_content(view / "tables.sqlite"))

    def _place(self, name: str) -> Path:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _sync(self, name: str) -> dict[str, Any] | None:
        folder = self._folder / name
        return self._syncs.ask(
            {
                "document": str(folder / "workspace.yjs"),
                "mirror": str(folder / "tables.sqlite"),
                "state": str(self._folder / "state"),
            }
        )


def _equal(shown: Content, seen: Content) -> Verdict:
    if shown[0] != seen[0]:
        return Verdict("broken", f"shows {_first(shown[0], seen[0])}")
    problems = {line for line in shown[1] ^ seen[1] if line[2] not in _OF_THE_FILE}
    return Verdict("broken", f"tells other problems: {problems}") if problems else Verdict("equal")


def _first(shown: list[Any], seen: list[Any]) -> str:
    """Give the first table that differs, shortened."""
    pairs = [(a, b) for a, b in zip(shown, seen, strict=False) if a != b]
    a, b = pairs[0] if pairs else ([row[0] for row in shown], [row[0] for row in seen])
    return f"{a!r:.300} where Yjs shows {b!r:.300}"


def read_content(mirror: Path) -> Content:
    """Read all tables and problems of a mirror, with the standard library's SQLite."""
    with closing(sqlite3.connect(f"{mirror.as_uri()}?mode=ro", uri=True)) as connection:
        names = connection.execute(_TABLES).fetchall()
        tables = [(name, sql, connection.execute(_rows(name)).fetchall()) for name, sql in names]
        return tables, set(connection.execute(_PROBLEMS))


def _rows(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'SELECT * FROM "{quoted}"'
