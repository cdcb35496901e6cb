"""A second, slow reading of documents: from the public API of pycrdt to the mirror they must have.

Written from docs/format.md and sharing nothing with the program. It covers the layouts,
the definitions, the names, the cells and the problems.
"""

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec
from pycrdt import Array, Doc, Map

from tests.fidelity.expect.shapes import Expected, Line, Table
from tests.fidelity.oracle_cells import (
    SQLITE_TYPES,
    dump,
    entries,
    inferred_type,
    plain,
    read_cell,
    show,
)
from tests.fidelity.oracle_names import place_columns, place_tables

_TYPES = frozenset(
    ("id", "text", "ytext", "richtext", "integer", "real", "boolean", "date", "select", "tags")
) | {"json"}
_ABSENT = object()


class _Found(msgspec.Struct):
    """One table of the document; ``fields`` is None when nobody declared it."""

    name: str
    in_maps: bool
    rows: dict[str, Any]
    fields: dict[str, Any] | None = None
    defined: bool = False
    problems: list[tuple[str | None, str, int]] = []


def mirror_of(update: bytes) -> Expected:
    """Read a document and say what its mirror must hold."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    roots = list(doc.keys())
    arrays = [root for root in roots if root.startswith("table:")]
    lines: list[Line] = []
    found = [
        *_maps(doc, lines),
        *_keyed_arrays({root: doc.get(root, type=Array) for root in arrays}),
    ]
    defined = {table.name for table in found if table.defined}
    found.sort(key=lambda table: (table.name not in defined, table.name, table.in_maps))
    first = [it.name for it in found if it.name in defined]
    taken: set[str] = set()
    places = place_tables(first, taken)
    places += place_tables([it.name for it in found[len(first) :]], taken)
    shown: dict[str, Table] = {}
    for place, table in zip(places, found, strict=True):
        if place != table.name:
            table.problems.append((None, "name", 0))
        shown[place], more = _table(place, table)
        lines += more
    return Expected(shown, tuple(lines))


def _maps(doc: Doc[Any], lines: list[Line]) -> Iterator[_Found]:
    definitions: dict[str, Any] = {}
    for root in ("schema", "definition"):
        declared = plain(doc.get(root, type=Map)).get("tables")
        if declared is not None and not isinstance(declared, dict):
            lines.append((None, None, "definition", 0, None))
        definitions.update(declared if isinstance(declared, dict) else {})
    tables = dict(entries(doc.get("tables", type=Map)))
    for name in tables.keys() | definitions.keys():
        value = tables.get(name, {})
        is_map = isinstance(value, (Map, dict))
        found = _Found(name, in_maps=True, rows=dict(entries(value)) if is_map else {}, problems=[])
        _declare(found, definitions.get(name, _ABSENT))
        found.defined = name in definitions
        if not is_map:
            found.problems.append((None, "not_a_table", 0))
        if name in definitions or found.rows or not is_map:
            yield found


def _declare(found: _Found, definition: Any) -> None:
    fields = definition.get("fields") if isinstance(definition, dict) else None
    if not isinstance(fields, dict):
        if definition is not _ABSENT and definition != {}:
            found.problems.append((None, "definition", 0))
        return
    found.fields = {}
    for name, field in fields.items():
        found.fields[name] = declared = field if isinstance(field, dict) else {}
        if not isinstance(declared.get("type"), str) or declared["type"] not in _TYPES:
            found.problems.append((name, "definition", 0))


def _keyed_arrays(arrays: dict[str, Any]) -> Iterator[_Found]:
    for root, array in arrays.items():
        rows, bad = _last_writers(array)
        if rows or bad:
            problems: list[tuple[str | None, str, int]] = [(None, "entry", bad)] if bad else []
            name = root.removeprefix("table:")
            yield _Found(name, in_maps=False, rows=rows, problems=problems)


def _last_writers(array: Any) -> tuple[dict[str, Any], int]:
    newest: dict[str, tuple[float, Any]] = {}
    bad = 0
    for element in array:
        entry = dict(entries(element)) if isinstance(element, (Map, dict)) else {}
        key, ts = entry.get("key"), entry.get("ts", -math.inf)
        if not isinstance(key, str) or not _is_time(ts):
            bad += 1
        elif key not in newest or ts >= newest[key][0]:
            newest[key] = (ts, entry.get("val"))
    return {key: row for key, (_, row) in newest.items()}, bad


def _is_time(ts: Any) -> TypeGuard[float]:
    return isinstance(ts, (int, float)) and not isinstance(ts, bool) and not math.isnan(ts)


class _Tally:
    """Counts problem lines of one table."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str | None, str], tuple[int, str]] = {}

    def add(self, field: str | None, kind: str, row_id: str) -> None:
        count, first = self.lines.get((field, kind), (0, row_id))
        self.lines[field, kind] = (count + 1, first)


