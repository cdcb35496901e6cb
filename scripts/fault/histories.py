"""Random histories by real Yjs, each judged: the mirror shows what Yjs shows, or says why not.

    python -m scripts.fault.histories --count 5000 --seed 7
    python -m scripts.fault.histories --kind merged --count 300

The kinds are those of scripts/js/histories.js: updates that were lost, ``Y.mergeUpdates``, rich
text with cut emoji, two sessions under one client id, and moments of documents
by their snapshots. Nothing there is damaged, so a document
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
from sidecar.document.decode import decode
from sidecar.document.reading import Content
from sidecar.document.snapshots import Past
from sidecar.errors import SidecarError
from sidecar.model import Block

KINDS = ("lossy", "merged", "rich", "twins")
MOMENTS = "moments"
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


def moments_that_differ(path: Path, counts: Counter[str]) -> Iterator[str]:
    """Compare every moment of a document with what JavaScript makes of its snapshot."""
    past = Past(path.read_bytes())
    states = sorted(path.parent.glob(f"{path.stem}-*.state"))
    for ending, refusal in ((".ysnap", None), (".v2snap", "v2")):
        snapshots = [state.with_suffix(ending).read_bytes() for state in states]
        for number, state in enumerate(states):
            expected = _content(state.read_bytes())
            try:
                near = sorted(range(len(states)), key=lambda other: abs(other - number))
                found = past.state_at(snapshots[number], [snapshots[other] for other in near[1:]])
            except SidecarError as error:
                counts[f"refused {ending}"] += 1
                if error.code != refusal:
                    yield f"{state.stem}{ending} is refused: {error.message}"
                continue
            counts[f"shown {ending}"] += 1
            if _content(found) != expected:
                counts[f"differs {ending}"] += 1
                if refusal is None:
                    yield f"{state.stem}{ending} differs"


def _content(data: bytes) -> list[tuple[str, list[Block]]]:
    content = Content(data, len(data), "", 0)
    with decode(content, accept_trailing=True) as workspace:
        return [(table.name, list(table.blocks())) for table in workspace.tables]


def findings(judge: Judge, paths: list[Path], counts: Counter[str]) -> Iterator[tuple[Path, str]]:
    """Judge documents; give those that are not shown as Yjs shows them."""
    for path in paths:
        verdict = judge.judge(path.read_bytes(), refusals=True)
        counts[verdict.kind] += 1
        if verdict.finding:
            yield path, verdict.finding


def _moments(paths: list[Path], counts: Counter[str]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        for finding in moments_that_differ(path, counts):
            yield path, finding


def main() -> int:
    """Judge, print what was seen, keep what differs, and exit 1 where something does."""
    options = _options()
    broken = 0
    with tempfile.TemporaryDirectory() as work, closing(Judge(Path(work) / "judge", OLD)) as judge:
        for kind in options.kind or (*KINDS, MOMENTS):
            counts: Counter[str] = Counter()
            for start in range(0, options.count, _BATCH):
                folder = Path(work) / "written"
                folder.mkdir()
                size = min(_BATCH, options.count - start)
                paths = histories(kind, options.seed + start, size, folder)
                for path, finding in (
                    _moments(paths, counts) if kind == MOMENTS else findings(judge, paths, counts)
                ):
                    broken += 1
                    options.keep.mkdir(parents=True, exist_ok=True)
                    print(f"DIFFERS {shutil.copy(path, options.keep)}: {finding}")
                shutil.rmtree(folder)
            told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
            print(f"{kind}: {told}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", action="append", choices=(*KINDS, MOMENTS), help="one kind only")
    parser.add_argument("--count", type=int, default=1000, help="documents of each kind (1000)")
    parser.add_argument("--seed", type=int, default=1, help="repeat a run (1)")
    parser.add_argument("--keep", type=Path, default=Path("build/histories"), help="what differs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
