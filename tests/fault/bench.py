"""A folder with a document and its mirror, and helpers that change and check them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from scripts.children import LineProcess
from sidecar.model import Failed, Options, Outcome, Source
from sidecar.tasks.sync import sync
from tests.support.data import PROJECT
from tests.support.documents import document
from tests.support.mirrors import query, read_tables

NOBODY = 65534


class Bench(NamedTuple):
    """One document, its mirror, and a state folder for the locks."""

    folder: Path
    state: Path

    @classmethod
    def at(cls, root: Path, *, rows: int = 3, state: Path | None = None) -> Self:
        """Create a document of some rows, and sync it."""
        folder = root / "folder"
        folder.mkdir(parents=True, exist_ok=True)
        bench = cls(folder, state or root / "state")
        bench.save(rows)
        bench.must_sync()
        return bench

    @property
    def document(self) -> Path:
        """Where the document is."""
        return self.folder / "workspace.yjs"

    @property
    def mirror(self) -> Path:
        """Where the mirror is."""
        return self.folder / "tables.sqlite"

    @property
    def last_good(self) -> Path:
        """Where a collapsed mirror is kept."""
        return self.folder / "tables.last-good.sqlite"

    def save(self, rows: int, *, client: int = 1) -> None:
        """Save a document of so many rows; none makes it the two bytes of an empty one."""
        self.document.write_bytes(document(rows, client=client) if rows else b"\0\0")

    def sync(self, *, force: bool = False, rested: bool = True, **options: Any) -> Outcome:
        """Sync once, in this process."""
        source = Source(str(self.document), str(self.mirror), None, None)
        chosen = Options(state_folder=str(self.state), **options)
        return sync(source, chosen, force=force, rested=rested)

    def must_sync(self) -> Outcome:
        """Sync once; it must not fail."""
        outcome = self.sync()
        assert not isinstance(outcome, Failed), outcome
        return outcome

    def must_fail(self, code: str, *, force: bool = False) -> Failed:
        """Sync once; it must fail with this code and leave mirror and folder as they were."""
        before = self.mirror.read_bytes() if self.mirror.is_file() else None
        outcome = self.sync(force=force)
        assert isinstance(outcome, Failed), outcome
        assert outcome.code == code, outcome.message
        assert before == (self.mirror.read_bytes() if self.mirror.is_file() else None)
        assert self.leftovers() == set()
        return outcome

    def rows(self) -> int:
        """Count the rows in the mirror, which must hold one table and be sound."""
        assert query(self.mirror, "PRAGMA integrity_check") == [("ok",)]
        return sum(len(table.rows) for table in read_tables(self.mirror).values())

    def leftovers(self) -> set[str]:
        """Return the files of ours that should not be in the folder."""
        found = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        return {name for name in found if name.endswith((".tmp", "-journal", "-wal", "-shm"))}


class Client(LineProcess):
    """Another process with a SQLite connection to a mirror; it runs one statement at a time."""

    def __init__(self, mirror: Path) -> None:
        """Open the mirror."""
        super().__init__([sys.executable, str(Path(__file__).with_name("client.py")), str(mirror)])

    def run(self, sql: str, *, rows: int | None = None) -> Any:
        """Execute one statement and return its rows, or the text of its error.

        Args:
            sql: The statement.
            rows: Fetch only so many, and leave the statement open.
        """
        self.send({"sql": sql, "rows": rows})
        return self.receive()["answer"]


def sync_elsewhere(bench: Bench, *, umask: int = 0o022) -> dict[str, Any]:
    """Sync, by force, in a child process without privileges; see ``hand_over``."""
    job = {
        "document": str(bench.document),
        "mirror": str(bench.mirror),
        "state": str(bench.state),
        "force": True,
        "uid": NOBODY if is_root() else None,
    }
    done = subprocess.run(
        [sys.executable, "-m", "scripts.fault.sync_child"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=PROJECT,
        umask=umask,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def is_root() -> bool:
    """Return whether the tests run as root, so that tests of permissions need another user."""
    return sys.platform != "win32" and os.getuid() == 0


def hand_over(root: Path) -> None:
    """Give the files below ``root`` to the user that ``sync_elsewhere`` becomes."""
    if is_root():
        for path in [root, *root.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)


@contextmanager
def small_disk(folder: Path, kilobytes: int = 400) -> Iterator[Path]:
    """Mount a small file system at a folder while the context lasts; skip where that cannot be."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    if shutil.which("mount") is None or sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Make a mounted file system ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a file system except for so many bytes; return the file that does it."""
    filler = folder / "filler"
    state = os.statvfs(folder)
    with filler.open("wb") as file:
        file.write(bytes(max(0, state.f_bavail * state.f_frsize - leave)))
    return filler
