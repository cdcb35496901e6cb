"""Documents of arbitrary roots, read three ways: the mirror, the reference, JavaScript.

``python -m tests.support.three_ways --minutes 10`` has Node write them, mirrors each, and compares:
tables, columns, cells and problems with what JavaScript says, and all of it with `verify`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from scripts import nodejs
from sidecar.document.decode import decode
from sidecar.document.reading import read_stable
from sidecar.model import Options, Rebuilt, Source
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.mirrors import assert_holds, read_problems

_BATCH = 100
_MOST_BYTES = 1 << 30
_OF_FILES = {"unaccounted", "repaired", "waiting", "definition"}
"""Kinds that say something of the file, or of definitions, of which JavaScript says nothing."""


class Difference(NamedTuple):
    """One document that is not read alike, and how."""

    seed: int
    number: int
    what: str


def generate(seed: int, count: int, folder: Path) -> list[Path]:
    """Have Node write documents and what their mirrors hold; return the documents' paths."""
    node = nodejs.find_node()
    if node is None:
        raise nodejs.NodeUnavailableError(nodejs.missing())
    script = str(nodejs.JS / "generate.js")
    subprocess.run([str(node), script, str(seed), str(count), str(folder)], check=True)
    return sorted(folder.glob("*.yjs"))


def differences(seed: int, count: int) -> Iterator[Difference]:
    """Write documents from a seed and compare each."""
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(generate(seed, count, Path(folder, "made"))):
            place = Path(folder, str(number))
            place.mkdir()
            what = compare(document, place)
            if what is not None:
                yield Difference(seed, number, what)


def compare(document: Path, place: Path) -> str | None:
    """Mirror a document in a folder and compare it with the JSON beside it; None when equal."""
    told: dict[str, Any] = msgspec.json.decode(document.with_suffix(".json").read_bytes())
    copy, mirror = place / "workspace.yjs", place / "tables.sqlite"
    copy.write_bytes(document.read_bytes())
    source = Source(str(copy), str(mirror), "w", 0)
    options = Options(state_folder=str(place / "state"))
    outcome = sync(source, options, rested=True)
    if not isinstance(outcome, Rebuilt):
        return f"not mirrored: {outcome}"
    try:
        assert_holds(mirror, told)
    except AssertionError as error:
        return f"the tables are not as JavaScript says: {error}"
    for what, ours in (("problems", _problems(mirror)), ("roots", _roots(copy))):
        theirs = {tuple(line) for line in told[what]}
        if ours != theirs:
            return f"{what}: only here {ours - theirs}, only in JavaScript {theirs - ours}"
    seen = verify(source, options)
    return None if seen.result == "equal" else f"verify: {seen.result} {seen.differences[:3]}"


def _problems(mirror: Path) -> set[tuple[Any, ...]]:
    found = read_problems(mirror)
    return {line for line in found if line[0] is not None and line[2] not in _OF_FILES}


def _roots(document: Path) -> set[tuple[Any, ...]]:
    content = read_stable(str(document), _MOST_BYTES)
    with decode(content, accept_trailing=True) as workspace:
        return {(root.name, root.kind, root.layout, root.text) for root in workspace.roots}


def main() -> int:
    """Compare until the time is up or something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    seed, seen, found = arguments.seed, 0, 0
    while time.monotonic() < end:
        for difference in differences(seed, _BATCH):
            sys.stdout.write(f"{difference}\n")
            found += 1
        seed, seen = seed + 1, seen + _BATCH
    sys.stdout.write(f"{seen} documents from seed {arguments.seed}, {found} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
