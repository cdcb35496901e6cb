"""Sessions of an app at work, by real Yjs: each save is synced by the warm road and afresh.

    python -m scripts.fault.sessions --minutes 20 --seed 7

Cells, typing, arrays, XML, imports, deletes, undo, reloads and a second device; and what is no
successor of the last save: older states, torn files, zeros, another document, a client id used
twice. With and without garbage collection, full-text indexes, and rows that are no rows. Each
mirror that was patched is compared with a build from scratch, to the last cell: exit code 1 where
they differ, with the session's seed.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from scripts import nodejs
from sidecar.document.warm import Warm, WarmRoadError
from sidecar.model import Failed, Options, Outcome, Rebuilt, Source
from sidecar.tasks.sync import sync

_SECONDS = 300
_DAMAGE = ("older", "torn", "zeros", "stale", "foreign", "twice")
_ODD = ("odd", "plain", "badEntry", "define", "table")


class Session(msgspec.Struct, frozen=True):
    """What one session is like; ``scripts/js/sessions.js`` takes the first fields.

    Attributes:
        seed: Of everything that is random in it.
        saves: How often the app saves.
        gc: Whether Yjs collects garbage.
        layout: Of its tables: maps, arrays or both.
        rows: Of each table at the beginning.
        undo: Whether the app can undo.
        weights: How often each kind of step is taken.
        fts: Whether the mirror is indexed.
    """

    seed: int
    saves: int
    gc: bool
    layout: str
    rows: int
    undo: bool
    weights: dict[str, int]
    fts: bool


def session_of(seed: int) -> Session:
    """Draw a session."""
    draw = random.Random(seed)
    weights = {kind: draw.choice((0, 2, 8)) for kind in _ODD}
    if draw.choice((True, False, False)):
        weights |= {kind: draw.choice((0, 4, 12)) for kind in _DAMAGE}
    return Session(
        seed=seed,
        saves=draw.choice((40, 120, 250)),
        gc=draw.choice((True, False)),
        layout=draw.choice(("maps", "arrays", "both")),
        rows=draw.choice((0, 3, 40, 400, 1500)),
        undo=draw.choice((True, True, False)),
        weights=weights | {"kv": 2, "import": draw.choice((0, 3, 10))},
        fts=draw.choice((True, False)),
    )


def play(session: Session, folder: Path) -> Sequence[Path]:
    """Have real Yjs play a session; return its saves in their order.

    Raises:
        NodeUnavailableError: There is no Node here.
    """
    node, reason = nodejs.find_node(), nodejs.missing()
    if node is None or reason is not None:
        raise nodejs.NodeUnavailableError(reason or "")
    options = json.dumps(msgspec.to_builtins(session))
    command = [str(node), str(nodejs.JS / "sessions.js"), str(folder), options]
    subprocess.run(command, check=True, timeout=_SECONDS)
    return sorted(folder.glob("*.yjs"))


def follow(session: Session, work: Path) -> Counter[str]:
    """Sync each save of a session; count the roads.

    Raises:
        WarmRoadError: A mirror by the warm road is not what a fresh one is.
    """
    app = work / "app" / "workspaces" / "w" / "0"
    app.mkdir(parents=True)
    document = app / "workspace.yjs"
    source = Source(str(document), str(app / "tables.sqlite"), "w", 0)
    options = Options(str(work / "state"), fts=("*",) if session.fts else ())
    warm = Warm(check=True)
    roads: Counter[str] = Counter()
    for save in play(session, work / "saves"):
        shutil.copyfile(save, document)
        roads[road_of(sync(source, options, rested=True, warm=warm), warm)] += 1
    return roads


def road_of(outcome: Outcome, warm: Warm) -> str:
    """Name the road that a sync took, without what differs from case to case."""
    if isinstance(outcome, Failed):
        return f"refused: {outcome.code}"
    if not isinstance(outcome, Rebuilt) and outcome.reason == "bytes":
        return "equal bytes"
    if warm.is_road:
        return "warm"
    known = ("the first time", "a new root", "is gone", "went back", "deleted no more")
    found = next((words for words in known if words in warm.road), "something else")
    return f"afresh: {found}"


def main(words: Sequence[str] | None = None) -> int:
    """Play sessions until the time is over; return 1 at the first difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first session")
    arguments = parser.parse_args(words)
    until, seed = time.monotonic() + 60 * arguments.minutes, arguments.seed
    roads: Counter[str] = Counter()
    while time.monotonic() < until:
        session = session_of(seed)
        with tempfile.TemporaryDirectory() as work:
            try:
                roads += follow(session, Path(work))
            except WarmRoadError as error:
                print(f"DIFFERENT in session {seed}, {session}: {error}")
                return 1
        seed += 1
    _report(roads, seed - arguments.seed)
    return 0


def _report(roads: Counter[str], sessions: int) -> None:
    total: Any = roads.total()
    print(f"{sessions} sessions, {total} saves, no difference")
    for road, count in roads.most_common():
        print(f"  {count:>7} {100 * count / total:5.1f} %  {road}")


if __name__ == "__main__":
    sys.exit(main())
