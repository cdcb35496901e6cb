"""Races of processes that share no lock over one mirror; every one must leave it whole.

    python -m scripts.fault.races --races 500

Each race is two `sync` commands at once, over a document that has changed since: with different
state folders, with two `--out` to one file, or with one path that leads through a link. In every
second race one of the two is killed at a random moment. A reader looks at the mirror all the while
and must find the old rows or the new ones. At the end the mirror must be whole, hold the new rows
where a process came to its end, and the folder must hold nothing else once a killed process's file
was swept by the next sync.
"""

import argparse
import contextlib
import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pycrdt import Doc, Map

from scripts.children import program

KINDS = ("state folders", "out", "link")
SECONDS = 60.0
_SPAN_S = 0.4
"""A sync of such a document takes about 0.2 s."""


class Broken(Exception):  # noqa: N818 - a finding, not an error
    """A race left something that must not be."""


class Lane(NamedTuple):
    """One of the two processes: its command and its state folder."""

    command: list[str]
    state: Path


class Track:
    """A folder with a document, reachable by two paths, and the two ways to sync it."""

    def __init__(self, root: Path, kind: str) -> None:
        """Lay it out; the folder must be empty."""
        self.folder = root / "folder"
        self.folder.mkdir()
        self.document = self.folder / "workspace.yjs"
        self.mirror = self.folder / "tables.sqlite"
        paths = [self.document, self.document]
        more: list[str] = []
        if kind == "out":
            self.mirror = self.folder / "out.sqlite"
            more = ["--out", str(self.mirror)]
        if kind == "link":
            (root / "link").symlink_to(self.folder)
            paths[1] = root / "link" / "workspace.yjs"
        self.lanes = [
            Lane([*program(), "sync", str(path), *more], root / f"state{number}")
            for number, path in enumerate(paths)
        ]

    def save(self, rows: int) -> None:
        """Write a document of so many rows, whole, as an app that renames would."""
        doc: Doc[Any] = Doc(client_id=1)  # another client would be another document
        doc["tables"] = Map({"notes": Map({f"r{n}": Map({"n": rows}) for n in range(rows)})})
        fresh = self.folder.with_name("fresh")
        fresh.write_bytes(doc.get_update())
        fresh.replace(self.document)

    def rows(self) -> int:
        """Count the rows of the mirror, which must be whole and of one moment.

        Raises:
            Broken: It is not.
        """
        try:
            with closing(sqlite3.connect(f"{self.mirror.as_uri()}?mode=ro", uri=True)) as mirror:
                told = mirror.execute("PRAGMA integrity_check").fetchall()
                found = mirror.execute("SELECT count(*), min(n), max(n) FROM notes").fetchone()
        except sqlite3.Error as error:
            message = f"{self.mirror} has {self.mirror.stat().st_size} bytes: {error}"
            raise Broken(message) from error
        if told != [("ok",)] or found != (found[0],) * 3:
            message = f"{self.mirror}: {told}, {found}"
            raise Broken(message)
        return int(found[0])

    def left(self) -> set[str]:
        """Return the names that should not be in the folder."""
        return {path.name for path in self.folder.iterdir()} - {
            self.document.name,
            self.mirror.name,
        }


def race(track: Track, rows: int, *, kill_after_s: float | None) -> None:
    """Let two processes sync a document at once, and judge what they leave.

    Args:
        track: The document, with a mirror in place.
        rows: What the document has from now on.
        kill_after_s: When the first of the two is killed; None lets it live.

    Raises:
        Broken: The mirror was not whole at some moment, or a file was left behind.
    """
    before = track.rows()
    track.save(rows)
    with _watched(track, {before, rows}):
        processes = [start(lane) for lane in track.lanes]
        if kill_after_s is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                processes[0].wait(kill_after_s)
            processes[0].kill()
        codes = [process.wait(SECONDS) for process in processes]
    if codes[1] != 0 or (kill_after_s is None and codes[0] != 0):
        message = f"the processes ended with {codes}"
        raise Broken(message)
    if track.rows() != rows:
        message = f"{track.rows()} rows in step with a document of {rows}"
        raise Broken(message)
    if track.left() and kill_after_s is not None:
        start(track.lanes[1]).wait(SECONDS)
    if left := track.left():
        message = f"left behind: {sorted(left)}"
        raise Broken(message)


def run(root: Path, races: int, seed: int) -> None:
    """Run so many races, of every kind in turn, every second one with a kill.

    Raises:
        Broken: One of them left something that must not be.
    """
    chance = random.Random(seed)
    tracks = []
    for number, kind in enumerate(KINDS):
        (place := root / str(number)).mkdir()
        tracks.append(track := Track(place, kind))
        track.save(1)
        start(track.lanes[0]).wait(SECONDS)
    for number in range(races):
        kill = chance.uniform(0.0, _SPAN_S) if number // len(tracks) % 2 else None
        race(tracks[number % len(tracks)], 2 + chance.randrange(2000), kill_after_s=kill)


def start(lane: Lane) -> subprocess.Popen[bytes]:
    """Start a process without waiting for it."""
    return subprocess.Popen(
        lane.command,
        env={**os.environ, "SIDECAR_STATE_DIR": str(lane.state)},
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _watched(track: Track, states: set[int]) -> Iterator[None]:
    """Have a reader look at the mirror all the while.

    Raises:
        Broken: It found something else than one of these states.
    """
    done = threading.Event()
    findings: list[str] = []

    def look() -> None:
        for _ in itertools.takewhile(lambda _: not done.wait(0.002), itertools.count()):
            try:
                if (seen := track.rows()) not in states:
                    findings.append(f"a reader saw {seen} rows, not one of {states}")
            except Broken as broken:
                findings.append(f"a reader saw: {broken}")

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()
    if findings:
        raise Broken(findings[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 when a race broke something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--races", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    root = Path(tempfile.mkdtemp(prefix="races-"))
    try:
        run(root, chosen.races, chosen.seed)
    except Broken as broken:
        print(f"{broken}\nThe folder is kept: {root}", file=sys.stderr)
        return 1
    shutil.rmtree(root)
    print(f"{chosen.races} races, every mirror whole, no file left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
