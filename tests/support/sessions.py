"""An app at work: documents that real Yjs saved one after the other, and which road they take."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from sidecar.document.reading import Content
from sidecar.document.warm import Warm
from sidecar.errors import SidecarError
from sidecar.model import Layout, Table, Workspace
from tests.support.node import run_script

Rows = dict[str, bytes]
_encode = msgspec.msgpack.Encoder(order="sorted", enc_hook=float).encode


def play(folder: Path, **options: Any) -> Iterator[tuple[list[str], bytes]]:
    """Have ``scripts/js/sessions.js`` play a session; give what was done, and what was saved."""
    run_script("sessions.js", str(folder), json.dumps(options))
    for number, steps in enumerate(json.loads((folder / "steps.json").read_text("utf-8"))):
        yield steps, (folder / f"{number:04}.yjs").read_bytes()


class Follower:
    """Follows a document by the warm road, and compares each form with a fresh decode.

    Attributes:
        roads: Of each form so far: ``warm``, why it was decoded afresh, or why it was refused.
    """

    def __init__(self) -> None:
        """Begin cold."""
        self.roads: list[str] = []
        self._warm = Warm(check=True)
        self._rows: dict[str, dict[tuple[Layout, str], Rows]] = {}

    def follow(self, data: bytes, *, is_published: bool = True) -> str:
        """Read the next form.

        Args:
            data: Its bytes.
            is_published: Whether a mirror is made of it; rows edited later build on it then.
        """
        content = Content(data, len(data), hashlib.sha256(data).hexdigest(), 0o600)
        try:
            with self._warm.decoded(content, accept_trailing=False) as workspace:
                rows = {(table.layout, table.name): _rows(table) for table in workspace.tables}
                self._check_edited(workspace, rows)
        except SidecarError as error:
            self.roads.append(error.code)
            return error.code
        if is_published:
            self._rows[content.digest] = rows
            self._warm.in_step(content.digest)
        self.roads.append(self._warm.road)
        return self._warm.road

    def _check_edited(self, workspace: Workspace, rows: dict[tuple[Layout, str], Rows]) -> None:
        """Every row that differs from those of the base is said to be edited."""
        if workspace.base is None:
            return
        before = self._rows[workspace.base]
        assert before.keys() == rows.keys()
        for table in workspace.tables:
            assert table.edited is not None
            assert table.pick is not None
            old, new = before[table.layout, table.name], rows[table.layout, table.name]
            changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
            assert changed <= table.edited
            assert table.pick(sorted(table.edited)).ids == sorted(table.edited & new.keys())


def _rows(table: Table) -> Rows:
    rows: Rows = {}
    for block in table.blocks():
        for at, key in enumerate(block.ids):
            cells = {
                field: column[at]
                for field, column in zip(table.fields, block.columns, strict=True)
                if column[at] is not None
            }
            problems = [problem for problem in block.problems if problem.row_id == key]
            rows[key] = _encode((cells, block.extras[at], problems))
    return rows
