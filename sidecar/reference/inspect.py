"""What a file holds, for ``inspect``: fields, and the kinds of their values."""

from collections import Counter
from typing import Any

import pycrdt

from sidecar.document.public_api import entries
from sidecar.model import as_map
from sidecar.reference.aside import Aside
from sidecar.reference.document import as_json
from sidecar.reference.roots import RawRow, RawTable
from sidecar.reference.tables import raw_tables
from sidecar.reports import InspectedField, InspectedTable

_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    str: "string",
    bytes: "bytes",
    bytearray: "bytes",
    dict: "object",
    list: "array",
    pycrdt.Text: "ytext",
    pycrdt.Map: "ymap",
    pycrdt.Array: "yarray",
    pycrdt.XmlElement: "xml",
    pycrdt.XmlFragment: "xml",
    pycrdt.XmlText: "xml",
    pycrdt.Doc: "subdocument",
}


def inspect_tables(data: bytes) -> tuple[InspectedTable, ...]:
    """Look at all tables of a document, and count what their cells really are.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    found = sorted(raw_tables(data), key=lambda table: (table.name, table.layout != "maps"))
    aside = Aside(data)
    return tuple(_table(table, aside) for table in found)


def _table(table: RawTable, aside: Aside) -> InspectedTable:
    fields = as_map(as_json(table.definition, aside)).get("fields")
    declared = as_map(fields)
    kinds: dict[str, Counter[str]] = {name: Counter() for name in declared}
    odd = 0
    for row in table.rows.values():
        if not isinstance(row, (pycrdt.Map, dict, RawRow)):
            odd += 1
        cells = {**entries(row.fields), **row.added} if isinstance(row, RawRow) else entries(row)
        for name, value in cells.items():
            kinds.setdefault(name, Counter())[_kind(value)] += 1
    return InspectedTable(
        name=table.name,
        declared=isinstance(fields, dict),
        rows=len(table.rows),
        fields=tuple(_field(name, declared.get(name), kinds[name]) for name in sorted(kinds)),
        odd_rows=odd,
    )


def _field(name: str, definition: Any, kinds: Counter[str]) -> InspectedField:
    about = as_map(definition)
    kind = about.get("type")
    return InspectedField(
        name=name,
        type=kind if isinstance(kind, str) else None,
        nullable=not about or kind == "richtext" or about.get("nullable") is True,
        kinds=dict(sorted(kinds.items())),
    )


def _kind(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() else "real"
    return _KINDS.get(value.__class__, "unknown")
