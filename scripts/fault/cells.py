"""Random cells by real Yjs, each judged by JavaScript: what toString and JSON.stringify make of it.

    python -m scripts.fault.cells --count 5000 --first 0

Rich text, XML with children and attributes of every kind, arrays and maps inside each other,
written by three clients at once (scripts/js/cells.js). The mirror must show what Yjs prints, and
verify must find it equal.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sidecar.model import Options, Source
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.mirrors import assert_holds
from tests.support.node import expected_of, make_documents

_BATCH = 250


def findings(first: int, count: int, folder: Path) -> Iterator[tuple[Path, str]]:
    """Write documents into a folder, judge them, and give those that are shown otherwise."""
    for path in make_documents(folder, "cells", str(first), str(count)):
        finding = judge(path)
        if finding:
            yield path, finding


def judge(path: Path) -> str | None:
    """Mirror one document and compare; say what differs."""
    with tempfile.TemporaryDirectory() as work:
        document, mirror = Path(work) / "workspace.yjs", Path(work) / "tables.sqlite"
        shutil.copy(path, document)
        source = Source(str(document), str(mirror), None, None)
        options = Options(state_folder=str(Path(work) / "state"))
        outcome = sync(source, options)
        try:
            assert_holds(mirror, expected_of(path))
        except (AssertionError, OSError) as error:
            return f"{outcome}: {error!s:.500}"
        found = verify(source, options)
        return None if found.result == "equal" else f"verify: {found.differences[:3]}"


def main() -> int:
    """Judge, keep what differs, and exit 1 where something does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="documents (1000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (0)")
    parser.add_argument("--keep", type=Path, default=Path("build/cells"), help="what differs")
    options = parser.parse_args()
    broken = 0
    for start in range(0, options.count, _BATCH):
        size = min(_BATCH, options.count - start)
        with tempfile.TemporaryDirectory() as folder:
            for path, finding in findings(options.first + start, size, Path(folder)):
                broken += 1
                options.keep.mkdir(parents=True, exist_ok=True)
                print(f"DIFFERS {shutil.copy(path, options.keep)}: {finding}")
    print(f"{options.count} documents, {broken} of them shown otherwise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
