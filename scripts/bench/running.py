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
from scripts.bench.figures import Figure, compared
from scripts.bench.measure import remove, wait_for_quiet
from scripts.children import Message, NodeWriter, Watch

DEBOUNCE_MS = 200
_FLOORS = 5
"""So many edits share one run of the floor on the file as it is then."""
_SECONDS = 120.0


class Edit(msgspec.Struct, frozen=True):
    """One kind of change.

    Attributes:
        name: In figures.
        what: For people.
        change: Number of the edit -> edit for ``scripts/js/writer.js``; None saves again.
        event: The event that ends it.
    """

    name: str
    what: str
    change: Callable[[int, Sequence[str]], Message] | None
    event: str


def _one_cell(number: int, ids: Sequence[str]) -> Message:
    row = ids[number * 7919 % len(ids)]
    return {"set": ["items", row, {"title": f"edited {number}"}]}


def _thousand_rows(number: int, ids: Sequence[str]) -> Message:
    start = number * 7919 % len(ids)
    chosen = [ids[(start + offset) % len(ids)] for offset in range(1000)]
    return {"batch": [{"set": ["items", row, {"count": number}]} for row in chosen]}


def _kv(number: int, _ids: Sequence[str]) -> Message:
    return {"kv": ["theme", f"dark {number}"]}


EDITS = (
    Edit("one_cell", "one edited cell", _one_cell, "rebuilt"),
    Edit("thousand_rows", "1,000 edited rows", _thousand_rows, "rebuilt"),
    Edit("kv", "a kv edit, no table changed", _kv, "unchanged"),
    Edit("equal", "a rewrite with equal bytes", None, "unchanged"),
)


def measure_running(
    *, edits: int, patience_s: float, quick: bool, say: Callable[[str], None]
) -> list[Figure]:
    """Measure each kind of edit in a document of 100,000 rows, and one cell in a small one.

    Args:
        edits: How many of each kind.
        patience_s: How long to wait for a quiet machine before each edit.
        quick: Only the small document.
        say: Gets a line of progress.
    """
    figures = _document(GROWTH[0], EDITS[:1], "_1k", edits, patience_s, say)
    if not quick:
        figures += _document(LARGE, EDITS, "", edits, patience_s, say)
    return figures


def _document(
    shape: Shape,
    kinds: Sequence[Edit],
    suffix: str,
    edits: int,
    patience_s: float,
    say: Callable[[str], None],
) -> list[Figure]:
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
            say(f"watch: {kind.what} in {shape.what}, {edits} times")
            waits, floors = [], []
            for number in range(edits):
                wait_for_quiet(patience_s)
                if number % _FLOORS == 0:
                    floors.append(_floor_s(path))
                waits.append(_latency_s(watch, writer, kind, number, ids))
            beside = [floors[number // _FLOORS] for number in range(edits)]
            name, what = f"watch/{kind.name}{suffix}", f"{kind.what} in {shape.what}"
            figures.append(compared(name, what, "s", waits, beside, "floor"))
        return figures


def _latency_s(
    watch: Watch, writer: NodeWriter, kind: Edit, number: int, ids: Sequence[str]
) -> float:
    """Make one edit, save it, and return the seconds until its event, less the debounce."""
    if kind.change is None:
        writer.save()
    else:
        writer.edit(kind.change(number, ids), saves="once")
    written = time.monotonic()
    watch.until(kind.event, _SECONDS)
    return time.monotonic() - written - DEBOUNCE_MS / 1000


def _floor_s(path: Path) -> float:
    return float(floor(path).run().output.split()[0])


def _ids(mirror: Path) -> list[str]:
    with closing(sqlite3.connect(mirror)) as database:
        return [row_id for (row_id,) in database.execute("SELECT id FROM items ORDER BY id")]
