"""Documents of arbitrary roots, read three ways: the mirror, the reference, JavaScript.

``python -m tests.support.three_ways --minutes 10`` has Node write them, mirrors each, and compares:
tables, columns, cells and problems with what JavaScript says, and all of it with `verify`.
``--steps 8`` has each document saved so often, with edits that change the shapes of its roots, and
syncs each save into the same mirror by a process that keeps the document warm; half of them with
`--tables`.
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
from sidecar.document.warm import Warm
from sidecar.mirror.state import read_mirror
from sidecar.model import Failed, Options, Source
from sidecar.tasks.status import status
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.mirrors import assert_holds, query, read_problems

_BATCH = 100
STATED = (
    ("*",),
    ("notes", "blocks"),
    ("*", "app.*", "app.a"),
    ("tables.*", "table:notes", "kv", "b"),
)
"""Patterns of `--tables` for documents that are saved again and again."""
PLAIN = ("notes", "blocks")
"""Tables that the second of them names without ``*``."""
_MOST_BYTES = 1 << 30
_OF_FILES = {"unaccounted", "repaired", "waiting", "definition"}
"""Kinds that say something of the file, or of definitions, of which JavaScript says nothing."""


class Difference(NamedTuple):
    """One document that is not read alike, and how."""

    seed: int
    number: int
    what: str


def generate(seed: int, count: int, folder: Path, steps: int = 0) -> list[Path]:
    """Have Node write documents and what their mirrors hold; return the documents' paths.

    With ``steps`` the states of each document follow one another.
    """
    node = nodejs.find_node()
    if node is None:
        raise nodejs.NodeUnavailableError(nodejs.missing())
    script = str(nodejs.JS / "generate.js")
    words = [str(seed), str(count), str(folder), *([str(steps)] if steps else [])]
    subprocess.run([str(node), script, *words], check=True)
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


def changing(seed: int, count: int, steps: int) -> Iterator[Difference]:
    """Write documents from a seed, sync each save of each, and compare after each sync."""
    with tempfile.TemporaryDirectory() as folder:
        warm = Warm(check=True)
        for number, document in enumerate(generate(seed, count, Path(folder, "made"), steps)):
            place = Path(folder, str(number // steps))
            place.mkdir(exist_ok=True)
            what = _compare_stated(document, place, warm) if number // steps % 2 else None
            what = what or (None if number // steps % 2 else compare(document, place, warm))
            if what is not None:
                yield Difference(seed, number, what)


def _compare_stated(document: Path, place: Path, warm: Warm) -> str | None:
    """Mirror a document with tables that are named, and compare it by `verify`; None when equal."""
    copy = place / "workspace.yjs"
    is_first = not copy.exists()
    copy.write_bytes(document.read_bytes())
    source = Source(str(copy), str(place / "tables.sqlite"), "w", 0)
    stated = STATED[sum(document.read_bytes()) % len(STATED)] if is_first else None
    options = Options(state_folder=str(place / "state"), tables=stated)
    before = set() if is_first else _columns(place)
    stays = read_mirror(str(place / "tables.sqlite")).options.tables == tuple(sorted(STATED[1]))
    outcome = sync(source, options, rested=True, warm=warm)
    if isinstance(outcome, Failed):
        return f"not mirrored: {outcome}"
    seen = verify(source, options)
    if seen.result != "equal":
        return f"verify: {seen.result} {seen.differences[:3]}"
    lost = before - _columns(place) if stays else set()
    return f"columns that went: {lost}" if lost else None


def _columns(place: Path) -> set[tuple[str, str]]:
    """Return the columns that must stay: of tables that patterns name without ``*``."""
    lines = query(place / "tables.sqlite", "SELECT value FROM _mirror WHERE key = 'options'")
    columns = msgspec.json.decode(lines[0][0]).get("columns", {})
    return {(table, name) for table in PLAIN for name in columns.get(table, ())}


def compare(document: Path, place: Path, warm: Warm | None = None) -> str | None:
    """Mirror a document in a folder and compare it with the JSON beside it; None when equal."""
    told: dict[str, Any] = msgspec.json.decode(document.with_suffix(".json").read_bytes())
    copy, mirror = place / "workspace.yjs", place / "tables.sqlite"
    copy.write_bytes(document.read_bytes())
    source = Source(str(copy), str(mirror), "w", 0)
    options = Options(state_folder=str(place / "state"))
    outcome = sync(source, options, rested=True, warm=warm)
    if isinstance(outcome, Failed):
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
    if seen.result != "equal":
        return f"verify: {seen.result} {seen.differences[:3]}"
    state = status(source, options).state
    return None if state == "in_step" else f"status: {state}"


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
    parser.add_argument("--steps", type=int, default=0)
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    seed, seen, found = arguments.seed, 0, 0
    while time.monotonic() < end:
        steps = arguments.steps
        made = changing(seed, _BATCH // steps, steps) if steps else differences(seed, _BATCH)
        for difference in made:
            sys.stdout.write(f"{difference}\n")
            found += 1
        seed, seen = seed + 1, seen + (_BATCH // steps * steps if steps else _BATCH)
    sys.stdout.write(f"{seen} documents from seed {arguments.seed}, {found} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
