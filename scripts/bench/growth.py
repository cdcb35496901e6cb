"""Cost over N and 2N for shapes that once cost the square: none may grow faster than 2.3x.

    python -m scripts.bench.growth
    python -m scripts.bench.growth --size 4000 --tries 5

CPU of decoding a document by real Yjs and walking every cell, the least of some tries.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sidecar.digests import digest_bytes
from sidecar.document.decode import decode
from sidecar.document.reading import Content
from tests.support.node import run_script

MOST = 2.3
"""What twice as much may cost."""


def growth(shape: str, size: int, tries: int) -> tuple[float, float]:
    """Measure a shape at a size and at twice that size, in CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        once, twice = (_document(shape, times * size, Path(folder)) for times in (1, 2))
    pairs = [(_seconds(once), _seconds(twice)) for _ in range(tries)]
    return min(first for first, _ in pairs), min(second for _, second in pairs)


def main() -> int:
    """Print a table of all shapes; exit 1 where one grows faster than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2000, help="about a tenth of the parts (2000)")
    parser.add_argument("--tries", type=int, default=5, help="of which the fastest counts (5)")
    options = parser.parse_args()
    print("| shape | N | 2N | grows |\n|---|---|---|---|")
    worst = 0.0
    for shape in run_script("growth.js", "list"):
        once, twice = growth(shape, options.size, options.tries)
        worst = max(worst, twice / once)
        print(f"| {shape} | {once * 1000:.0f} ms | {twice * 1000:.0f} ms | {twice / once:.1f}x |")
    return 1 if worst > MOST else 0


def _document(shape: str, size: int, folder: Path) -> bytes:
    path = folder / f"{size}.yjs"
    run_script("growth.js", shape, str(size), str(path))
    return path.read_bytes()


def _seconds(data: bytes) -> float:
    content = Content(data=data, size=len(data), digest=digest_bytes(data), mode=0o644)
    before = time.process_time()
    with decode(content, accept_trailing=False) as workspace:
        for table in workspace.tables:
            for _ in table.chunks():
                pass
    return time.process_time() - before


if __name__ == "__main__":
    sys.exit(main())
