"""A second reading of the rules for cells: kinds, columns, and what SQLite makes of them."""

import base64
import math
from typing import Any

import apsw
from pycrdt import Array, Doc, Map, Text

from tests.fidelity.expect.shapes import Json, j

SQLITE_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "real": "REAL"}
_EXACT = 2**53


def entries(value: Any) -> list[tuple[str, Any]]:
    """Give the entries of a shared map or an object, sorted."""
    return [(key, value[key]) for key in sorted(value.keys())]


def show(value: Any, kind: str | None, sqlite_type: str) -> tuple[Any, str | None, bool]:
    """Say what SQLite holds, the kind of problem, and whether the original is kept."""
    finite = not isinstance(value, float) or math.isfinite(value)
    json_column = kind in ("tags", "json")
    if value is None or (not finite and (json_column or math.isnan(value))):
        return None, None if value is None else "not_finite", False
    if json_column:
        right = not isinstance(value, bytes) and (kind == "json" or isinstance(value, list))
        return dump(plain(value)), None if right else "kind", False
    if isinstance(value, (list, dict)):
        return dump(value), None if kind == "" else "kind", False
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
    _MEMORY.execute(f'INSERT INTO t ("{sqlite_type}") VALUES (?)', (value,))
    return _MEMORY.execute(f'SELECT "{sqlite_type}" FROM t').get


def inferred_type(values: list[Any]) -> str:
    """Give the SQLite type that all values agree on, "" where they do not."""
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


def read_cell(value: Any) -> Any:
    """Read one cell: as ``_plain``, but bytes and numbers that are not finite stay."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, float) and not math.isfinite(value):
        return value
    return plain(value)


def plain(value: Any) -> Any:
    """Read a value as JSON has it."""
    if isinstance(value, (Map, dict)):
        return {key: plain(item) for key, item in entries(value)}
    if isinstance(value, (Array, list)):
        return [plain(item) for item in value]
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


def dump(value: Any) -> Json:
    """Write JSON that is compared by value: the digits of floats are the writer's choice."""
    return Json(j(value))
