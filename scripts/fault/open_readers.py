"""Connections that stay open while a mirror is rebuilt in place and its writers are killed.

    python -m scripts.fault.open_readers --rebuilds 1000 --kills 200

Readers of several kinds open the mirror once, each in a process of its own, and look again and
again. Writers sync one version of the document after the other with ``--in-place`` and are ended
by SIGKILL at any moment. Each look must see one version, whole, and none older than before, but for
the one that a rollback brings back; and in the end every reader must see the last version.
"""

import argparse
import importlib.util
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from scripts.fault.crowd import await_end, document, rows_of
from scripts.nodejs import find_node
from sidecar import open_mirror
from sidecar.mirror.in_place import Pages
from sidecar.model import Failed, Options, Source
from sidecar.tasks.sync import sync

BENCH = Path(__file__).resolve().parents[1] / "bench"
LOOK = (
    "SELECT version, count(*) AS rows, (SELECT rows FROM _mirror_tables) AS rows_told"
    " FROM items GROUP BY version"
)
_BUSY_S = 5
_LONGEST_LIFE_S, _LONGEST_WRITE_S = 0.5, 0.02
_SHARE_ANY = 0.3
_PAUSE_S = 0.005
"""Between looks: without one, seven readers leave no time to the writers of two cores."""

_WRITES, _WRITTEN, _DONE = b"(", b")", b"."
"""What a writer says of itself: it writes into the mirror, has done so, has synced."""

Look = Callable[[], list[list[Any]]]


def open_sqlite3(mirror: str) -> Look:
    """Open it with the standard library, as most programs do."""
    connection = sqlite3.connect(mirror, timeout=_BUSY_S)
    return lambda: [list(row) for row in connection.execute(LOOK)]


def open_read_only(mirror: str) -> Look:
    """Open it read-only, with the standard library."""
    connection = sqlite3.connect(f"file:{mirror}?mode=ro", uri=True, timeout=_BUSY_S)
    return lambda: [list(row) for row in connection.execute(LOOK)]


def open_with_statement(mirror: str) -> Look:
    """Open it with a cursor that reads row by row in a transaction."""
    connection = sqlite3.connect(mirror, timeout=_BUSY_S, isolation_level=None)

    def look() -> list[list[Any]]:
        connection.execute("BEGIN")
        try:
            versions = Counter(version for (version,) in connection.execute(_EACH))
            ((told,),) = connection.execute("SELECT rows FROM _mirror_tables")
        finally:
            connection.execute("ROLLBACK")
        return [[version, rows, told] for version, rows in versions.items()]

    return look


_EACH = "SELECT version FROM items"


def open_ours(mirror: str) -> Look:
    """Open it as the package does."""
    opened = open_mirror(mirror)
    return lambda: [list(row) for row in opened.query(LOOK)]


def open_pandas(mirror: str) -> Look:
    """Open it for data frames."""
    import pandas as pd  # noqa: PLC0415 - where it is installed

    connection = sqlite3.connect(mirror, timeout=_BUSY_S)
    return lambda: pd.read_sql(LOOK, connection).to_numpy().tolist()


def open_duckdb(mirror: str) -> Look:
    """Attach it to DuckDB."""
    import duckdb  # noqa: PLC0415 - where it is installed

    package = importlib.util.find_spec(_NEEDS["duckdb"])
    (extension,) = Path(str(package and package.origin)).parent.rglob("*.duckdb_extension*")
    database = duckdb.connect(config={"allow_unsigned_extensions": "false"})
    database.execute(f"LOAD '{extension}'")
    database.execute(f"ATTACH '{mirror}' AS app (TYPE sqlite, READ_ONLY)")
    database.execute("USE app")
    return lambda: [list(row) for row in database.execute(LOOK).fetchall()]


KINDS: dict[str, Callable[[str], Look]] = {
    "sqlite3": open_sqlite3,
    "sqlite3, read-only": open_read_only,
    "sqlite3, row by row": open_with_statement,
    "open_mirror": open_ours,
    "pandas": open_pandas,
    "duckdb": open_duckdb,
}
NODE = "better-sqlite3"
_NEEDS = {"pandas": "pandas", "duckdb": "duckdb_extension_sqlite_scanner"}


def kinds() -> list[str]:
    """Return the kinds of readers that are installed here."""
    there = [kind for kind in KINDS if importlib.util.find_spec(_NEEDS.get(kind, "sqlite3"))]
    has_node = find_node() and (BENCH / "node_modules" / NODE).is_dir()
    return [*there, *([NODE] if has_node else [])]


def read_on(kind: str, mirror: str) -> None:
    """Look again and again until stdin ends, then print what was seen as JSON."""
    ended = threading.Event()
    threading.Thread(target=await_end, args=(ended,), daemon=True).start()
    look = KINDS[kind](mirror)
    print("open", flush=True)
    looks: list[dict[str, Any]] = []
    errors: Counter[str] = Counter()
    while not ended.wait(_PAUSE_S):
        try:
            rows = look()
        except Exception as error:  # noqa: BLE001 - counted by what it says; each library has its own
            errors[str(error).splitlines()[0]] += 1
            continue
        if looks and looks[-1]["rows"] == rows:
            looks[-1]["times"] += 1
        else:
            looks.append({"rows": rows, "times": 1})
    print(json.dumps({"looks": looks, "errors": errors}))


class Seen(NamedTuple):
    """What one reader saw.

    Attributes:
        kind: Of the reader.
        looks: How often it looked.
        versions: How often it saw another version than before.
        last: The version that it saw last.
        broken: Looks that were no whole version, or an older one.
        errors: What it was told instead of an answer.
    """

    kind: str
    looks: int
    versions: int
    last: int
    broken: list[str]
    errors: dict[str, int]


