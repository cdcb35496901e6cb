"""A running ``watch``: from the last write of a document to its published mirror, and its CPU.

Real Yjs holds the document and saves it as the app does. The debounce is taken off; the time is
taken when the event arrives, a moment after the mirror stands. CPU is that of all processes of the
watch over all edits of a kind.
"""

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from scripts.bench.contenders import ENVIRONMENT, floor
from scripts.bench.documents import GROWTH, LARGE, WORK, Shape, document, place
from scripts.bench.figures import Figure, Subject, compared
from scripts.bench.measure import cpu_s, remove, tree
from scripts.bench.plan import Plan
from scripts.children import Message, NodeWriter, Watch

DEBOUNCE_MS = 100
_FLOORS = 10
"""So many edits share one run of the floor on the file as it is then."""
_SECONDS = 120.0
_QUIET_S = 2 * DEBOUNCE_MS / 1000
"""Events of one edit that come later than this would be taken for the next one's."""
_PAGE = "a page"
"""Row whose body is a Y.Text."""
_FEW = 10


class Edit(msgspec.Struct, frozen=True):
    """One kind of change.

    Attributes:
        name: In figures.
        what: For people.
        edit: Number of the edit and all row keys -> edits for ``scripts/js/writer.js``.
        event: The event that ends it,
        reason: and the event's reason.
        most: How often at most: what is no warm edit takes long.
    """

    name: str
    what: str
    edit: Callable[[int, Sequence[str]], Sequence[Message]]
    event: str = "rebuilt"
    reason: str = "changed"
    most: int = 1 << 30


def _one_cell(number: int, ids: Sequence[str]) -> Sequence[Message]:
    row = ids[number * 7919 % len(ids)]
    return [{"set": ["items", row, {"title": f"edited {number}"}]}]


def _row_or_none(number: int, ids: Sequence[str]) -> Sequence[Message]:
    if number % 2:
        return [{"drop": ["items", ids[number * 7919 % len(ids)]]}]
    return [
        {"set": ["items", f"{ids[number * 6007 % len(ids)]}-new", {"title": "new", "count": 1}]}
    ]


def _letter(number: int, _ids: Sequence[str]) -> Sequence[Message]:
    return [{"text": ["items", _PAGE, "body", number % 7, "x"]}]


def _thousand_rows(number: int, ids: Sequence[str]) -> Sequence[Message]:
    step = max(1, len(ids) // 1000)
    chosen = {ids[(number * 7919 + offset * step) % len(ids)] for offset in range(1000)}
    return [{"batch": [{"set": ["items", row, {"count": -1 - number}]} for row in sorted(chosen)]}]


def _kv(number: int, _ids: Sequence[str]) -> Sequence[Message]:
    return [{"kv": ["theme", f"dark {number}"]}]


def _nothing(_number: int, _ids: Sequence[str]) -> Sequence[Message]:
    return ()


ONE_CELL = Edit("one_cell", "one edited cell", _one_cell)
EDITS = (
    ONE_CELL,
    Edit("row", "one row inserted, one deleted, in turns", _row_or_none),
    Edit("letter", "a letter typed into a Y.Text", _letter),
    Edit("thousand_rows", "1,000 edited rows, spread", _thousand_rows),
    Edit("kv", "a kv edit, no table changed", _kv, "unchanged", "content", _FEW),
    Edit("equal", "a rewrite with equal bytes", _nothing, "unchanged", "bytes", _FEW),
)


def measure_running(plan: Plan) -> list[Figure]:
    """Measure each kind of edit in a document of 100,000 rows, and one cell in smaller ones."""
    figures = _document(plan, GROWTH[0], EDITS[:1], "_1k")
    figures += _document(plan, GROWTH[1], EDITS if plan.quick else EDITS[:1], "_10k")
    if not plan.quick:
        figures += _document(plan, LARGE, EDITS, "")
    return figures


def _document(plan: Plan, shape: Shape, kinds: Sequence[Edit], suffix: str) -> list[Figure]:
    root = WORK / "running" / shape.name
    path = place(document(shape), root)
    remove(path.with_name("tables.sqlite"))
    options = [
        "--debounce-ms",
        str(DEBOUNCE_MS),
        "--max-load",
        "64",
        "--warm-s",
        "600",
        "--stdin",
        "on",
    ]
    with (
        Watch(root, *options, environment=ENVIRONMENT) as watch,
        NodeWriter(path) as writer,
    ):
        watch.until("ready", _SECONDS)
        ids = _ids(path.with_name("tables.sqlite"))
        _begin_session(watch, writer)
        figures: list[Figure] = []
        for kind in kinds:
            edits = min(plan.edits, kind.most)
            plan.say(f"watch: {kind.what} in {shape.what}, {edits} times")
            figures += _kind(plan, kind, edits, watch, writer, path, ids, shape, suffix)
        return figures


def _begin_session(watch: Watch, writer: NodeWriter) -> None:
    """Save what only the first edits of a session bring: its own section, a text, the settings."""
    page: list[Message] = [
        {"set": ["items", _PAGE, {"title": "page"}]},
        {"page": ["items", _PAGE, "body", "some words"]},
        {"kv": ["theme", "light"]},
    ]
    writer.edit(*page, saves="once")
    watch.until("rebuilt", _SECONDS)
    writer.edit({"set": ["items", _PAGE, {"title": "the page"}]}, saves="once")
    watch.until("rebuilt", _SECONDS)


def _kind(  # noqa: PLR0913, PLR0917 - what is at hand
    plan: Plan,
    kind: Edit,
    edits: int,
    watch: Watch,
    writer: NodeWriter,
    path: Path,
    ids: Sequence[str],
    shape: Shape,
    suffix: str,
) -> list[Figure]:
    waits: list[float] = []
    walls: list[float] = []
    cpus: list[float] = []
    floor_s: list[float] = []
    before = cpu_s(tree(watch.process.pid))
    for number in range(edits):
        if number % _FLOORS == 0:
            plan.wait()
            floor_s = [float(word) for word in floor(path).run().output.split()]
        walls.append(floor_s[0])
        cpus.append(floor_s[1])
        waits.append(_latency_s(watch, writer, kind, kind.edit(number, ids)))
    watch.quiet(_QUIET_S)
    each_s = (cpu_s(tree(watch.process.pid)) - before) / edits
    name, what = f"watch/{kind.name}{suffix}", f"{kind.what} in {shape.what}"
    return [
        compared(Subject(name, what), waits, walls, "floor"),
        compared(
            Subject(f"{name}/cpu", f"{what}: CPU"), [each_s], [statistics.median(cpus)], "floor"
        ),
    ]


def _latency_s(watch: Watch, writer: NodeWriter, kind: Edit, edits: Sequence[Message]) -> float:
    """Make edits, save once, and return the seconds until the event, less the debounce."""
    watch.quiet(_QUIET_S)
    writer.edit(*edits, saves="once")
    written = time.monotonic()
    watch.until(kind.event, _SECONDS, reason=kind.reason)
    return time.monotonic() - written - DEBOUNCE_MS / 1000


def _ids(mirror: Path) -> list[str]:
    with closing(sqlite3.connect(mirror)) as database:
        return [row_id for (row_id,) in database.execute("SELECT id FROM items ORDER BY id")]
