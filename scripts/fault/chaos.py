"""Those who make a watcher's life hard: the app, people at the mirrors, killers, a full disk."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
from pycrdt import Doc, Map

from scripts.children import program
from scripts.fault.damage import zero

MOST_WORKSPACES = 12
_WORDS = ("alpha", "beta", "grün", "漢字", "🌱", "'quoted'", "", "x" * 500)
_TABLES = ("notes", "tasks", "People")


class App:
    """Plays the app: holds documents, edits them, saves in place, and often badly.

    Attributes:
        root: The app data folder.
    """

    def __init__(self, root: Path, random: Random) -> None:
        """Begin with a few workspaces."""
        self.root = root
        self._random = random
        self._documents: dict[str, Doc[Any]] = {}
        self._older: dict[str, bytes] = {}
        self._made = 0
        self._links = 0
        for _ in range(4):
            self.add()

    def paths(self) -> list[Path]:
        """Return where the documents are."""
        return [self._path(name) for name in self._documents]

    def add(self) -> None:
        """Make a workspace."""
        if len(self._documents) < MOST_WORKSPACES:
            self._made += 1
            name = f"w{self._made}"
            self._documents[name] = Doc()
            self._edit(name)
            self._save(name)

    def remove(self) -> None:
        """Delete a workspace, folder and all."""
        if len(self._documents) > 1:
            name = self._some()
            del self._documents[name]
            folder = self._path(name).parents[1]
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)

    def edit(self) -> None:
        """Edit one to twenty times, saving each time, as on key strokes."""
        name = self._some()
        for _ in range(self._random.choice((1, 1, 2, 20))):
            self._edit(name)
            self._save(name)

    def tear(self) -> None:
        """Save in two halves, with time to be seen in between."""
        name = self._some()
        self._edit(name)
        data = self._documents[name].get_update()
        half = self._random.randrange(len(data))
        with suppress(OSError), self._path(name).open("wb", buffering=0) as file:
            file.write(data[:half])
            time.sleep(self._random.choice((0.01, 0.1, 0.8)))
            file.write(data[half:])

    def spoil(self) -> None:
        """Leave zeros where the end of the document was, as a crash of the machine does."""
        name = self._some()
        data = self._documents[name].get_update()
        self._write(name, zero(data, self._random.randrange(len(data)), len(data)))

    def go_back(self) -> None:
        """Save an older state over the newer one."""
        name = self._some()
        self._write(name, self._older[name])

    def collapse(self) -> None:
        """Save an empty document, as known hosts do after a failed load."""
        self._write(self._some(), b"\0\0")

    def replace(self) -> None:
        """Save beside and rename over."""
        name = self._some()
        self._edit(name)
        path = self._path(name)
        with suppress(OSError):
            path.with_name("new").write_bytes(self._documents[name].get_update())
            path.with_name("new").replace(path)

    def delete_and_create(self) -> None:
        """Save as some apps do: the file is gone for a moment."""
        name = self._some()
        self._edit(name)
        with suppress(OSError):
            self._path(name).unlink()
            time.sleep(self._random.choice((0.0, 0.01, 0.2)))
            self._path(name).write_bytes(self._documents[name].get_update())

    def move(self) -> None:
        """Move a workspace away and back."""
        folder = self._path(self._some()).parents[1]
        folder.rename(folder.with_name("moving"))
        time.sleep(0.05)
        folder.with_name("moving").rename(folder)

    def exchange(self) -> None:
        """Put a link in a workspace's place, to a copy inside the root, or exchange that link."""
        name = self._some()
        folder = self._path(name).parents[1]
        with suppress(OSError):
            self._links += 1
            behind = self.root / "elsewhere" / f"{name}-{self._links}"
            (behind / "0").mkdir(parents=True)
            shutil.copyfile(self._path(name), behind / "0" / "workspace.yjs")
            if not folder.is_symlink():
                folder.rename(behind.with_name(f"{behind.name}-before"))
                folder.symlink_to(behind)
                return
            link = behind.with_name("link")
            link.unlink(missing_ok=True)
            link.symlink_to(behind)
            link.replace(folder)

    def settle(self) -> None:
        """Save every document whole, so that there is one truth to end with."""
        for name in self._documents:
            self._path(name).with_name("new").unlink(missing_ok=True)
            self._save(name)

    def _some(self) -> str:
        return self._random.choice(list(self._documents))

    def _path(self, name: str) -> Path:
        return self.root / "workspaces" / name / "0" / "workspace.yjs"

    def _edit(self, name: str) -> None:
        random, document = self._random, self._documents[name]
        tables = document.get("tables", type=Map)
        table, key = random.choice(_TABLES), f"r{random.randrange(40)}"
        with document.transaction():
            if table not in tables:
                tables[table] = Map()
            if key in tables[table] and random.random() < 0.1:  # noqa: PLR2004 - a share
                del tables[table][key]
            else:
                row = {"id": key, "title": random.choice(_WORDS), "n": random.randrange(100)}
                tables[table][key] = Map(row)

    def _save(self, name: str) -> None:
        data = self._documents[name].get_update()
        self._write(name, data)
        if name not in self._older or self._random.random() < 0.1:  # noqa: PLR2004 - a share
            self._older[name] = data

    def _write(self, name: str, data: bytes) -> None:
        """Truncate, write, close; on a full disk the app fails as apps do."""
        with suppress(OSError):
            self._path(name).parent.mkdir(parents=True, exist_ok=True)
            self._path(name).write_bytes(data)


