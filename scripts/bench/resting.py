"""A ``watch`` at rest some time after an edit of a large document, and under steady edits."""

import os
import shutil
import statistics
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from pycrdt import Doc, Map

from scripts.bench.contenders import ENVIRONMENT
from scripts.bench.documents import GROWTH, LARGE, WORK, Shape, document, place
from scripts.bench.figures import Figure, Subject, alone
from scripts.bench.measure import cpu_s, memory_mb, tree, wake_ups
from scripts.bench.plan import Plan
from scripts.children import ChildError, Message, Watch
from sidecar.yjs.index import index

_SECONDS = 120.0
_SETTLE_S = 3.0
_REST_S = 10.0
_REWRITE_S = 0.1
_LAST_CLIENT = 4_294_967_290
_LATER_S = 40.0
"""After the last edit: what was kept warm is given back by then."""
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def measure_rest(plan: Plan) -> list[Figure]:
    """Measure CPU ticks, wake-ups and memory once a large document is kept no longer."""
    shape = GROWTH[0] if plan.quick else LARGE
    plan.say(f"rest: {_REST_S:.0f} s, {_LATER_S:.0f} s after an edit of {shape.what}")
    root = WORK / "rest"
    shutil.rmtree(root, ignore_errors=True)
    (root / "workspaces").mkdir(parents=True)
    with Watch(root, "--stdin", "on", "--rescan-s", "3600", environment=ENVIRONMENT) as watch:
        watch.until("ready", _SECONDS)
        base_mb = memory_mb(tree(watch.process.pid))
        place(document(shape), root)
        watch.until("rebuilt", _SECONDS)
        kept_mb = memory_mb(tree(watch.process.pid))
        time.sleep(_SETTLE_S if plan.quick else _LATER_S)
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
        _one("rest/memory_warm", f"memory while {shape.what} are kept", kept_mb, "MB"),
        _one(
            "rest/memory", f"memory {_LATER_S:.0f} s after an edit of {shape.what}", after_mb, "MB"
        ),
    ]


def measure_load(plan: Plan) -> list[Figure]:
    """Measure the share of a core that steady edits of a large document cost.

    Returns:
        The share, and how old the mirror's content grows.
    """
    shape, seconds = (GROWTH[0], 10.0) if plan.quick else (LARGE, 60.0)
    plan.say(f"load: {shape.what} edited every {_REWRITE_S * 1000:.0f} ms for {seconds:.0f} s")
    root = WORK / "load"
    shutil.rmtree(root, ignore_errors=True)
    path = place(document(shape), root)
    with (
        Watch(root, "--stdin", "on", environment=ENVIRONMENT) as watch,
        _Editor(path, shape) as editor,
    ):
        watch.until("ready", _SECONDS)
        editor.start()
        watch.until("rebuilt", _SECONDS)  # the first one, so that the share is a steady one
        begun, busy_s = time.monotonic(), cpu_s(tree(watch.process.pid))
        events = _rebuilt_within(watch, seconds)
        share = (cpu_s(tree(watch.process.pid)) - busy_s) / (time.monotonic() - begun)
    ages = [now - then + shown["ms"] / 1000 for (then, shown), (now, _) in pairwise(events)]
    what = f"{shape.what}, one cell edited every 100 ms"
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


class _Editor:
    """A thread that edits one cell and saves, again and again, in place as the app does.

    Encoding 30 MB takes longer than the pause between two edits, so what an app would write is put
    together: what the session has written so far, in front of what was there before it.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        self._path = path
        self._old = document(shape).read_bytes()
        self._doc: Doc[Any] = Doc(client_id=_LAST_CLIENT)
        self._doc.apply_update(self._old)
        self._since = self._doc.get_state()
        table: Any = self._doc.get("tables", type=Map)["items"]
        self._row: Any = table[next(iter(table.keys()))]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._edit)

    def start(self) -> None:
        self._thread.start()

    def _edit(self) -> None:
        number = 0
        while not self._stop.wait(_REWRITE_S):
            number += 1
            self._row["title"] = f"edited {number}"
            news = self._doc.get_update(self._since)
            deletes_at = index(news).deletes_at
            # one client more, whose id is the highest: its section comes first
            whole = (b"\2", news[1:deletes_at], self._old[1:-1], news[deletes_at:])
            self._path.write_bytes(b"".join(whole))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
