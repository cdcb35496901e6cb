"""What a document's tables hold, by pycrdt and the decoder, in words that a test can write down."""

from collections.abc import Sequence
from typing import Any

from pycrdt import Doc

from sidecar.document.decode import decode
from sidecar.model import Root, Table
from tests.support.made import content

Rows = dict[str, Any]
"""Row id -> field -> cell, without nulls; ``_extra`` where there is something."""


def document(**roots: Any) -> bytes:
    """Return the update of a document whose roots are these shared types."""
    doc: Doc[Any] = Doc(client_id=1)
    for name, value in roots.items():
        doc[name.replace("__", ":")] = value
    return doc.get_update()


def rows_of(table: Table) -> Rows:
    """Return the rows of a table."""
    rows: Rows = {}
    for block in table.blocks():
        for index, row_id in enumerate(block.ids):
            cells = {
                field: column[index]
                for field, column in zip(table.fields, block.columns, strict=True)
                if column[index] is not None
            }
            extra = block.extras[index]
            rows[row_id] = cells if extra is None else {**cells, "_extra": extra}
    return rows


def shown(data: bytes, tables: Sequence[str] = ()) -> dict[str, Rows]:
    """Return the rows of all tables of a document, by name."""
    with decode(content(data), accept_trailing=False, tables=tables) as workspace:
        names = [table.name for table in workspace.tables]
        assert len(names) == len(set(names))
        return {table.name: rows_of(table) for table in workspace.tables}


def listed(data: bytes, tables: Sequence[str] = ()) -> dict[str, Root]:
    """Return the roots of a document, by name."""
    with decode(content(data), accept_trailing=False, tables=tables) as workspace:
        return {root.name: root for root in workspace.roots}


def problems(data: bytes, tables: Sequence[str] = ()) -> list[tuple[str, str | None, str, int]]:
    """Return table, field, kind and rows of what could not be shown as asked, sorted."""
    with decode(content(data), accept_trailing=False, tables=tables) as workspace:
        found = [
            (table.name, problem.field, problem.kind, problem.rows)
            for table in workspace.tables
            for problem in table.problems
        ]
        found += [
            (table.name, problem.field, problem.kind, 1)
            for table in workspace.tables
            for block in table.blocks()
            for problem in block.problems
        ]
        return sorted(found, key=str)
