"""Random histories by real Yjs, each judged: the mirror shows what Yjs shows, or says why not.

    python -m scripts.fault.histories --count 5000 --seed 7
    python -m scripts.fault.histories --kind merged --count 300

The kinds are those of scripts/js/histories.js: updates that were lost, ``Y.mergeUpdates``, rich
text with cut emoji, two sessions under one client id. Nothing there is damaged, so a document
that is refused where Yjs takes it counts as a finding too.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scripts import nodejs
from scripts.fault.fuzz import OLD
from scripts.fault.judge import Judge

KINDS = ("lossy", "merged", "rich", "twins")
_BATCH = 500
_SECONDS = 300


def histories(kind: str, seed: int, count: int, folder: Path) -> list[Path]:
    """Write so many documents of a kind into a folder."""
    node, reason = nodejs.find_node(), nodejs.missing()
    if node is None or reason is not None:
        raise nodejs.NodeUnavailableError(reason)
    script = nodejs.JS / "histories.js"
    command = [str(node), str(script), kind, str(seed), str(count), str(folder)]
    subprocess.run(command, check=True, timeout=_SECONDS)
    return sorted(folder.glob(f"{kind}-{seed}-*.yjs"))


def findings(judge: Judge, paths: list[Path], counts: Counter[str]) -> Iterator[tuple[Path, str]]:
    """Judge documents; give those that are not shown as Yjs shows them."""
    for path in paths:
        verdict = judge.judge(path.read_bytes(), refusals=True)
        counts[verdict.kind] += 1
        if verdict.finding:
            yield path, verdict.finding


def main() -> int:
    """Judge, print what was seen, keep what differs, and exit 1 where something does."""
    options = _options()
    broken = 0
    with tempfile.TemporaryDirectory() as work, closing(Judge(Path(work) / "judge", OLD)) as judge:
        for kind in options.kind or KINDS:
            counts: Counter[str] = Counter()
            for start in range(0, options.count, _BATCH):
                folder = Path(work) / "written"
                folder.mkdir()
                size = min(_BATCH, options.count - start)
                paths = histories(kind, options.seed + start, size, folder)
                for path, finding in findings(judge, paths, counts):
                    broken += 1
                    options.keep.mkdir(parents=True, exist_ok=True)
                    print(f"DIFFERS {shutil.copy(path, options.keep)}: {finding}")
                shutil.rmtree(folder)
            told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
            print(f"{kind}: {told}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", action="append", choices=KINDS, help="one kind only")
    parser.add_argument("--count", type=int, default=1000, help="documents of each kind (1000)")
    parser.add_argument("--seed", type=int, default=1, help="repeat a run (1)")
    parser.add_argument("--keep", type=Path, default=Path("build/histories"), help="what differs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
