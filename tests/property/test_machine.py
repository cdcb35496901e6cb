"""A state machine: edits, torn files, crashes, restarts, deletions and meddling, in any order.

After each sync the mirror holds the document, or what it held before and the sync says why. After
a crash at any point it holds one of the two.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from pycrdt import Doc, Map

from scripts.fault.judge import KNOWN_FILES
from scripts.fault.kill_points import Killer, arm
from sidecar.model import Failed, Options, Outcome, Source
from sidecar.tasks.sync import sync
from tests.support.examples import examples

Rows = dict[str, dict[str, Any]]

KEYS = st.sampled_from(["a", "b", "c", "", "é"])
TABLES = st.sampled_from(["notes", "tasks"])
LEFT_BY_A_KILL = ".tables.sqlite.0123456789ab.tmp"
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("xü'\"", max_size=3))


def content(mirror: Path) -> dict[str, Rows]:
    """Read all rows of a mirror, undeclared fields by name, NULLs left out."""
    found: dict[str, Rows] = {}
    with closing(sqlite3.connect(mirror)) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        names = [name for (name,) in connection.execute("SELECT name FROM _mirror_tables")]
        for name in names:
            rows = connection.execute(f"SELECT * FROM {name}").fetchall()
            found[name] = {
                row["id"]: {key: row[key] for key in row.keys() if row[key] is not None}  # noqa: SIM118
                for row in rows
            }
            for row in found[name].values():
                del row["id"]
    return found


class Machine(RuleBasedStateMachine):
    """One document, its mirror, and what both are expected to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.folder = self.root / "folder"
        self.folder.mkdir()
        self.document = self.folder / "workspace.yjs"
        self.mirror = self.folder / "tables.sqlite"
        self.doc: Doc[Any] = Doc(client_id=1)
        self.doc["tables"] = Map({})
        self.rows: dict[str, Rows] = {}
        self.on_disk: dict[str, Rows] | None = None
        self.shown: dict[str, Rows] | None = None
        self.meddled = False

    def teardown(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.root)

    @initialize()
    def begin(self) -> None:
        """An app that has just made its document."""
        self.save()

    @rule(table=TABLES, key=KEYS, value=VALUES)
    def set_cell(self, table: str, key: str, value: Any) -> None:
        """Edit, without saving."""
        tables = self.doc.get("tables", type=Map)
        if table not in tables:
            tables[table] = Map({})
        if key not in tables[table]:
            tables[table][key] = Map({})
        tables[table][key]["n"] = value
        self.rows.setdefault(table, {}).setdefault(key, {})["n"] = value

    @rule(table=TABLES, key=KEYS)
    def delete_row(self, table: str, key: str) -> None:
        """Delete a row that may not be there."""
        if key in self.rows.get(table, {}):
            del self.doc.get("tables", type=Map)[table][key]
            del self.rows[table][key]

    @rule()
    def save(self) -> None:
        """Truncate, write, close."""
        self.document.write_bytes(self.doc.get_update())
        self.on_disk = self.expected()

    @rule(share=st.floats(0, 0.99))
    def tear(self, share: float) -> None:
        """Leave only the beginning of the file."""
        data = self.doc.get_update()
        self.document.write_bytes(data[: int(len(data) * share)])
        self.on_disk = None

    @rule(share=st.floats(0, 0.9))
    def spoil(self, share: float) -> None:
        """Leave zeros where the end was. Yjs would show less, so nothing may be shown."""
        data = self.doc.get_update()
        kept = int(len(data) * share)
        if any(data[kept:]):
            self.document.write_bytes(data[:kept] + bytes(len(data) - kept))
            self.on_disk = None

    @rule()
    def empty(self) -> None:
        """Save an empty document, as hosts do after a failed load."""
        self.document.write_bytes(b"\0\0")
        self.on_disk = {}

    @rule()
    def remove_document(self) -> None:
        """Delete the document."""
        self.document.unlink(missing_ok=True)
        self.on_disk = None

    @rule()
    def remove_mirror(self) -> None:
        """Delete the mirror."""
        self.mirror.unlink(missing_ok=True)
        self.shown, self.meddled = None, True

    @precondition(lambda self: self.shown is not None)
    @rule(sql=st.sampled_from(["DELETE FROM _mirror_tables", "CREATE TABLE x (a)", "VACUUM"]))
    def write_into_the_mirror(self, sql: str) -> None:
        """Change the mirror behind the program's back."""
        self.meddle(sql)

    @precondition(lambda self: self.shown is not None)
    @rule()
    def switch_to_wal(self) -> None:
        """Another journal mode, left behind."""
        self.meddle("PRAGMA journal_mode=WAL")

    @rule(name=st.sampled_from([LEFT_BY_A_KILL, "tables.sqlite-journal", "tables.sqlite-wal"]))
    def leave_a_file(self, name: str) -> None:
        """A leftover of anyone's."""
        (self.folder / name).write_bytes(b"stale")
        self.meddled = True

    @rule(force=st.booleans())
    def sync(self, force: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        """One pass, in this process."""
        self.judge(sync(*self.place(), force=force, rested=True))

    @rule(at=st.integers(0, 90))
    def crash(self, at: int) -> None:
        """One pass in a process that is killed at some point; then one that is not."""
        child = os.fork()
        if child == 0:
            arm(Killer(at))
            sync(*self.place(), force=True, rested=True)
            os._exit(0)
        os.waitpid(child, 0)
        if self.mirror.exists() and not self.meddled:
            assert content(self.mirror) in (self.shown, self.on_disk)
        self.judge(sync(*self.place(), rested=True))

    @invariant()
    def the_mirror_is_what_it_was(self) -> None:
        """Between syncs nobody touches it but those who say so."""
        if self.shown is not None and not self.meddled:
            assert content(self.mirror) == self.shown

    def place(self) -> tuple[Source, Options]:
        """Return what a sync needs to know."""
        source = Source(str(self.document), str(self.mirror), None, None)
        return source, Options(state_folder=str(self.root / "state"))

    def expected(self) -> dict[str, Rows]:
        """Return what a mirror of the document in memory holds."""
        return {
            table: {
                key: {field: value for field, value in row.items() if value is not None}
                for key, row in rows.items()
            }
            for table, rows in self.rows.items()
            if rows
        }

    def meddle(self, sql: str) -> None:
        """Execute SQL on the mirror, if it is still a database."""
        with closing(sqlite3.connect(self.mirror)) as connection:
            try:
                connection.execute(sql)
                connection.commit()
            except sqlite3.Error:
                pass
        self.meddled = True

    def judge(self, outcome: Outcome) -> None:
        """Compare what a sync says with what is there."""
        if self.on_disk is None:
            assert isinstance(outcome, Failed), outcome
            assert outcome.code in {"empty", "torn", "undecodable", "gone"}
            return
        assert not isinstance(outcome, Failed), outcome
        self.shown, self.meddled = self.on_disk, False
        assert content(self.mirror) == self.shown
        assert {path.name for path in self.folder.iterdir()} <= KNOWN_FILES
        assert list((self.root / "state" / "locks").iterdir()) == []


TestMachine = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")(
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")(Machine.TestCase)
)
TestMachine.settings = examples(160, stateful_step_count=25)
