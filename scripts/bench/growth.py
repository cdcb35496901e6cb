"""Cost over N and 2N for shapes that once cost the square: none may grow faster than 2.3x.

    python -m scripts.bench.growth
    python -m scripts.bench.growth --size 4000 --tries 5 --shape tables

CPU of a first `sync` of a document by real Yjs, and of its `verify`, the least of some tries.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sidecar.model import Options, Rebuilt, Source
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.node import run_script

MOST = 2.3
"""What twice as much may cost."""

Cost = tuple[float, float]
"""Seconds of CPU of a sync and of a verify."""


def growth(shape: str, size: int, tries: int) -> tuple[Cost, Cost]:
    """Measure a shape at a size and at twice that size."""
    fts = ("*",) if shape.endswith("--fts") else None
    with tempfile.TemporaryDirectory() as folder:
        paths = [_document(shape, times * size, Path(folder)) for times in (1, 2)]
        pairs = [[_costs(path, fts) for path in paths] for _ in range(tries)]
    once, twice = (
        (min(pair[which][0] for pair in pairs), min(pair[which][1] for pair in pairs))
        for which in (0, 1)
    )
    return once, twice


def main() -> int:
    """Print a table of all shapes; exit 1 where one grows faster than it may."""
    options = _options()
    print("| shape | sync N | 2N | grows | verify N | 2N | grows |\n|---|--:|--:|--:|--:|--:|--:|")
    worst = 0.0
    for shape in options.shape or run_script("growth.js", "list"):
        once, twice = growth(shape, options.size, options.tries)
        told = "".join([_told(*pair) for pair in zip(once, twice, strict=True)])
        worst = max(worst, *(two / one for one, two in zip(once, twice, strict=True)))
        print(f"| {shape} |{told}", flush=True)
    return 1 if worst > MOST else 0


def _told(once: float, twice: float) -> str:
    return f" {once * 1000:.0f} ms | {twice * 1000:.0f} ms | {twice / once:.1f}x |"


def _document(shape: str, size: int, folder: Path) -> Path:
    place = folder / str(size)
    place.mkdir()
    run_script("growth.js", shape, str(size), str(place / "workspace.yjs"))
    return place / "workspace.yjs"


def _costs(document: Path, fts: tuple[str, ...] | None) -> Cost:
    mirror = document.with_name("tables.sqlite")
    mirror.unlink(missing_ok=True)
    source = Source(str(document), str(mirror), None, None)
    options = Options(state_folder=str(document.with_name("state")), fts=fts)
    before = time.process_time()
    outcome = sync(source, options, rested=True)
    between = time.process_time()
    found = verify(source, options)
    after = time.process_time()
    if not isinstance(outcome, Rebuilt) or found.result != "equal":
        message = f"{document.stem}: {outcome}, {found.result} {found.differences[:3]}"
        raise RuntimeError(message)
    return between - before, after - between


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2000, help="about a tenth of the parts (2000)")
    parser.add_argument("--tries", type=int, default=3, help="of which the fastest counts (3)")
    parser.add_argument("--shape", action="append", help="one of them only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
