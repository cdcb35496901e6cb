"""The documents that are measured: made once by real Yjs, kept in ``build/bench``."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import msgspec

from scripts import nodejs

BENCH = Path(__file__).resolve().parent
WORK = nodejs.PROJECT / "build" / "bench"
MAKE_SECONDS = 900
HEAP = "--max-old-space-size=16384"
"""Node's own limit is too low for a million rows."""


class Shape(msgspec.Struct, frozen=True):
    """One document of the bench.

    Attributes:
        name: Its name in figures and files.
        what: For people.
        kind: The function in ``documents.js``.
        number: Its argument: rows, or tables.
        rows: Rows of all tables, which every mirror of it must hold.
    """

    name: str
    what: str
    kind: str
    number: int
    rows: int


def _rows(name: str, number: int) -> Shape:
    return Shape(f"rows_{name}", f"{number:,} rows x 8 fields", "rows", number, number)


GROWTH = (_rows("1k", 1000), _rows("10k", 10_000), _rows("100k", 100_000), _rows("1m", 1_000_000))
LARGE = GROWTH[2]
OTHERS = (
    Shape("edited_10k", "10,000 rows, each edited 5 times", "edited", 10_000, 10_000),
    Shape("tables_500", "500 tables of 20 rows", "tables", 500, 10_000),
    Shape("wide_1k", "1,000 rows of 500 fields", "wide", 1000, 1000),
    Shape("texts_2k", "2,000 pages of edited text", "texts", 2000, 2000),
    Shape("json_20k", "20,000 rows of tags and JSON", "json", 20_000, 20_000),
)
SMALL = _rows("20", 20)
SMALL_CHANGED = _rows("21", 21)


def document(shape: Shape) -> Path:
    """Return the document of a shape, making it if it is not there yet."""
    recipe = hashlib.sha256((BENCH / "documents.js").read_bytes()).hexdigest()[:12]
    path = WORK / "documents" / f"{shape.name}.{recipe}.yjs"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        command = [*node(), str(BENCH / "documents.js"), shape.kind, str(unfinished)]
        subprocess.run([*command, str(shape.number)], check=True, timeout=MAKE_SECONDS)
        unfinished.rename(path)
    return path


def node() -> list[str]:
    """Return the command that runs a script of this folder, its packages installed.

    Raises:
        NodeUnavailableError: There is no Node here, or its packages cannot be installed.
    """
    if not (BENCH / "node_modules" / "better-sqlite3").is_dir():
        nodejs.install(BENCH)
    found = nodejs.find_node()
    if found is None:
        raise nodejs.NodeUnavailableError(nodejs.missing())
    return [str(found), HEAP]


def place(source: Path, root: Path, workspace: str = "w1") -> Path:
    """Put a document into an app data folder and return its path.

    It is not read into this process: a child's peak memory begins with its parent's.
    """
    folder = root / "workspaces" / workspace / "0"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, folder / "workspace.yjs"))
