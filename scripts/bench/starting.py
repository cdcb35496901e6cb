"""The start of ``watch``: from spawn to ``ready``, beside the start of a bare interpreter."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.bench.contenders import ENVIRONMENT, Contender
from scripts.bench.documents import SMALL, SMALL_CHANGED, WORK, document, place
from scripts.bench.figures import Figure, alone, compared
from scripts.bench.measure import cpu_s, run, tree, wait_for_quiet
from scripts.children import Watch

_READY_SECONDS = 120.0
_BARE = [sys.executable, "-I", "-c", "pass"]


def measure_starts(
    *, rounds: int, patience_s: float, quick: bool, say: Callable[[str], None]
) -> list[Figure]:
    """Measure starts with nothing to do, with documents in step, and with stale ones.

    Args:
        rounds: How many starts of each kind.
        patience_s: How long to wait for a quiet machine before each start.
        quick: A tenth of the documents.
        say: Gets a line of progress.
    """
    in_step, stale = (100, 10) if quick else (1000, 100)
    say(f"start: nothing, {in_step} in step, {stale} stale, {rounds} rounds")
    empty = WORK / "starts" / "empty"
    (empty / "workspaces").mkdir(parents=True, exist_ok=True)
    many, few = _crowd(in_step, "in_step"), _crowd(stale, "stale")
    return [
        *_starts("empty", "an empty root", empty, rounds, patience_s),
        *_starts(f"in_step_{in_step}", f"{in_step:,} in step", many, rounds, patience_s),
        *_starts(f"stale_{stale}", f"{stale} stale", few, rounds, patience_s, stale=stale),
    ]


def _crowd(number: int, name: str) -> Path:
    """Make so many small documents, each with its mirror."""
    root = WORK / "starts" / f"{name}_{number}"
    for index in range(number):
        place(document(SMALL), root, f"w{index}")
    run(Contender.ours(root, root).command, ENVIRONMENT)
    return root


def _starts(
    name: str, what: str, root: Path, rounds: int, patience_s: float, stale: int = 0
) -> list[Figure]:
    walls, cpus, bare = [], [], []
    for turn in range(rounds):
        for index in range(stale):
            place(document((SMALL_CHANGED, SMALL)[turn % 2]), root, f"w{index}")
        wait_for_quiet(patience_s)
        bare.append(run(_BARE).wall_s)
        wall_s, used_s = _start(root, stale)
        walls.append(wall_s)
        cpus.append(used_s)
    return [
        compared(f"start/{name}", f"spawn to ready, {what}", "s", walls, bare, "python"),
        alone(f"start/{name}/cpu", f"CPU until ready, {what}", "s", cpus),
    ]


def _start(root: Path, stale: int) -> tuple[float, float]:
    spawned = time.monotonic()
    with Watch(root, "--stdin", "on", environment=ENVIRONMENT) as watch:
        ready = watch.until("ready", _READY_SECONDS)
        wall_s = time.monotonic() - spawned
        used_s = cpu_s(tree(watch.process.pid))
        if ready["failed"] or (stale and ready["rebuilt"] != stale):
            message = f"the first pass went wrong: {ready}"
            raise RuntimeError(message)
        watch.close_stdin()
        watch.wait()
    return wall_s, used_s
