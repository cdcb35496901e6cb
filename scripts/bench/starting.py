"""The start of ``watch``: from spawn to ``ready``, beside the start of a bare interpreter."""

import sys
import time
from pathlib import Path

from scripts.bench.contenders import ENVIRONMENT, Contender
from scripts.bench.documents import SMALL, SMALL_CHANGED, WORK, document, place
from scripts.bench.figures import Figure, Subject, alone, compared
from scripts.bench.measure import cpu_s, run, tree
from scripts.bench.plan import Plan
from scripts.children import Watch, program

_READY_SECONDS = 120.0
_BARE = [sys.executable, "-I", "-c", "pass"]


def measure_starts(plan: Plan) -> list[Figure]:
    """Measure starts with nothing to do, with documents in step, and with stale ones."""
    in_step, stale = (100, 10) if plan.quick else (1000, 100)
    plan.say(f"start: nothing, {in_step} in step, {stale} stale, {plan.rounds} rounds")
    empty = WORK / "starts" / "empty"
    (empty / "workspaces").mkdir(parents=True, exist_ok=True)
    many, few = _crowd(in_step, "in_step"), _crowd(stale, "stale")
    return [
        *_starts(plan, Subject("empty", "an empty root"), empty),
        *_starts(plan, Subject(f"in_step_{in_step}", f"{in_step:,} in step"), many),
        *_starts(plan, Subject(f"stale_{stale}", f"{stale} stale"), few, stale),
        _query(plan),
    ]


def _query(plan: Plan) -> Figure:
    """Measure `query` over one mirror beside a bare interpreter: 10 ms more than a shell takes."""
    root = WORK / "starts" / "query"
    place(document(SMALL), root)
    run(Contender.ours(root, root).command, ENVIRONMENT)
    command = [*program(), "query", str(root), "SELECT count(*) FROM items"]
    walls, bare = [], []
    for _ in range(plan.rounds):
        plan.wait()
        bare.append(run(_BARE).wall_s)
        walls.append(run(command, ENVIRONMENT).wall_s)
    return compared(
        Subject("start/query", "query over one mirror, spawn to exit"), walls, bare, "python"
    )


def _crowd(number: int, name: str) -> Path:
    """Make so many small documents, each with its mirror."""
    root = WORK / "starts" / f"{name}_{number}"
    for index in range(number):
        place(document(SMALL), root, f"w{index}")
    run(Contender.ours(root, root).command, ENVIRONMENT)
    return root


def _starts(plan: Plan, subject: Subject, root: Path, stale: int = 0) -> list[Figure]:
    walls, cpus, bare = [], [], []
    for turn in range(plan.rounds):
        for index in range(stale):
            place(document((SMALL_CHANGED, SMALL)[turn % 2]), root, f"w{index}")
        plan.wait()
        bare.append(run(_BARE).wall_s)
        wall_s, used_s = _start(root, stale)
        walls.append(wall_s)
        cpus.append(used_s)
    name = f"start/{subject.name}"
    return [
        compared(Subject(name, f"spawn to ready, {subject.what}"), walls, bare, "python"),
        alone(Subject(f"{name}/cpu", f"CPU until ready, {subject.what}"), cpus),
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
