"""What a file holds, for people who wonder: its outline without the decoder, its tables with it."""

from collections import Counter
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public import RawTable, entries, raw_tables
from sidecar.document.reading import read_varuint, refuse_foreign
from sidecar.document.second_road import as_json
from sidecar.document.structs import ANY, DOC, EMBED, FORMAT, STRING, TYPE, Struct, UpdateReader
from sidecar.errors import SidecarError
from sidecar.plain import as_map
from sidecar.reports import Encoding, InspectedField, InspectedTable, Root, Writer

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
_XML_TYPES = (3, 4, 5, 6)
_MAP, _XML, _TEXT, _ARRAY = "map", "xml", "text", "array"


class Outline(msgspec.Struct, frozen=True):
    """What the structs of an update tell, as far as they can be read.

    Attributes:
        encoding: Of the update.
        roots: By name.
        writers: By client.
        read: Bytes up to where the structs make sense.
    """

    encoding: Encoding
    roots: tuple[Root, ...] = ()
    writers: tuple[Writer, ...] = ()
    read: int = 0


def outline(data: bytes) -> Outline:
    """Read the outline of whatever a file holds, without the decoder. Nothing is raised."""
    if not data:
        return Outline("unknown")
    try:
        refuse_foreign(data)
    except SidecarError as error:
        return Outline("v2" if error.code == "v2" else "unknown")
    reader = UpdateReader(data)
    reached: dict[int, int] = {}
    kinds: dict[str, set[str]] = {}
    read, is_whole = 0, False
    try:
        for item in reader.structs():
            reached[item.client] = max(reached.get(item.client, 0), item.clock + item.length)
            if isinstance(item.parent, str):
                kinds.setdefault(item.parent, set()).add(_kind_of_root(item, data))
            read = reader.at
        reader.deleted()
        read, is_whole = reader.at, True
    except ValueError:
        pass  # what was read until here is the answer
    return Outline(
        encoding="v1" if reached or is_whole else "unknown",
        roots=tuple(Root(name, _joined(kinds[name])) for name in sorted(kinds)),
        writers=tuple(Writer(client, reached[client]) for client in sorted(reached)),
        read=read,
    )


def layouts(roots: tuple[Root, ...]) -> tuple[str, ...]:
    """Recognise the layouts of a document from the names of its roots."""
    names = {root.name for root in roots}
    is_keyed = any(name.startswith("table:") for name in names)
    is_maps = bool(names & {"tables", "definition", "schema"})
    return tuple(name for name, found in (("maps", is_maps), ("keyed_arrays", is_keyed)) if found)


def inspect_tables(data: bytes) -> tuple[InspectedTable, ...]:
    """Look at all tables of a document, and count what their cells really are.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    found = sorted(raw_tables(data), key=lambda table: (table.name, table.is_keyed_array))
    return tuple(_table(table) for table in found)


def _table(table: RawTable) -> InspectedTable:
    fields = as_map(as_json(table.definition)).get("fields")
    declared = as_map(fields)
    kinds: dict[str, Counter[str]] = {name: Counter() for name in declared}
    odd = 0
    for row in table.rows.values():
        if not isinstance(row, (pycrdt.Map, dict)):
            odd += 1
        for name, value in entries(row).items():
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


def _kind_of_root(item: Struct, data: bytes) -> str:
    """Tell what a root is from something directly in it."""
    if item.key is not None:
        return _MAP
    if item.kind in {STRING, FORMAT, EMBED}:
        return _TEXT
    if item.kind == TYPE:
        reference, _ = read_varuint(data, item.at)
        return _XML if reference in _XML_TYPES else _ARRAY
    return _ARRAY if item.kind in {ANY, DOC} else "unknown"


def _joined(kinds: set[str]) -> str:
    return " and ".join(sorted(kinds - {"unknown"})) or "unknown"