def _table(name: str, found: _Found) -> tuple[Table, list[Line]]:
    columns = _columns(found)
    names = place_columns(list(columns))
    tally = _Tally()
    cells = [_row(key, found.rows[key], columns, tally) for key in sorted(found.rows)]
    described = []
    for index, (column, (_, sqlite_type)) in enumerate(columns.items(), 1):
        required = found.fields is not None and not _nullable(found.fields[column])
        empty = [row[0] for row in cells if row[index] is None]
        for key in empty if required else ():
            tally.add(column, "missing", key)
        full = "!" if required and not empty else ""
        described.append(f"{names[index - 1]} {sqlite_type or '-'}{full}")
    bent = [column for column, place in zip(columns, names, strict=True) if column != place]
    lines: list[Line] = [(name, column, "name", 0, None) for column in bent]
    lines += [(name, field, kind, rows, None) for field, kind, rows in found.problems]
    lines += [(name, field, kind, n, key) for (field, kind), (n, key) in tally.lines.items()]
    order = sorted(range(len(names)), key=names.__getitem__)
    ordered = tuple((row[0], *(row[index + 1] for index in order), row[-1]) for row in cells)
    return Table(
        ("id TEXT!", *(described[index] for index in order), "_extra TEXT"), ordered
    ), lines


def _columns(found: _Found) -> dict[str, tuple[str | None, str]]:
    """Give each column's declared type ("" in a table that nobody declared) and SQLite's."""
    if found.fields is not None:
        kinds = {name: _type(found.fields[name]) for name in sorted(found.fields) if name != "id"}
        return {name: (kind, SQLITE_TYPES.get(kind or "", "TEXT")) for name, kind in kinds.items()}
    maps = [row for row in found.rows.values() if isinstance(row, (Map, dict))]
    names = sorted({name for row in maps for name, _ in entries(row)} - {"id"})
    return {name: ("", inferred_type([read_cell(row.get(name)) for row in maps])) for name in names}


def _type(field: Any) -> str | None:
    declared = field.get("type")
    return declared if isinstance(declared, str) and declared else None


def _nullable(field: Any) -> bool:
    return field.get("type") == "richtext" or field.get("nullable") is True


def _row(
    key: str, row: Any, columns: dict[str, tuple[str | None, str]], tally: _Tally
) -> tuple[Any, ...]:
    if not isinstance(row, (Map, dict)):
        tally.add(None, "not_a_row", key)
        return (key, *[None] * len(columns), dump(plain(row)))
    extra = {
        name: plain(value) for name, value in entries(row) if name not in columns and name != "id"
    }
    own = plain(row.get("id"))
    if own is not None and own != key:
        tally.add("id", "id_mismatch", key)
        extra["id"] = own
    cells = []
    for column, (kind, sqlite_type) in columns.items():
        value = read_cell(row.get(column))
        shown, problem, keep = show(value, kind, sqlite_type)
        cells.append(shown)
        if problem:
            tally.add(column, problem, key)
        if keep:
            extra[column] = plain(value)
    return (key, *cells, dump(extra) if extra else None)
