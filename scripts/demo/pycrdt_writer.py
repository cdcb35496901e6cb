"""Stands in for ``scripts/js/writer.js`` where there is no Node: the same lines, pycrdt's Yjs.

Knows the commands and edits that the demo needs: ``open``, ``edit`` with ``set``, ``drop``,
``text``, ``kv`` and ``define``, and ``save``. Saves open and truncate the document, write the
whole state and close, as the host application does.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pycrdt import Doc, Map


class Writer:
    """Holds one document and the path it is saved to."""

    def __init__(self, path: Path) -> None:
        """Open the document at ``path``, or begin an empty one."""
        self._path = path
        self._doc: Doc[Any] = Doc()
        if path.exists() and path.stat().st_size:
            self._doc.apply_update(path.read_bytes())

    def edit(self, edits: list[dict[str, list[Any]]], saves: str) -> None:
        """Apply edits, each in a transaction of its own, and save each unless ``once``."""
        for edit in edits:
            ((kind, arguments),) = edit.items()
            with self._doc.transaction():
                getattr(self, f"_{kind}")(*arguments)
            if saves != "once":
                self.save()
        if saves == "once":
            self.save()

    def save(self) -> None:
        """Truncate, write, close."""
        self._path.write_bytes(self._doc.get_update())

    def _root(self, name: str) -> Map[Any]:
        root: Map[Any] = self._doc.get(name, type=Map)
        return root

    def _set(self, table: str, row: str, fields: dict[str, Any]) -> None:
        tables = self._root("tables")
        if table not in tables:
            tables[table] = Map()
        rows = tables[table]
        if row not in rows:
            rows[row] = Map({"id": row, **fields})
            return
        for field, value in fields.items():
            rows[row][field] = value

    def _drop(self, table: str, row: str) -> None:
        del self._root("tables")[table][row]

    def _text(self, table: str, row: str, field: str, index: int, inserted: str) -> None:
        text = self._root("tables")[table][row][field]
        # JavaScript counts UTF-16 units and pycrdt UTF-8 bytes: the same for what the demo types.
        text.insert(index, inserted)

    def _kv(self, key: str, value: object) -> None:
        self._root("kv")[key] = value

    def _define(self, table: str, definition: object) -> None:
        root = self._root("definition")
        if "tables" not in root:
            root["tables"] = Map()
        root["tables"][table] = definition


def main() -> None:
    """Answer each command on stdin with one line on stdout."""
    writer: Writer | None = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "open":
            writer = Writer(Path(command["path"]))
        elif writer is not None and command["do"] == "edit":
            writer.edit(command["edits"], command["saves"])
        elif writer is not None and command["do"] == "save":
            writer.save()
        print("{}", flush=True)


if __name__ == "__main__":
    main()
