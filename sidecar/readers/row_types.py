"""Row types in TypeScript, for programs that read mirrors. Values in, text out."""

import json
import re
from collections.abc import Sequence

from sidecar.mirror.identifiers import fold
from sidecar.reports import Schema, SchemaColumn, SchemaTable

_HEAD = """\
// Rows of the mirrors that epicenter-sidecar makes, as SQLite drivers give them.
// Written by `epicenter-sidecar schema --typescript`. A cell of another kind than its column says
// is possible: each has a line in _mirror_problems.

/** JSON text: JSON.parse gives the value. */
export type JsonText = string
"""
_KINDS = {"boolean": "0 | 1", "tags": "JsonText", "json": "JsonText"}
_STORED = {"TEXT": "string", "INTEGER": "number", "REAL": "number"}
_ANY = "string | number | Uint8Array | null"
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def row_types(schemas: Sequence[Schema]) -> str:
    """Write an interface for each table; one of several mirrors fits the rows of all."""
    found: dict[str, list[SchemaTable]] = {}
    for schema in schemas:
        for table in schema.tables:
            found.setdefault(fold(table.name), []).append(table)
    names: dict[str, str] = {}
    parts = [_HEAD]
    for key in sorted(found):
        name = _type_name(found[key][0].name, set(names.values()))
        names[found[key][0].name] = name
        parts.append(_interface(name, found[key]))
    lines = [f"  {_property(table)}: {name}" for table, name in names.items()]
    parts.append("/** Rows by the name of their table. */\nexport interface Tables {")
    return "\n".join([*parts, *lines, "}"]) + "\n"


def _interface(name: str, tables: Sequence[SchemaTable]) -> str:
    columns: dict[str, list[SchemaColumn]] = {}
    for table in tables:
        for column in table.columns:
            columns.setdefault(fold(column.name), []).append(column)
    lines = [
        line
        for same in columns.values()
        for line in _lines(same, is_everywhere=len(same) == len(tables))
    ]
    about = _remark([tables[0].label, tables[0].description])
    return "\n".join([*about, f"export interface {name} {{", *lines, "}", ""])


def _lines(columns: Sequence[SchemaColumn], *, is_everywhere: bool) -> list[str]:
    first = columns[0]
    kinds = list(dict.fromkeys(map(_kind, columns)))
    kind = _ANY if _ANY in kinds else " | ".join(kinds)
    nullable = not is_everywhere or any(column.nullable for column in columns)
    if nullable and kind != _ANY:
        kind += " | null"
    options = (
        None if first.options is None else f"one of {json.dumps(first.options, ensure_ascii=False)}"
    )
    about = _remark([first.label, first.description, options])
    return [f"  {line}" for line in (*_remark(about), f"{_property(first.name)}: {kind}")]


def _kind(column: SchemaColumn) -> str:
    if column.name == "_extra":
        return "JsonText"
    return _KINDS.get(column.type or "") or _STORED.get(column.sqlite_type, _ANY)


def _remark(parts: Sequence[str | None]) -> list[str]:
    """Write a remark of one line; nothing in it can end it."""
    text = ": ".join(part for part in parts if part)
    plain = " ".join(text.split()).replace("*/", "*\\/")
    return [f"/** {plain} */"] if plain else []


def _property(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    escaped = name.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    return f"'{_as_javascript(escaped)}'"


def _as_javascript(text: str) -> str:
    r"""Turn Python's ``\U0001f600`` into ``\u{1f600}``."""
    return re.sub(r"\\U([0-9a-f]{8})", lambda found: f"\\u{{{int(found[1], 16):x}}}", text)


def _type_name(table: str, taken: set[str]) -> str:
    """Name a table's type in the way of TypeScript: due_dates -> DueDates."""
    words = re.findall(r"[A-Za-z0-9]+", table)
    base = "".join(word[0].upper() + word[1:] for word in words) or "Table"
    base = f"Table{base}" if base[0].isdigit() or base in {"Tables", "JsonText"} else base
    name, number = base, 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
