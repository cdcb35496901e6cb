"""A crowd of readers over thousands of rebuilds: each look must see a whole mirror of one version.

    python -m scripts.fault.crowd --rebuilds 2000 --readers 8
    python -m scripts.fault.crowd --rebuilds 300 --refuse     as on Windows: copied into the file

Version v of the document has a number of rows that follows from v, and v in each of them. A
reader opens the mirror, takes its whole content in one transaction, and checks that it is one
version, whole, and none older than it has seen before.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from pycrdt import Doc, Map

from scripts.fault.kill_points import refuse_renames
from sidecar.model import Failed, Options, Source
from sidecar.tasks.sync import sync

ROWS = 300
TEXT = "some text that fills a page sooner " * 3


def rows_of(version: int) -> int:
    """Return how many rows a version has."""
    return ROWS + version * 7 % 100


def document(version: int) -> bytes:
    """Make the document of a version."""
    doc: Doc[Any] = Doc()
    with doc.transaction():
        row = {"version": version, "text": TEXT}
        table = {f"r{number}": Map(row) for number in range(rows_of(version))}
        doc["tables"] = Map({"items": Map(table)})
    return doc.get_update()


def look(mirror: Path) -> tuple[int, str | None]:
    """Look once.

    Returns:
        The version that was seen, and what is wrong with it, None when nothing is.
    """
    with closing(sqlite3.connect(f"{mirror.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        connection.execute("BEGIN")
        seen = connection.execute("SELECT version, count(*) FROM items GROUP BY version").fetchall()
        (told,) = connection.execute("SELECT rows FROM _mirror_tables").fetchone()
    if len(seen) != 1:
        return -1, f"rows of several versions: {seen}"
    ((version, rows),) = seen
    if rows != rows_of(version) or rows != told:
        return version, f"version {version} with {rows} rows, told are {told}"
    return version, None


def read_on(mirror: Path) -> None:
    """Look again and again until stdin ends, then print what was seen as JSON."""
    ended = threading.Event()
    threading.Thread(target=await_end, args=(ended,), daemon=True).start()
    counts: Counter[str] = Counter()
    broken: list[str] = []
    newest = -1
    while not ended.is_set():
        try:
            version, wrong = look(mirror)
        except sqlite3.OperationalError as error:
            counts[str(error)] += 1
            continue
        counts["looks"] += 1
        if wrong or version < newest:
            broken.append(wrong or f"version {version} after {newest}")
        counts["versions"] += version != newest
        newest = max(newest, version)
    print(json.dumps({"counts": counts, "broken": broken}))


def await_end(ended: threading.Event) -> None:
    """Set an event when stdin ends."""
    sys.stdin.read()
    ended.set()


def rebuild(folder: Path, rebuilds: int) -> Counter[str]:
    """Save and sync one version after the other; count the outcomes."""
    source = Source(str(folder / "workspace.yjs"), str(folder / "tables.sqlite"), None, None)
    options = Options(state_folder=str(folder / "state"))
    outcomes: Counter[str] = Counter()
    for version in range(rebuilds):
        Path(source.document).write_bytes(document(version))
        outcome = sync(source, options)
        outcomes[outcome.code if isinstance(outcome, Failed) else outcome.reason] += 1
    return outcomes


def main() -> int:
    """Let the crowd read while the mirror is rebuilt; exit 1 when one saw anything but a whole."""
    options = _options()
    if options.read:
        read_on(options.read)
        return 0
    if options.refuse:
        refuse_renames()
    with tempfile.TemporaryDirectory() as work:
        rebuild(Path(work), 1)
        command = [sys.executable, "-m", "scripts.fault.crowd", "--read", f"{work}/tables.sqlite"]
        readers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(options.readers)
        ]
        print(f"rebuilds: {dict(rebuild(Path(work), options.rebuilds))}")
        told = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    for one in told:
        print(f"reader: {one['counts']}")
    broken = [text for one in told for text in one["broken"]]
    looks = sum(one["counts"].get("looks", 0) for one in told)
    print(f"{looks} looks by {len(told)} readers, {len(broken)} saw something else", *broken[:9])
    return 1 if broken or not looks else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rebuilds", type=int, default=2000, help="how many versions (2000)")
    parser.add_argument("--readers", type=int, default=8, help="how many processes read (8)")
    parser.add_argument("--refuse", action="store_true", help="refuse the rename, as Windows does")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
