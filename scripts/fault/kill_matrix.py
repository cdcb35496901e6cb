"""Kill a sync at every point there is, and look at what it leaves.

    python -m scripts.fault.kill_matrix              every named point, in every scenario
    python -m scripts.fault.kill_matrix --lines      every line of the program that runs
    python -m scripts.fault.kill_matrix --fail EIO   no kill: the call there fails with that error

After each SIGKILL a reader must find the old mirror or the new one, whole; the next sync must
bring the mirror in step and sweep; the document is never touched; and where rows were about to be
lost, a copy of them is there at every moment. After a failed call the same holds, and the sync
must have ended with a code.
"""

import argparse
import errno
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pycrdt import Doc, Map

from scripts.fault.judge import KNOWN_FILES, Content, read_content
from scripts.fault.kill_points import CALLS, Failer, Killer, arm, arm_lines
from sidecar.digests import digest_bytes
from sidecar.document import reading
from sidecar.document.warm import Warm
from sidecar.mirror.state import read_mirror
from sidecar.model import Failed, Options, Outcome, Rebuilt, Source
from sidecar.tasks.sync import sync
from sidecar.yjs.index import index

DOCUMENTS = Path(__file__).resolve().parents[2] / "tests" / "data" / "documents"
OLD, NEW, EMPTY = "history.yjs", "plain_rows.yjs", None


class Scenario(NamedTuple):
    """What stands in the folder when the sync begins.

    Attributes:
        name: In a word or two.
        old: The document whose mirror is in place, None for no mirror.
        new: The document to be synced, None for an empty one.
        force: Rebuild whatever the bytes.
        refuse_rename: The Windows road.
        interfere: What someone else does to the old mirror.
        in_place: The new mirror is written into the file that is there.
        edited: The document is the old one after an edit, and the process that is killed has kept
            that: the warm road, a patch, and both checked against a fresh decode.
    """

    name: str
    old: str | None
    new: str | None
    force: bool = False
    refuse_rename: bool = False
    interfere: Callable[[Path], None] | None = None
    in_place: bool = False
    edited: bool = False


