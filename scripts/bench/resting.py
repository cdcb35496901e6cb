"""A ``watch`` at rest after a large document has come and gone, and under steady edits."""

import os
import shutil
import statistics
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Self

from scripts.bench.contenders import ENVIRONMENT
from scripts.bench.documents import GROWTH, LARGE, WORK, Shape, document, place
from scripts.bench.figures import Figure, Subject, alone
from scripts.bench.measure import cpu_s, memory_mb, tree, wake_ups
from scripts.bench.plan import Plan
from scripts.children import ChildError, Message, Watch

_SECONDS = 120.0
_SETTLE_S = 3.0
_REST_S = 10.0
_REWRITE_S = 0.1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def measure_rest(plan: Plan) -> list[Figure]:
    """Measure CPU ticks, wake-ups and memory once a large document has come and gone."""
    shape = GROWTH[0] if plan.quick else LARGE
    plan.say(f"rest: {_REST_S:.0f} s after {shape.what} came and went")
    root = WORK / "rest"
    shutil.rmtree(root, ignore_errors=True)
    (root / "workspaces").mkdir(parents=True)
    with Watch(root, "--stdin", "on", environment=ENVIRONMENT) as watch:
        watch.until("ready", _SECONDS)
        base_mb = memory_mb(tree(watch.process.pid))
        place(document(shape), root)
        watch.until("rebuilt", _SECONDS)
        shutil.rmtree(root / "workspaces" / "w1")
        watch.until("gone", _SECONDS)
        time.sleep(_SETTLE_S)
        processes = tree(watch.process.pid)
        busy_s, woken = cpu_s(processes), wake_ups(processes)
        time.sleep(_REST_S)
        ticks = round((cpu_s(processes) - busy_s) * _TICKS_PER_S)
        woken = wake_ups(processes) - woken
        after_mb = memory_mb(tree(watch.process.pid))
    return [
        _one("rest/cpu_ticks", "CPU ticks of all processes in 10 s of rest", ticks),
        _one("rest/wake_ups", "wake-ups of all threads in 10 s of rest", woken),
        _one("rest/memory_before", "memory of all processes when ready", base_mb, "MB"),
        _one("rest/memory", f"memory after {shape.what} came and went", after_mb, "MB"),
    ]


def measure_load(plan: Plan) -> list[Figure]:
    """Measure the share of a core that steady rewrites of a large document cost.

    Returns:
        The share, and how old the mirror's content grows.
    """
    shape, seconds = (GROWTH[0], 10.0) if plan.quick else (LARGE, 90.0)
    plan.say(f"load: {shape.what} rewritten every {_REWRITE_S * 1000:.0f} ms for {seconds:.0f} s")
    root = WORK / "load"
    shutil.rmtree(root, ignore_errors=True)
    path = place(document(shape), root)
    with (
        Watch(root, "--stdin", "on", environment=ENVIRONMENT) as watch,
        _Rewriter(path, shape) as rewriter,
    ):
        watch.until("ready", _SECONDS)
        rewriter.start()
        watch.until("rebuilt", _SECONDS)  # the first one, so that the share is a steady one
        begun, busy_s = time.monotonic(), cpu_s(tree(watch.process.pid))
        events = _rebuilt_within(watch, seconds)
        share = (cpu_s(tree(watch.process.pid)) - busy_s) / (time.monotonic() - begun)
    ages = [now - then + event["ms"] / 1000 for (then, _), (now, event) in pairwise(events)]
    what = f"{shape.what} rewritten every 100 ms"
    figures = [_one("load/share", f"{what}: cores", share)]
    if ages:
        age = f"{what}: age of the mirror just before it is replaced"
        figures.append(_one("load/age", age, statistics.median(ages), "s"))
        figures.append(_one("load/oldest", f"{age}, the most", max(ages), "s"))
    return figures


def _one(name: str, what: str, value: float, unit: str = "") -> Figure:
    return alone(Subject(name, what, unit), [value])


def _rebuilt_within(watch: Watch, seconds: float) -> list[tuple[float, Message]]:
    deadline = time.monotonic() + seconds
    events: list[tuple[float, Message]] = []
    while (left := deadline - time.monotonic()) > 0:
        try:
            event = watch.until("rebuilt", left)
        except ChildError:
            if watch.process.poll() is not None:
                raise
            break
        events.append((time.monotonic(), event))
    return events


class _Rewriter:
    """A thread that saves two versions of a document in turns, in place as the app does."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self._path = path
        content = document(shape).read_bytes()
        # One character of the first row's text: another version of the same size.
        self._versions = (content, content.replace(b"Item 0 ", b"Item O ", 1))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._rewrite)

    def start(self) -> None:
        self._thread.start()

    def _rewrite(self) -> None:
        turn = 0
        while not self._stop.wait(_REWRITE_S):
            turn += 1
            self._path.write_bytes(self._versions[turn % 2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