def judge(kind: str, told: dict[str, Any]) -> Seen:
    """Judge what a reader saw."""
    broken: list[str] = []
    newest = -1
    for one in told["looks"]:
        rows = one["rows"]
        if len(rows) != 1 or rows[0][1:] != [rows_of(rows[0][0])] * 2:
            broken.append(f"{kind} saw {rows}")
            continue
        version = rows[0][0]
        if version < newest:  # a commit is seen once it stands; what was not is nobody's
            broken.append(f"{kind} saw version {version} after {newest}")
        newest = max(newest, version)
    looks = sum(one["times"] for one in told["looks"])
    return Seen(kind, looks, len(told["looks"]), newest, broken, told["errors"])


class Writers:
    """Syncs one version after the other, in processes that are killed at any moment."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Begin with version 0 in place."""
        self._folder = folder
        self._random = random.Random(seed)
        self.version = self.kills = self.interrupted = 0
        self._run(1)

    @property
    def mirror(self) -> str:
        """Where the mirror is."""
        return str(self._folder / "tables.sqlite")

    def write(self, rebuilds: int, kills: int) -> None:
        """Write so many versions; kill so many writers on the way, one of them while it writes."""
        before = self.version
        while self.version - before < rebuilds:
            left = rebuilds - (self.version - before)
            self._run(left, is_killed=self.kills < kills or not self.interrupted)

    def _run(self, rebuilds: int, *, is_killed: bool = False) -> None:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            self._child(rebuilds, write)
        os.close(write)
        with os.fdopen(read, "rb", buffering=0) as pipe:
            marks = b""
            if is_killed:
                marks = self._await_moment(pipe)
                os.kill(child, signal.SIGKILL)
            marks += pipe.readall()
        self.version += marks.count(_DONE)
        self.interrupted += marks.endswith(_WRITES)
        _, status = os.waitpid(child, 0)
        if not is_killed and status:
            message = f"a writer that nobody killed ended with {os.waitstatus_to_exitcode(status)}"
            raise RuntimeError(message)
        self.kills += status == signal.SIGKILL

    def _await_moment(self, pipe: io.FileIO) -> bytes:
        """Wait for any moment, or for one soon after a writer began to write into the mirror."""
        marks = b""
        if self._random.random() < _SHARE_ANY:
            time.sleep(self._random.uniform(0, _LONGEST_LIFE_S))
            return marks
        while not marks.endswith(_WRITES):
            marks += pipe.read(1) or b""
        time.sleep(self._random.uniform(0, _LONGEST_WRITE_S))
        return marks

    def _child(self, rebuilds: int, pipe: int) -> None:
        source = Source(str(self._folder / "workspace.yjs"), self.mirror, None, None)
        options = Options(state_folder=str(self._folder / "state"), in_place=True)
        write, code = Pages.write, 1

        def write_marked(pages: Pages, journal: str) -> None:
            os.write(pipe, _WRITES)
            write(pages, journal)
            os.write(pipe, _WRITTEN)

        setattr(Pages, "write", write_marked)  # noqa: B010 - mypy lets no method be assigned
        try:
            for version in range(self.version, self.version + rebuilds):
                Path(source.document).write_bytes(document(version))
                outcome = sync(source, options, rested=True)
                if isinstance(outcome, Failed):
                    print(outcome, file=sys.stderr)
                    break
                os.write(pipe, _DONE)
            else:
                code = 0
        finally:
            os._exit(code)


def run(rebuilds: int, kills: int, seed: int = 1) -> tuple[Writers, list[Seen]]:
    """Let readers of all kinds look while versions are written; return what they saw."""
    with tempfile.TemporaryDirectory() as work:
        writers = Writers(Path(work), seed)
        readers = {kind: _reader(kind, writers.mirror) for kind in kinds()}
        for kind, reader in readers.items():
            if reader.stdout is None or reader.stdout.readline() != "open\n":
                message = f"the reader of {kind} could not open the mirror"
                raise RuntimeError(message)
        writers.write(rebuilds, kills)
        time.sleep(1)  # all of them look at the last version
        seen = [
            judge(kind, json.loads(reader.communicate(timeout=60)[0]))
            for kind, reader in readers.items()
        ]
    return writers, seen


def _reader(kind: str, mirror: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scripts.fault.open_readers", "--read", kind, mirror]
    if kind == NODE:
        script = Path(__file__).with_name("open_reader.mjs")
        command = [str(find_node()), str(script), str(BENCH), mirror, LOOK]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> int:
    """Print what each kind of reader saw; exit 1 if one saw anything but whole versions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rebuilds", type=int, default=1000, help="how many versions (1000)")
    parser.add_argument("--kills", type=int, default=200, help="how many writers to kill (200)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments to kill at (1)")
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_on(*options.read)
        return 0
    writers, seen = run(options.rebuilds, options.kills, options.seed)
    print(
        f"{writers.version} rebuilds, {writers.kills} writers killed, "
        f"{writers.interrupted} of them while they wrote into the mirror"
    )
    for one in seen:
        print(f"  {one.kind:<20}{one.looks:>8} looks, {one.versions:>5} states, {one.errors or ''}")
    broken = [text for one in seen for text in one.broken]
    behind = [one.kind for one in seen if one.last != writers.version - 1]
    print(f"{len(broken)} looks saw something else", *broken[:9], sep="\n  ")
    print(*(f"{kind} is behind" for kind in behind), sep="\n")
    return 1 if broken or behind else 0


if __name__ == "__main__":
    sys.exit(main())
