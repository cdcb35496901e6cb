"""Damage real documents at random and hold the mirror to the invariant of scripts/fault/judge.py.

    python -m scripts.fault.fuzz --seconds 60 --seed 7
    python -m scripts.fault.fuzz --every 300    # every cut, zero tail, small hole and bit instead

Starts from the committed seeds and documents (tests/data). A file that breaks the invariant is
kept, and its name says how; committed to tests/data/seeds, it is tried in every test run.
"""

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from scripts.fault.damage import damage, flip_bit, zero
from scripts.fault.judge import Judge, Verdict
from scripts.temporary import temporary_folder

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
OLD = DATA / "documents" / "undeclared.yjs"
_HOLES = (1, 2, 4, 8)
LARGEST = 64 * 1024
"""Larger documents are left out: they take longer and break in no other way."""


def seeds() -> list[Path]:
    """Return the documents to start from, the committed findings among them."""
    found = sorted(DATA.glob("seeds/*.yjs")) + sorted(DATA.glob("documents/*.yjs"))
    return [path for path in found if path.stat().st_size <= LARGEST]


def damaged(documents: Sequence[bytes], seed: int, seconds: float) -> Iterator[bytes]:
    """Give damaged documents for so many seconds."""
    generator = random.Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield damage(documents, generator)


def every(documents: Sequence[bytes], most: int) -> Iterator[bytes]:
    """Give every cut, zero tail, small hole and flipped bit of the documents up to a size."""
    for data in documents:
        if len(data) > most:
            continue
        for at in range(len(data)):
            yield data[:at]
            yield zero(data, at, len(data))
            yield from (zero(data, at, count) for count in _HOLES)
        yield from (flip_bit(data, bit) for bit in range(8 * len(data)))


def main() -> int:
    """Fuzz, print what was seen, and exit 1 when the invariant was broken."""
    options = _options()
    documents = [path.read_bytes() for path in seeds()]
    if options.every:
        print(f"every damage to documents of up to {options.every} bytes")
        tries = every(documents, options.every)
    else:
        print(f"{len(documents)} seeds, --seed {options.seed}, {options.seconds:.0f} s")
        tries = damaged(documents, options.seed, options.seconds)
    counts: Counter[str] = Counter()
    broken = 0
    with (
        tempfile.TemporaryDirectory(dir=options.work) as work,
        closing(Judge(Path(work), OLD)) as judge,
    ):
        for data in tries:
            verdict = judge.judge(data)
            counts[verdict.kind] += 1
            if verdict.finding:
                broken += 1
                _keep(data, verdict, options.keep)
    for kind, count in counts.most_common():
        print(f"{count:>9}  {kind}")
    print(f"{counts.total():>9}  files, {broken} broke the invariant")
    return 1 if broken else 0


def _keep(data: bytes, verdict: Verdict, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"found-{hashlib.sha256(data).hexdigest()[:12]}.yjs"
    path.write_bytes(data)
    print(f"BROKEN {path}: {verdict.finding}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeat a run")
    parser.add_argument("--every", type=int, metavar="BYTES", help="try all, and not at random")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for what is found")
    parser.add_argument("--work", type=Path, default=temporary_folder(), help="for its files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
