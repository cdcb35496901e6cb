"""A second, slow reading of documents: from the public API of pycrdt to the mirror they must have.

Written from SPEC sections 2 and 3 and sharing nothing with the program. It covers the layouts,
the cells and the problems; names need no bending in the documents it is used on.
"""

import base64
import math
from typing import Any, TypeGuard

import apsw
from pycrdt import Array, Doc, Map, Text

from tests.fidelity.expect.shapes import Expected, Json, Line, Table, j

_SQLITE_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "real": "REAL"}
_TYPES = frozenset(
    ("id", "text", "ytext", "richtext", "integer", "real", "boolean", "date", "select", "tags")
) | {"json"}
_EXACT = 2**53


def mirror_of(update: bytes) -> Expected:
    """Read a document and say what its mirror must hold."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    roots = list(doc.keys())
    definitions: dict[str, Any] = {}
    for root in ("schema", "definition"):
        definitions.update(_plain(doc.get(root, type=Map)).get("tables") or {})
    tables = {name: _rows(value) for name, value in _entries(doc.get("tables", type=Map))}
    keyed = {
        root.removeprefix("table:"): doc.get(root, type=Array)
        for root in roots
        if root.startswith("table:")
    }
    shown: dict[str, Table] = {}
    lines: list[Line] = []
    for name in sorted(tables.keys() | definitions.keys()):
        if name in definitions or tables.get(name):
            shown[name], more = _table(name, tables.get(name, {}), definitions.get(name))
            lines += more
    for name, array in keyed.items():
        rows, bad = _last_writers(array)
        if rows or bad:
            shown[name], more = _table(name, rows, None)
            lines += [*more, *([(name, None, "entry", bad, None)] if bad else [])]
    return Expected(shown, tuple(lines))


def _rows(value: Any) -> dict[str, Any]:
    return dict(_entries(value)) if isinstance(value, (Map, dict)) else {}


def _entries(value: Any) -> list[tuple[str, Any]]:
    return [(key, value[key]) for key in sorted(value.keys())]


def _last_writers(array: Any) -> tuple[dict[str, Any], int]:
    newest: dict[str, tuple[float, Any]] = {}
    bad = 0
    for element in array:
        entry = dict(_entries(element)) if isinstance(element, (Map, dict)) else {}
        key, ts = entry.get("key"), entry.get("ts")
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


def _table(name: str, rows: dict[str, Any], definition: Any) -> tuple[Table, list[Line]]:
    fields = None if definition is None else dict(definition["fields"])
    columns = _columns(rows, fields)
    tally = _Tally()
    cells = tuple(_row(key, rows[key], columns, tally) for key in sorted(rows))
    described = ["id TEXT!"]
    for index, (column, (_, sqlite_type)) in enumerate(columns.items(), 1):
        full = False
        if fields is not None and not _nullable(fields[column]):
            empty = [row[0] for row in cells if row[index] is None]
            for key in empty:
                tally.add(column, "missing", key)
            full = not empty
        described.append(f"{column} {sqlite_type or '-'}{'!' if full else ''}")
    lines: list[Line] = [
        (name, column, "definition", 0, None)
        for column, field in (fields or {}).items()
        if field.get("type") not in _TYPES
    ]
    lines += [(name, field, kind, n, key) for (field, kind), (n, key) in tally.lines.items()]
    return Table((*described, "_extra TEXT"), cells), lines


def _columns(
    rows: dict[str, Any], fields: dict[str, Any] | None
) -> dict[str, tuple[str | None, str]]:
    """Give each column's declared type ("" in a table that nobody declared) and SQLite's."""
    if fields is not None:
        kinds = {name: fields[name].get("type") for name in sorted(fields) if name != "id"}
        return {name: (kind, _SQLITE_TYPES.get(kind, "TEXT")) for name, kind in kinds.items()}
    maps = _maps(rows)
    names = sorted({name for row in maps for name in row.keys()} - {"id"})  # noqa: SIM118
    return {name: ("", _inferred([_value(row.get(name)) for row in maps])) for name in names}


def _maps(rows: dict[str, Any]) -> list[Any]:
    return [row for row in rows.values() if isinstance(row, (Map, dict))]


def _nullable(field: Any) -> bool:
    return field.get("type") == "richtext" or field.get("nullable") is True


def _row(
    key: str, row: Any, columns: dict[str, tuple[str | None, str]], tally: _Tally
) -> tuple[Any, ...]:
    if not isinstance(row, (Map, dict)):
        tally.add(None, "not_a_row", key)
        return (key, *[None] * len(columns), _dump(_plain(row)))
    extra = {
        name: _plain(value) for name, value in _entries(row) if name not in columns and name != "id"
    }
    own = _plain(row.get("id"))
    if own is not None and own != key:
        tally.add("id", "id_mismatch", key)
        extra["id"] = own
    cells = []
    for column, (kind, sqlite_type) in columns.items():
        value = _value(row.get(column))
        shown, problem, keep = _show(value, kind, sqlite_type)
        cells.append(shown)
        if problem:
            tally.add(column, problem, key)
        if keep:
            extra[column] = _plain(value)
    return (key, *cells, _dump(extra) if extra else None)


def _show(value: Any, kind: str | None, sqlite_type: str) -> tuple[Any, str | None, bool]:
    """Say what SQLite holds, the kind of problem, and whether the original is kept."""
    finite = not isinstance(value, float) or math.isfinite(value)
    json_column = kind in ("tags", "json")
    if value is None or (not finite and (json_column or math.isnan(value))):
        return None, None if value is None else "not_finite", False
    if json_column:
        right = not isinstance(value, bytes) and (kind == "json" or isinstance(value, list))
        return _dump(_plain(value)), None if right else "kind", False
    if isinstance(value, (list, dict)):
        return _dump(value), None if kind == "" else "kind", False
    stored = _stored(int(value) if isinstance(value, bool) else value, sqlite_type)
    keep = _changed(value, stored)
    return stored, None if _fits(value, kind, keep=keep) else "kind", keep


def _fits(value: Any, kind: str | None, *, keep: bool) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "":
        return not keep
    if kind == "integer":
        return number and isinstance(value, int)
    if kind == "real":
        return number and not keep
    return isinstance(value, bool if kind == "boolean" else str)


def _changed(value: Any, stored: Any) -> bool:
    """Whether the column shows something else than the value; 1, 1.0 and true are one there."""
    both = isinstance(value, (int, float)) and isinstance(stored, (int, float))
    return bool(value != stored or not (both or type(value) is type(stored)))


_MEMORY = apsw.Connection(":memory:")
_MEMORY.execute('CREATE TABLE t ("INTEGER" INTEGER, "REAL" REAL, "TEXT" TEXT, "BLOB" BLOB, "" )')


def _stored(value: Any, sqlite_type: str) -> Any:
    """Ask SQLite, the one that builds mirrors, what a column of a type makes of a value."""
    _MEMORY.execute("DELETE FROM t")
    _MEMORY.execute(f'INSERT INTO t ("{sqlite_type}") VALUES (?)', (value,))  # noqa: S608
    return _MEMORY.execute(f'SELECT "{sqlite_type}" FROM t').get  # noqa: S608


def _inferred(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    for family, sqlite_type in (
        ({bool}, "INTEGER"),
        ({int}, "INTEGER"),
        ({int, float}, "REAL"),
        ({str}, "TEXT"),
        ({list, dict}, "TEXT"),
        ({bytes}, "BLOB"),
    ):
        if kinds and kinds <= family:
            exact = all(float(value) == value for value in values if type(value) is int)
            return sqlite_type if sqlite_type != "REAL" or exact else ""
    return ""


def _value(value: Any) -> Any:
    """Read one cell: as ``_plain``, but bytes and numbers that are not finite stay."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, float) and not math.isfinite(value):
        return value
    return _plain(value)


def _plain(value: Any) -> Any:
    """Read a value as JSON has it."""
    if isinstance(value, (Map, dict)):
        return {key: _plain(item) for key, item in _entries(value)}
    if isinstance(value, (Array, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Doc):
        return value.guid
    return str(value) if isinstance(value, Text) else value


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _dump(value: Any) -> Json:
    """Write JSON that is compared by value: the digits of floats are the writer's choice."""
    return Json(j(value))
