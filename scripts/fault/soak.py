"""Run the real ``watch`` for minutes beside an app that behaves badly, and look what is left.

    python -m scripts.fault.soak --seconds 600 --seed 7

Random edits, torn and spoilt files, documents that go back or collapse, folders that come, go and
move, SQL written into the mirrors, workers and the supervisor killed, a full disk; another program
that shares no lock, through a bind mount where that is allowed; all processes stopped for a while;
descriptors used up, a full stdout, a stderr that nobody reads; links in the place of workspaces,
exchanged; a copy of a document beside another one, mirrored by name. In the end:
``verify`` finds every mirror equal, nothing is left beside the documents, no process outlives the
last one, and memory, descriptors, threads and children are what they were.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from random import Random, randrange
from typing import NamedTuple

import psutil

from scripts.children import ChildError, Message, Watch, program
from scripts.fault.chaos import (
    App,
    Deed,
    Killer,
    Meddler,
    SmallDisk,
    Stranger,
    family,
    full_stdout,
    unread_stderr,
)
from scripts.fault.judge import KNOWN_FILES

CHECKED = {"SIDECAR_WARM_CHECK": "1", "SIDECAR_WARM_MIN_MB": "0"}
"""Every document is kept warm, and whatever goes that road is compared with a fresh decode."""
OPTIONS = (
    *("--debounce-ms", "50", "--max-wait-ms", "500", "--rescan-s", "5"),
    *("--max-seconds", "5", "--max-load", "1"),
)
SETTLE_SECONDS = 60.0
PATIENCE_SECONDS = 5.0
GROWTH_MB = 8.0
AT_REST = 2
"""Processes of a ``watch`` that has nothing to do: itself and a warm worker."""
DISK_MB = 24
EXPECTED_CODES = {
    *("empty", "torn", "undecodable", "gone", "denied", "busy", "disk_full"),
    *("crashed", "timeout", "locked"),
}


class Broken(Exception):  # noqa: N818 - what is looked for, no error
    """Something is not as it must be; the text says what."""


class Usage(NamedTuple):
    """What all processes of one ``watch`` take at rest."""

    memory_mb: float
    descriptors: int
    threads: int
    processes: int


class Soak:
    """One run."""

    def __init__(self, root: Path, disk: SmallDisk | None, random: Random) -> None:
        self._random = random
        self._disk = disk
        self._root = root
        self._app = App(root, random)
        self._meddler = Meddler(self._app, random)
        self._killer = Killer(random)
        self._apart = tempfile.TemporaryDirectory()
        self._stranger = Stranger(root, Path(self._apart.name), random)
        self._watch = self._start()
        self.deeds: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def close(self) -> None:
        """End the watch."""
        self._watch.__exit__(None, None, None)
        self._apart.cleanup()

    def torment(self, seconds: float, *, restarts: bool) -> None:
        """Do bad things for so long; with ``restarts`` the supervisor is killed too."""
        deeds: list[tuple[float, Deed]] = [
            *self._gentle(),
            *self._rough(),
        ]
        if restarts:
            deeds.append((2, self._kill_supervisor))
        weights = [weight for weight, _ in deeds]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ((_, deed),) = self._random.choices(deeds, weights)
            deed()
            self.deeds[deed.__name__.strip("_")] += 1
            self._listen(self._random.choice((0.0, 0.02, 0.1, 0.5)))

    def settle(self) -> Usage:
        """Let the app save all it has, wait until all is in step and at rest, and measure.

        Raises:
            Broken: It does not come to rest.
        """
        self._app.settle()
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self._watch.send({"type": "sync", "id": "settle"})
            if self._until_synced()["failed"] == 0:
                break
            if time.monotonic() > deadline:
                raise Broken(f"never in step again: {self._watch.events[-20:]}")
            time.sleep(1.0)
        return self._measure()

    def finish(self) -> None:
        """End the watch and judge what is left.

        Raises:
            Broken: Something is not as it must be.
        """
        processes = family(self._watch.process.pid)
        self._watch.send({"type": "shutdown"})
        if code := self._watch.wait():
            raise Broken(f"watch ended with exit code {code}: {self._watch.errors()[-2000:]}")
        _await_end(processes)
        verify(self._root)
        found = {path.name for path in self._root.glob("workspaces/*/0/*")}
        if left := found - KNOWN_FILES:
            raise Broken(f"left behind: {sorted(left)}")

    def _gentle(self) -> list[tuple[float, Deed]]:
        app = self._app
        return [(30, app.edit), (5, app.tear), (4, app.replace), (3, app.go_back), (3, app.spoil)]

    def _rough(self) -> list[tuple[float, Deed]]:
        app = self._app
        deeds: list[tuple[float, Deed]] = [
            *((2, app.collapse), (2, app.add), (1, app.remove), (1, app.move)),
            *((5, self._meddler.meddle), (2, self._kill_worker), (1, self._crash_worker)),
            *((1, self._freeze_worker), (3, self._ask), (1, self._freeze_all)),
            *((2, self._starve_worker), (2, self._stranger.sync), (3, app.delete_and_create)),
            *((0.2, self._full_stdout), (0.2, self._unread_stderr)),
            *((1, app.exchange), (0.5, self._stranger.sync_copy)),
        ]
        return [*deeds, (1, self._fill_disk)] if self._disk else deeds

    def _start(self) -> Watch:
        watch = Watch(self._root, *OPTIONS, environment=CHECKED)
        watch.until("ready", SETTLE_SECONDS)
        return watch

    def _kill_worker(self) -> None:
        self._killer.kill_worker(self._watch.process.pid)

    def _crash_worker(self) -> None:
        self._killer.crash_worker(self._watch.process.pid)

    def _freeze_worker(self) -> None:
        self._killer.freeze_worker(self._watch.process.pid)

    def _freeze_all(self) -> None:
        self._killer.freeze_all(self._watch.process.pid)

    def _starve_worker(self) -> None:
        self._killer.starve_worker(self._watch.process.pid)

    def _full_stdout(self) -> None:
        """A second ``watch`` loses its stdout: a failure, and no silence.

        Raises:
            Broken: It says that all is well.
        """
        if sys.platform == "linux" and (code := full_stdout(Path(self._apart.name) / "empty")) != 1:
            raise Broken(f"a full stdout ended with exit code {code}")

    def _unread_stderr(self) -> None:
        """A second ``watch`` whose stderr nobody reads hears the end of its stdin.

        Raises:
            Broken: It does not end well.
        """
        if code := unread_stderr(Path(self._apart.name) / "empty"):
            raise Broken(f"an unread stderr ended with exit code {code}")

    def _kill_supervisor(self) -> None:
        """SIGKILL it; nothing of it may stay, and the next one goes on."""
        processes = family(self._watch.process.pid)
        self._watch.process.kill()
        self._watch.process.wait()
        _await_end(processes)
        self._watch.__exit__(None, None, None)
        self._watch = self._start()

    def _fill_disk(self) -> None:
        if self._disk:
            self._disk.fill()
            self._app.edit()
            self._listen(1.0)
            self._disk.free()

    def _ask(self) -> None:
        kind = self._random.choice(("sync", "status", "ping"))
        self._watch.send({"type": kind, "force": self._random.random() < 0.5})  # noqa: PLR2004

    def _listen(self, seconds: float) -> None:
        """Read what it says for so long.

        Raises:
            Broken: It died, or says something that must not be.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                self._judge(self._watch.receive(max(0.0, end - time.monotonic())))
            except ChildError as error:
                if self._watch.process.poll() is not None:
                    raise Broken(f"watch died: {error}") from error
                return

    def _until_synced(self) -> Message:
        while True:
            event = self._watch.receive(SETTLE_SECONDS)
            self._judge(event)
            if event["type"] == "synced" and event.get("id") == "settle":
                return event

    def _judge(self, event: Message) -> None:
        self._watch.events = self._watch.events[-100:]
        code = event.get("code")
        self.events[f"{event['type']} {code}" if code else event["type"]] += 1
        if code and code not in EXPECTED_CODES:
            errors = self._watch.errors()[-3000:]
            raise Broken(f"an event that must not be: {event}\n{errors}")

    def _measure(self) -> Usage:
        """Measure once it is at rest: one worker, and that one idle."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while len(processes := family(self._watch.process.pid)) > AT_REST:
            if time.monotonic() > deadline:
                raise Broken(f"does not come to rest: {processes}")
            time.sleep(0.1)
        return Usage(
            memory_mb=sum(process.memory_full_info().uss for process in processes) / 2**20,
            descriptors=sum(process.num_fds() for process in processes),
            threads=sum(process.num_threads() for process in processes),
            processes=len(processes),
        )


def verify(root: Path) -> None:
    """Have ``verify`` compare every mirror with its document.

    Raises:
        Broken: One is not equal.
    """
    command = [*program(), "verify", "--json", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode or not json.loads(done.stdout)["documents"]:
        raise Broken(f"verify: {done.stdout[:2000]}{done.stderr[:2000]}")


def _await_end(processes: list[psutil.Process]) -> None:
    """Wait for the end of processes that have no reason to go on.

    One that was stopped while it started, before it asked the system to end with its parent, can
    only end when it goes on.

    Raises:
        Broken: One outlives the others.
    """
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.resume()
    _, alive = psutil.wait_procs(processes, timeout=SETTLE_SECONDS)
    if alive:
        raise Broken(f"outlived the supervisor: {alive}")


def judge_growth(before: Usage, after: Usage) -> None:
    """Compare two measurements at rest.

    Raises:
        Broken: Something grew.
    """
    print(f"at rest, before: {before}\nat rest, after:  {after}")
    if after.memory_mb > before.memory_mb + GROWTH_MB or after[1:] > before[1:]:
        raise Broken("it has grown")


def soak(root: Path, disk: SmallDisk | None, options: argparse.Namespace) -> None:
    """Torment, settle, torment, settle, compare, finish.

    Raises:
        Broken: Something is not as it must be.
    """
    with closing(Soak(root, disk, Random(options.seed))) as run_:
        run_.torment(options.seconds / 3, restarts=True)
        before = run_.settle()
        run_.torment(options.seconds * 2 / 3, restarts=False)
        after = run_.settle()
        run_.finish()
        for counts in (run_.deeds, run_.events):
            print(", ".join(f"{count} {name}" for name, count in counts.most_common()))
        judge_growth(before, after)


def main() -> int:
    """Soak, and exit 1 when something broke."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (600)")
    parser.add_argument("--seed", type=int, default=randrange(2**32), help="repeat a run")
    options = parser.parse_args()
    print(f"--seed {options.seed}, {options.seconds:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as work:
        disk: SmallDisk | None = None
        try:
            disk = SmallDisk(Path(work), DISK_MB)
        except OSError as error:
            print(f"no full disks in this run: {error}")
        try:
            soak(Path(work), disk, options)
        except Broken as broken:
            print(f"BROKEN {broken}")
            return 1
        finally:
            if disk:
                disk.unmount()
    print("whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
