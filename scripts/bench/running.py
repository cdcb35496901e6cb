"""A running ``watch``: from the last write of a document to its published mirror.

Real Yjs holds the document and saves it as the app does. The debounce is taken off; the time is
taken when the event arrives, a moment after the mirror stands.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from scripts.bench.contenders import ENVIRONMENT, floor
from scripts.bench.documents import GROWTH, LARGE, WORK, Shape, document, place
from scripts.bench.figures import Figure, Subject, compared
from scripts.bench.measure import remove
from scripts.bench.plan import Plan
from scripts.children import Message, NodeWriter, Watch

DEBOUNCE_MS = 500
_FLOORS = 5
"""So many edits share one run of the floor on the file as it is then."""
_SECONDS = 120.0
_QUIET_S = 2 * DEBOUNCE_MS / 1000
"""Events of one edit that come later than this would be taken for the next one's."""


class Edit(msgspec.Struct, frozen=True):
    """One kind of change.

    Attributes:
        name: In figures.
        what: For people.
        edit: Number of the edit and all row keys -> edits for ``scripts/js/writer.js``.
        event: The event that ends it,
        reason: and the event's reason.
    """

    name: str
    what: str
    edit: Callable[[int, Sequence[str]], Sequence[Message]]
    event: str
    reason: str


def _one_cell(number: int, ids: Sequence[str]) -> Sequence[Message]:
    row = ids[number * 7919 % len(ids)]
    return [{"set": ["items", row, {"title": f"edited {number}"}]}]


def _thousand_rows(number: int, ids: Sequence[str]) -> Sequence[Message]:
    start = number * 7919 % len(ids)
    chosen = [ids[(start + offset) % len(ids)] for offset in range(1000)]
    return [{"batch": [{"set": ["items", row, {"count": -1 - number}]} for row in chosen]}]


def _kv(number: int, _ids: Sequence[str]) -> Sequence[Message]:
    return [{"kv": ["theme", f"dark {number}"]}]


def _nothing(_number: int, _ids: Sequence[str]) -> Sequence[Message]:
    return ()


EDITS = (
    Edit("one_cell", "one edited cell", _one_cell, "rebuilt", "changed"),
    Edit("thousand_rows", "1,000 edited rows", _thousand_rows, "rebuilt", "changed"),
    Edit("kv", "a kv edit, no table changed", _kv, "unchanged", "content"),
    Edit("equal", "a rewrite with equal bytes", _nothing, "unchanged", "bytes"),
)


def measure_running(plan: Plan) -> list[Figure]:
    """Measure each kind of edit in a document of 100,000 rows, and one cell in a small one."""
    figures = _document(plan, GROWTH[0], EDITS[:1], "_1k")
    if not plan.quick:
        figures += _document(plan, LARGE, EDITS, "")
    return figures


def _document(plan: Plan, shape: Shape, kinds: Sequence[Edit], suffix: str) -> list[Figure]:
    root = WORK / "running" / shape.name
    path = place(document(shape), root)
    remove(path.with_name("tables.sqlite"))
    options = ["--debounce-ms", str(DEBOUNCE_MS), "--max-load", "64", "--stdin", "on"]
    with (
        Watch(root, *options, environment=ENVIRONMENT) as watch,
        NodeWriter(path) as writer,
    ):
        watch.until("ready", _SECONDS)
        ids = _ids(path.with_name("tables.sqlite"))
        figures: list[Figure] = []
        for kind in kinds:
            plan.say(f"watch: {kind.what} in {shape.what}, {plan.edits} times")
            waits, floors = [], []
            for number in range(plan.edits):
                plan.wait()
                if number % _FLOORS == 0:
                    floors.append(_floor_s(path))
                waits.append(_latency_s(watch, writer, kind, kind.edit(number, ids)))
            beside = [floors[number // _FLOORS] for number in range(plan.edits)]
            subject = Subject(f"watch/{kind.name}{suffix}", f"{kind.what} in {shape.what}")
            figures.append(compared(subject, waits, beside, "floor"))
        return figures


def _latency_s(watch: Watch, writer: NodeWriter, kind: Edit, edits: Sequence[Message]) -> float:
    """Make edits, save once, and return the seconds until the event, less the debounce."""
    watch.quiet(_QUIET_S)
    writer.edit(*edits, saves="once")
    written = time.monotonic()
    watch.until(kind.event, _SECONDS, reason=kind.reason)
    return time.monotonic() - written - DEBOUNCE_MS / 1000


def _floor_s(path: Path) -> float:
    return float(floor(path).run().output.split()[0])


def _ids(mirror: Path) -> list[str]:
    with closing(sqlite3.connect(mirror)) as database:
        return [row_id for (row_id,) in database.execute("SELECT id FROM items ORDER BY id")]
