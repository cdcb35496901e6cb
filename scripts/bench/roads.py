"""A scripted hour of an app at work, by real Yjs: which road its saves take, in percent.

    python -m scripts.bench roads

Typing, cells, rows, imports, undo, settings, reloads of the app and a second device, with garbage
collection on and off. Each save is synced as a watch does that keeps the document. Saves with equal
bytes, as after an undo of nothing, take no road and are counted apart.
"""

import json
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scripts import nodejs
from scripts.bench.figures import Figure, Subject, alone
from scripts.bench.plan import Plan
from scripts.fault.sessions import road_of
from sidecar.document.warm import Warm
from sidecar.model import Options, Source
from sidecar.tasks.sync import sync

_MINUTES, _QUICK_MINUTES = 60, 6
_SECONDS = 600
_TYPING = ("append", "append", "append", "type", "backspace", "bold", "xmlText")
_TABLES = ("set", "set", "set", "retype", "extra", "unset", "push", "shift", "update")
_ROWS = ("insert", "insert", "remove", "entry", "entry", "drop")
_ROADS = (
    ("warm", "warm"),
    ("afresh: the first time", "afresh: the first save"),
    ("afresh: a new root", "afresh: a new root"),
)


def steps(minutes: int) -> Iterator[str]:
    """Give what the user does, one save each, in the words of ``scripts/js/sessions.js``."""
    draw = random.Random(1)
    for minute in range(minutes):
        scene = minute % 6
        if scene in {0, 3}:
            yield from (draw.choice(_TYPING) for _ in range(24))
        elif scene in {1, 4}:
            yield from (draw.choice(_TABLES) for _ in range(14))
            yield from ("undo", "redo", "rewrite")
        else:
            yield from (draw.choice(_ROWS) for _ in range(8))
            yield from ("import", "set", "kv")
        if minute % 10 == 9:  # noqa: PLR2004 - every ten minutes
            yield from ("merge", "set", "merge")
        if minute % 15 == 14:  # noqa: PLR2004 - every quarter of an hour
            yield "reload"


def measure_roads(plan: Plan) -> list[Figure]:
    """Count the roads of an hour, with and without garbage collection."""
    script = list(steps(_QUICK_MINUTES if plan.quick else _MINUTES))
    figures: list[Figure] = []
    for name, gc in (("kept", False), ("collected", True)):
        what = "garbage collection on" if gc else "garbage collection off"
        plan.say(f"roads: an hour of {len(script)} saves, {what}")
        roads = _follow(script, gc=gc)
        equal = roads.pop("equal bytes", 0)
        total = roads.total()
        counted = [(label, roads.pop(road, 0)) for road, label in _ROADS]
        counted.append(("afresh: anything else", roads.total()))
        for label, count in counted:
            subject = Subject(
                f"roads/{name}/{label.replace('afresh: ', '')}",
                f"{label}, of {total} saves ({equal} more with equal bytes), {what}",
                "%",
            )
            figures.append(alone(subject, [100 * count / total]))
    return figures


def _follow(script: list[str], *, gc: bool) -> Counter[str]:
    node = nodejs.find_node()
    if node is None:
        raise nodejs.NodeUnavailableError(nodejs.missing())
    options = {"seed": 1, "gc": gc, "layout": "both", "rows": 200, "script": script}
    with tempfile.TemporaryDirectory() as work:
        saves, app = Path(work, "saves"), Path(work, "app")
        command = [str(node), str(nodejs.JS / "sessions.js"), str(saves), json.dumps(options)]
        subprocess.run(command, check=True, timeout=_SECONDS)
        app.mkdir()
        document = app / "workspace.yjs"
        source = Source(str(document), str(app / "tables.sqlite"), "w", 0)
        warm, roads = Warm(), Counter[str]()
        for save in sorted(saves.glob("*.yjs")):
            shutil.copyfile(save, document)
            outcome = sync(source, Options(str(Path(work, "state"))), warm=warm)
            roads[road_of(outcome, warm)] += 1
    return roads
