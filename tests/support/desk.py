"""One document and its mirror in a folder of their own, synced inside the test's process."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any, Self

from msgspec.structs import replace
from pycrdt import Doc, Map

from sidecar.discovery import source_of
from sidecar.model import Options, Outcome
from sidecar.tasks.sync import sync

FIELDS = {
    "id": {"type": "id"},
    "title": {"type": "text", "name": "Title"},
    "stars": {"type": "integer", "nullable": True},
    "done": {"type": "boolean", "nullable": True},
    "tags": {"type": "tags", "options": ["a", "b"], "nullable": True},
    "body": {"type": "ytext", "description": "What it is about", "nullable": True},
}


class Desk:
    """A folder with workspace.yjs and tables.sqlite.

    Attributes:
        doc: What the app holds; ``save`` writes it.
    """

    def __init__(self, folder: Path, fields: dict[str, Any] | None = None) -> None:
        """Begin with one declared table, ``notes``, without rows."""
        folder.mkdir(parents=True, exist_ok=True)
        self.document, self.mirror = folder / "workspace.yjs", folder / "tables.sqlite"
        self.source = source_of(str(self.document))
        self.options = Options(state_folder=str(folder.parent / "state"))
        self.doc: Doc[Any] = Doc()
        self.define("notes", fields or FIELDS)

    @classmethod
    def with_two_notes(cls, folder: Path) -> Self:
        """Return a synced document with two notes."""
        desk = cls(folder)
        desk.put("notes", "a", title="One")
        desk.put("notes", "b", title="Two")
        desk.sync()
        return desk

    def define(self, table: str, fields: dict[str, Any]) -> None:
        """Define a table, and make its map of rows if there is none."""
        definitions = self.doc.get("definition", type=Map)
        rows = self.doc.get("tables", type=Map)
        if "tables" not in definitions:
            definitions["tables"] = Map()
        definitions["tables"][table] = {"name": table.title(), "fields": fields}
        if table not in rows:
            rows[table] = Map()

    def put(self, table: str, key: str, **cells: Any) -> None:
        """Set cells of a row, which is made when there is none."""
        rows = self.doc.get("tables", type=Map)[table]
        if key not in rows:
            rows[key] = Map({"id": key})
        for field, value in cells.items():
            rows[key][field] = value

    def drop(self, table: str, key: str) -> None:
        """Delete a row."""
        del self.doc.get("tables", type=Map)[table][key]

    def save(self) -> None:
        """Write the document as the host does."""
        self.document.write_bytes(self.doc.get_update())

    def sync(self, **how: Any) -> Outcome:
        """Save, and bring the mirror in step."""
        self.save()
        return sync(self.source, self.options, rested=True, **how)

    def sync_with_index(self) -> Outcome:
        """Bring the mirror in step, with every text column indexed."""
        self.options = replace(self.options, fts=("*",))
        return self.sync()

    def tamper(self, *statements: str) -> None:
        """Change the mirror behind the program's back."""
        with closing(connect(self.mirror)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def query(self, sql: str) -> Iterable[tuple[Any, ...]]:
        """Ask the mirror."""
        with closing(connect(f"{self.mirror.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()
