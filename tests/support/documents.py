"""Makes small documents by pycrdt, for tests that are about files and processes, not content."""

from pathlib import Path
from typing import Any

from pycrdt import Doc, Map

_PLACEHOLDER = b"\x77\x0b" + b"PLACEHOLDER"
"""How lib0 writes that string as a value: type 119, length, text."""


def document(rows: int, *, title: str = "row", table: str = "notes", client: int = 1) -> bytes:
    """Return a document with one undeclared table of ``rows`` rows, ``r0`` and so on."""
    doc: Doc[Any] = Doc(client_id=client)
    tables = doc.get("tables", type=Map)
    with doc.transaction():
        tables[table] = Map()
        for number in range(rows):
            tables[table][f"r{number}"] = Map({"title": f"{title} {number}", "n": number})
    return doc.get_update()


def nested(levels: int) -> bytes:
    """Return a document with one cell of plain arrays inside each other: hostile when deep."""
    plain = document(1, title="x").replace(b"\x77\x03x 0", _PLACEHOLDER)
    return plain.replace(_PLACEHOLDER, b"\x75\x01" * levels + b"\x7e")


def save(path: Path, data: bytes) -> Path:
    """Write a document as the host does: truncate, write, close."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