def write_ahead(mirror: Path) -> None:
    """Put a mirror into WAL mode, with a change in the log and nobody left to bring it in."""
    with closing(sqlite3.connect(mirror)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE theirs (a)")
        connection.commit()
        kept = mirror.with_name("kept")
        shutil.copytree(mirror.parent, kept)
    for path in kept.glob("tables.sqlite*"):
        shutil.copyfile(path, mirror.with_name(path.name))
    shutil.rmtree(kept)


SCENARIOS = (
    Scenario("first build", None, NEW),
    Scenario("changed", OLD, NEW),
    Scenario("forced, in step", OLD, OLD, force=True),
    Scenario("collapse", OLD, EMPTY),
    Scenario("a -wal beside", OLD, NEW, interfere=write_ahead),
    Scenario("rename refused", OLD, NEW, refuse_rename=True),
    Scenario("collapse, refused", OLD, EMPTY, refuse_rename=True),
    Scenario("in place", OLD, NEW, in_place=True),
    Scenario("in place, growing", NEW, OLD, in_place=True),
    Scenario("in place, collapse", OLD, EMPTY, in_place=True),
    Scenario("in place, a first one", None, NEW, in_place=True),
    Scenario("in place, a -wal beside", OLD, NEW, interfere=write_ahead, in_place=True),
    Scenario("warm, patched", OLD, OLD, edited=True),
    Scenario("warm, patched in place", OLD, OLD, in_place=True, edited=True),
)


class How(NamedTuple):
    """What happens at a point.

    Attributes:
        lines: The points are the lines of the program, not the named ones.
        fail: The ``errno`` with which calls fail, None for SIGKILL.
    """

    lines: bool = False
    fail: int | None = None


NAMED = How()


class Finding(Exception):  # noqa: N818 - what is looked for, no error
    """The invariant does not hold; the text says how."""


class Matrix:
    """Kills one scenario at each of its points, in a folder of its own."""

    def __init__(self, scenario: Scenario, work: Path, how: How) -> None:
        """Prepare the scenario once."""
        self._scenario = scenario
        self._how = how
        self._start, self._folder = work / "start", work / "folder"
        self._state = work / "state"
        self._start.mkdir()
        self._old = self._prepare()
        self._new = self._after()

    def points(self) -> list[str]:
        """Run to the end once and return the labels of all points."""
        self._lay_out()
        read, write = os.pipe()
        if os.fork() == 0:
            os.close(read)
            killer, _ = self._sync(None)
            with os.fdopen(write, "w") as pipe:
                json.dump(killer.seen, pipe)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            labels: list[str] = json.load(pipe)
        os.wait()
        return labels

    def kill(self, at: int) -> str:
        """Kill at one point, look, let the next sync repair, and look again.

        Returns:
            ``old`` or ``new``: the mirror that a reader found after the kill.

        Raises:
            Finding: Something else was found.
        """
        self._lay_out()
        child = os.fork()
        if child == 0:
            self._be_victim(at)
        _, status = os.waitpid(child, 0)
        expected = -signal.SIGKILL if self._how.fail is None else 0
        if (code := os.waitstatus_to_exitcode(status)) != expected:
            raise Finding(f"ended with {code}")
        found = self._look()
        self._repair()
        return found

    def _prepare(self) -> Content | None:
        """Lay out the scenario's start; return what the old mirror holds."""
        scenario, mirror = self._scenario, self._start / "tables.sqlite"
        old: Content | None = None
        if scenario.old:
            shutil.copyfile(DOCUMENTS / scenario.old, self._start / "workspace.yjs")
            _sync_there(self._start, self._state, in_place=scenario.in_place)
            old = read_content(mirror)
            if scenario.interfere:
                scenario.interfere(mirror)
        document = (DOCUMENTS / scenario.new).read_bytes() if scenario.new else b"\0\0"
        if scenario.edited:
            document = _edited(document)
        (self._start / "workspace.yjs").write_bytes(document)
        return old

    def _after(self) -> Content:
        """Return what the mirror must hold in the end."""
        self._lay_out()
        _sync_there(self._folder, self._state, in_place=self._scenario.in_place)
        return read_content(self._folder / "tables.sqlite")

    def _lay_out(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._start, self._folder)

    def _be_victim(self, at: int) -> NoReturn:
        """Be the child: exit code 0 when the sync ends with an outcome that fits the mirror."""
        try:
            _, outcome = self._sync(at)
            os._exit(0 if isinstance(outcome, (Failed, Rebuilt)) else 3)
        except BaseException:  # noqa: BLE001 - reported, and the process ends here
            traceback.print_exc()
        finally:
            os._exit(2)

    def _sync(self, at: int | None) -> tuple[Killer, Outcome]:
        fail = self._how.fail
        killer = Killer(at) if fail is None else Failer(at, fail)
        warm = self._kept() if self._scenario.edited else None
        if self._how.lines:
            arm_lines(killer)
        else:
            arm(killer, refuse_rename=self._scenario.refuse_rename)
        source, options = _place(self._folder, self._state, in_place=self._scenario.in_place)
        outcome = sync(source, options, force=self._scenario.force, rested=True, warm=warm)
        sys.settrace(None)
        if at is None and warm is not None and not warm.is_road:
            raise Finding(f"not warm: {warm.road}")
        if at is None and warm is not None and read_mirror(source.mirror).patches != 1:
            raise Finding("not patched")
        return killer, outcome

    def _kept(self) -> Warm:
        """Keep the old document, as a watch does that has just synced it."""
        warm, data = Warm(check=True), (DOCUMENTS / (self._scenario.old or "")).read_bytes()
        content = reading.Content(data, len(data), digest_bytes(data), 0o600)
        place, _ = _place(self._folder, self._state, in_place=self._scenario.in_place)
        with warm.decoded(content, accept_trailing=True, tables=("auto",), path=place.document):
            pass
        warm.in_step(content.digest)
        return warm

    def _look(self) -> str:
        """Open what is there as any reader would, on a copy, so that looking changes nothing."""
        if self._document() != (self._start / "workspace.yjs").read_bytes():
            raise Finding("touched the document")
        mirror = self._copy_of_mirror()
        if mirror is None:
            if self._old is None:
                return "old"
            raise Finding("took the mirror away")
        with closing(sqlite3.connect(mirror)) as connection:
            if (checked := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                raise Finding(f"left a damaged mirror: {checked}")
        content = _read(mirror)
        if content not in (self._old, self._new):
            raise Finding("left a mirror that is neither the old nor the new one")
        self._look_for_copy(content)
        return "new" if content == self._new else "old"

    def _look_for_copy(self, content: Content) -> None:
        """Where all rows are lost on purpose, they must be in one of the two files."""
        if self._scenario.new is not EMPTY or content == self._old:
            return
        kept = self._folder / "tables.last-good.sqlite"
        if not kept.exists() or _read(kept) != self._old:
            raise Finding("lost the last copy of the rows")

    def _copy_of_mirror(self) -> Path | None:
        copies = self._folder.with_name("copy")
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir()
        for path in self._folder.glob("tables.sqlite*"):
            if not path.name.endswith(".tmp"):
                shutil.copyfile(path, copies / path.name)
        mirror = copies / "tables.sqlite"
        return mirror if mirror.exists() else None

    def _repair(self) -> None:
        _sync_there(self._folder, self._state, in_place=self._scenario.in_place)
        if _read(self._folder / "tables.sqlite") != self._new:
            raise Finding("the next sync did not repair the mirror")
        if left := {path.name for path in self._folder.iterdir()} - KNOWN_FILES:
            raise Finding(f"the next sync left {sorted(left)} behind")
        if locks := list((self._state / "locks").iterdir()):
            raise Finding(f"the next sync left its lock behind: {locks}")
        if self._document() != (self._start / "workspace.yjs").read_bytes():
            raise Finding("the next sync touched the document")

    def _document(self) -> bytes:
        return reading.read_stable(str(self._folder / "workspace.yjs"), 1 << 20).data


def _read(mirror: Path) -> Content:
    try:
        return read_content(mirror)
    except sqlite3.Error as error:
        raise Finding(f"{mirror.name} cannot be read: {error}") from error


def _place(folder: Path, state: Path, *, in_place: bool) -> tuple[Source, Options]:
    source = Source(str(folder / "workspace.yjs"), str(folder / "tables.sqlite"), None, None)
    return source, Options(state_folder=str(state), in_place=in_place or None)


def _edited(update: bytes) -> bytes:
    """Edit a document as an app does that was started anew: a cell, a row more, a row less.

    What was there before stands in the file byte for byte, as Yjs writes it; the decoder would
    write objects in another order.
    """
    doc: Doc[Any] = Doc(client_id=_SESSION, skip_gc=True)
    doc.apply_update(update)
    since = doc.get_state()
    table: Any = next(iter(doc.get("tables", type=Map).values()))
    first, second, *_ = sorted(table.keys())
    table[first]["title"] = "edited"
    table["a row more"] = Map({"id": "a row more", "title": "new"})
    del table[second]
    news = doc.get_update(since)
    deletes_at = index(news).deletes_at
    sections = news[1:deletes_at] + update[1 : index(update).deletes_at]
    return bytes([update[0] + 1]) + sections + news[deletes_at:]


_SESSION = 4_294_967_290


def _sync_there(folder: Path, state: Path, *, in_place: bool) -> None:
    """Sync in a child process, as nothing has happened to this one."""
    child = os.fork()
    if child == 0:
        _exit_with(sync(*_place(folder, state, in_place=in_place), rested=True))
    _, status = os.waitpid(child, 0)
    if status:
        raise Finding("a sync that nobody disturbed failed")


def _exit_with(outcome: object) -> NoReturn:
    if isinstance(outcome, Failed):
        print(outcome, file=sys.stderr)
    os._exit(isinstance(outcome, Failed))


def run(
    scenario: Scenario, how: How = NAMED, *, each: int | None = None
) -> Counter[tuple[str, str]]:
    """Kill one scenario at its points; count what readers found by label of the point.

    Args:
        scenario: What stands in the folder.
        how: What happens at a point.
        each: Most kills for each label, spread over its points; None for all.

    Raises:
        Finding: The invariant does not hold.
    """
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as work:
        matrix = Matrix(scenario, Path(work), how)
        for at, label in chosen(matrix.points(), each):
            if how.fail is not None and not can_fail(label):
                continue
            try:
                counts[label, matrix.kill(at)] += 1
            except Finding as finding:
                raise Finding(
                    f"{scenario.name}, killed at point {at}, {label}: {finding}"
                ) from None
    return counts


def can_fail(label: str) -> bool:
    """Tell whether a point stands before a call to the disk."""
    when, _, call = label.partition(" ")
    return when == "before" and (call in CALLS or call.startswith("SQLite"))


def chosen(labels: Sequence[str], each: int | None) -> list[tuple[int, str]]:
    """Choose the points to kill at: number and label."""
    by_label: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        by_label.setdefault(label, []).append(at)
    return [
        (at, label)
        for label, points in by_label.items()
        for at in points[:: max(1, len(points) // (each or len(points)))][: each or len(points)]
    ]


def report(scenario: Scenario, counts: Counter[tuple[str, str]], how: How) -> None:
    """Print the table of one scenario: where it was killed, and what readers found."""
    what = "kills" if how.fail is None else f"calls failed with {errno.errorcode[how.fail]}"
    print(f"\n{scenario.name}: {counts.total()} {what}, each found whole and repaired")
    if how.lines:
        return
    print(f"  {'killed':<28}{'old':>6}{'new':>6}")
    for label in dict.fromkeys(label for label, _ in counts):
        print(f"  {label:<28}{counts[label, 'old']:>6}{counts[label, 'new']:>6}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the whole matrix and print it; exit 1 when something else than old or new was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", action="store_true", help="kill at every line that runs")
    parser.add_argument("--each", type=int, metavar="N", help="at most N kills for each label")
    parser.add_argument("--scenario", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--fail", metavar="ERRNO", help="let calls fail instead, as ENOSPC")
    options = parser.parse_args(arguments)
    how = How(options.lines, getattr(errno, options.fail) if options.fail else None)
    total = 0
    for scenario in SCENARIOS:
        if options.scenario in (None, scenario.name):
            try:
                counts = run(scenario, how, each=options.each)
            except Finding as finding:
                print(f"\nBROKEN {finding}")
                return 1
            report(scenario, counts, how)
            total += counts.total()
    print(f"\n{total} in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