class Meddler:
    """Someone with a SQLite client and no manners."""

    def __init__(self, app: App, random: Random) -> None:
        self._app = app
        self._random = random

    def meddle(self) -> None:
        """Do one bad thing to one mirror."""
        path = self._random.choice(self._app.paths()).with_name("tables.sqlite")
        deed = self._random.choice((_write_sql, _go_wal, _leave_journal, _remove, _cut, _overwrite))
        with suppress(OSError, sqlite3.Error):
            if path.exists():
                deed(path)


def _write_sql(mirror: Path) -> None:
    with closing(sqlite3.connect(mirror, timeout=0.1)) as connection, connection:
        connection.execute("UPDATE _mirror_tables SET rows = rows + 1")


def _go_wal(mirror: Path) -> None:
    with closing(sqlite3.connect(mirror, timeout=0.1)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS theirs (a)")


def _leave_journal(mirror: Path) -> None:
    mirror.with_name("tables.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 64)


def _remove(mirror: Path) -> None:
    mirror.unlink()


def _cut(mirror: Path) -> None:
    os.truncate(mirror, mirror.stat().st_size // 2)


def _overwrite(mirror: Path) -> None:
    mirror.write_bytes(b"no database")


class Killer:
    """Ends or stops the processes below a ``watch``."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def kill_worker(self, pid: int) -> None:
        """SIGKILL one process below the supervisor."""
        if below := family(pid)[1:]:
            with suppress(psutil.NoSuchProcess):
                self._random.choice(below).kill()

    def crash_worker(self, pid: int) -> None:
        """SIGSEGV for one process below the supervisor."""
        if below := family(pid)[1:]:
            with suppress(psutil.NoSuchProcess):
                self._random.choice(below).send_signal(signal.SIGSEGV)

    def freeze_all(self, pid: int) -> None:
        """Stop all processes for a while and let them go on, as a laptop's sleep does."""
        processes = family(pid)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        time.sleep(self._random.choice((0.1, 1.0, 8.0)))
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def starve_worker(self, pid: int) -> None:
        """Leave a worker hardly a descriptor for a while (Linux)."""
        if sys.platform != "linux" or not (workers := family(pid)[1:]):
            return
        worker = self._random.choice(workers)
        with suppress(psutil.NoSuchProcess):
            before = worker.rlimit(psutil.RLIMIT_NOFILE)
            worker.rlimit(psutil.RLIMIT_NOFILE, (self._random.randrange(3, 20), before[1]))
            time.sleep(self._random.choice((0.1, 0.5)))
            worker.rlimit(psutil.RLIMIT_NOFILE, before)

    def freeze_worker(self, pid: int) -> None:
        """Stop one process below the supervisor, as a hang that never ends."""
        if below := family(pid)[1:]:
            with suppress(psutil.NoSuchProcess):
                self._random.choice(below).suspend()


class Stranger:
    """Another program at the same mirrors: one that shares no lock with the ``watch``."""

    def __init__(self, root: Path, state: Path, random: Random) -> None:
        self._root = root
        self._state = state
        self._random = random

    def sync(self) -> None:
        """Run ``sync`` with a state folder of its own, sometimes by another path, and kill some."""
        words = ["sync", "--json", "--state-dir", str(self._state), *["--force"] * self._chance()]
        with _bound(self._root, self._state) as root:
            process = subprocess.Popen(
                [*program(), *words, str(root)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if self._chance():
                time.sleep(self._random.random())
                process.kill()
            process.wait(120)

    def sync_copy(self) -> None:
        """Copy a document beside another one and have the copy mirrored: into a file of its own.

        Raises:
            AssertionError: It was mirrored elsewhere.
        """
        documents = sorted(self._root.glob("workspaces/*/0/workspace.yjs"))
        copy = self._random.choice(documents).with_name("copy.yjs")
        mirror = copy.with_name("copy.yjs.sqlite")
        try:
            shutil.copyfile(self._random.choice(documents), copy)
            command = [*program(), "sync", "--state-dir", str(self._state), str(copy)]
            done = subprocess.run(command, capture_output=True, timeout=120, check=False)
            assert mirror.exists() or done.returncode, done  # noqa: S101 - what is looked for
        except OSError:  # a full disk, a folder that went away
            return
        finally:
            for path in (copy, mirror):
                path.unlink(missing_ok=True)

    def _chance(self) -> bool:
        return self._random.random() < 0.5  # noqa: PLR2004 - a half


@contextmanager
def _bound(root: Path, state: Path) -> Iterator[Path]:
    """Give the root under another path, through a bind mount where that is allowed."""
    place = state / "bound"
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "--bind", str(root), str(place)]
    if (
        sys.platform != "linux"
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        yield root
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def full_stdout(folder: Path) -> int:
    """Run ``watch`` with a full disk under its stdout, and return its exit code (Linux)."""
    folder.mkdir(exist_ok=True)
    command = [*program(), "watch", "--stdin", "off", "--output", "ndjson", str(folder)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.DEVNULL, timeout=60, check=False
        )
    return done.returncode


def unread_stderr(folder: Path) -> int:
    """Run ``watch`` with a stderr that nobody reads, end its stdin, and return its exit code."""
    folder.mkdir(exist_ok=True)
    command = [*program(), "watch", "--log-level", "debug", "--output", "ndjson", str(folder)]
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with suppress(BlockingIOError):
        while True:
            os.write(theirs, bytes(4096))
    os.set_blocking(theirs, True)
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=theirs, input=b"x\n" * 5000, timeout=60,
            check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    return done.returncode


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, itself first; an empty list when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class SmallDisk:
    """A file system of a few megabytes that can be filled. Use as a context; needs root."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Mount it at ``folder``.

        Raises:
            OSError: That is not possible here.
        """
        self.folder = folder
        if sys.platform != "linux" or os.getuid() != 0:
            message = "only root can mount a small file system"
            raise OSError(message)
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip())

    def fill(self) -> None:
        """Leave not a byte."""
        with suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))

    def free(self) -> None:
        """Give the space back."""
        (self.folder / "filler").unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away again, in use or not."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


Deed = Callable[[], None]
