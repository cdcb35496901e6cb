"""Documents made of Python literals by pycrdt, and what the program decodes of them."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from pycrdt import Array, Doc, Map

from sidecar.digests import digest_bytes
from sidecar.document.decode import decode
from sidecar.document.extension import Doc as RawDoc
from sidecar.document.extension import Map as RawMap
from sidecar.document.extension import Transaction
from sidecar.document.reading import Content
from sidecar.model import JSON_DEPTH, Block, Workspace

T = TypeVar("T")


def update(client: int = 1, **roots: Any) -> bytes:
    """Return the update of a document with these roots: dicts are maps, lists are arrays."""
    doc: Doc[Any] = Doc(client_id=client)
    for name, value in roots.items():
        root = name.replace("__", ":")
        doc[root] = Map(value) if isinstance(value, dict) else Array(value)
    return doc.get_update()


def tables(**rows: dict[str, Any]) -> dict[str, Any]:
    """Return tables of rows as the app holds them: every level a shared map."""
    return {
        name: Map({key: Map(row) if isinstance(row, dict) else row for key, row in table.items()})
        for name, table in rows.items()
    }


def content(data: bytes) -> Content:
    """Return bytes as if they had been read from a file."""
    return Content(data=data, size=len(data), digest=digest_bytes(data), mode=0o644)


def decoded(data: bytes, look: Callable[[Workspace], T], *, accept_trailing: bool = False) -> T:
    """Decode a document and return what ``look`` finds in it."""
    with decode(content(data), accept_trailing=accept_trailing) as workspace:
        return look(workspace)


def chunks_of(data: bytes, table: str) -> list[Block]:
    """Decode a document and walk one of its tables."""
    return decoded(data, lambda w: list(next(t for t in w.tables if t.name == table).blocks()))


def raw_cells(data: bytes, look: Callable[[RawMap, Transaction], T]) -> T:
    """Open a document by the extension alone and return what ``look`` finds in its first row.

    The row is ``tables.t.a``. The stack is as deep as ``decode`` makes it.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10 * JSON_DEPTH))
    doc = RawDoc(None, True, None)
    txn = doc.create_transaction()
    doc.apply_update(txn, data)
    txn.commit()
    txn.drop()
    txn = doc.create_transaction()
    row = doc.get_or_insert_map(txn, "tables").get(txn, "t").get(txn, "a")
    try:
        return look(row, txn)
    finally:
        sys.setrecursionlimit(limit)
