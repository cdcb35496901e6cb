"""What a mirror must hold, stated anew after docs/format.md, with SQLite itself as the judge.

Nothing here is shared with the code that builds mirrors (naming, schema, rows): names, columns
and cells are stated anew, slow and plain, and what a declared type makes of a value is asked of
SQLite by storing it.
"""

import binascii
import json
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import apsw
import msgspec

from sidecar.model import EXACT_INTEGER, Cell, as_map, is_list
from sidecar.reference.values import (
    Displaced,
    NoMap,
    PlainRow,
    PlainTable,
    TooDeep,
    in_javascript,
)

_MOST_FIELDS = 1998
_ROWS_AT_ONCE = 500
_DECLARED_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "real": "REAL"}
_AS_JSON = ("tags", "json")
_KEYED = ("keyed_arrays", "cells")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class ExpectedColumn(msgspec.Struct, frozen=True):
    """One column as its definition, or its values where there is none, ask for.

    Attributes:
        name: In the mirror.
        source: The field, None for ``_extra``.
        sqlite_type: The declared type, "" for none.
        required: Whether it is NOT NULL as long as every row has a value.
        type: The kind that the definition names.
        about: label, description, icon and options, as in ``_mirror_columns``.
    """

    name: str
    source: str | None
    sqlite_type: str
    required: bool = False
    type: str | None = None
    about: tuple[str | None, ...] = (None, None, None, None)


class ExpectedTable:
    """One table as the mirror must show it.

    Attributes:
        name: In the mirror.
        columns: In their order, ``id`` first and ``_extra`` last.
        without_value: Names of the columns in which ``rows`` has met a null so far.
        about: source, label, description, icon and declared, as in ``_mirror_tables``.
    """

    def __init__(self, name: str, table: PlainTable) -> None:
        """State names and columns; walks the rows where nobody declared the fields."""
        self.name = name
        self.without_value: set[str] = set()
        definition = as_map(table.definition)
        declared = isinstance(definition.get("fields"), dict)
        self.about = (table.name, *_about(definition), int(declared))
        fields: dict[str, Any] = definition["fields"] if declared else _with_kept(table)
        sources = [*table.added, *sorted(fields.keys() - {"id", *table.added})]
        names = place(sources[:_MOST_FIELDS], {"id", "_extra"}, columns=True)
        column = _declared if declared else _inferred
        key = (
            _declared("id", "id", fields.get("id")) if declared else ExpectedColumn("id", "id", "")
        )
        self.columns = (
            msgspec.structs.replace(key, sqlite_type="TEXT", required=True),
            *sorted(
                (column(n, s, fields[s]) for n, s in zip(names, sources, strict=False)),
                key=lambda column: column.name,
            ),
            ExpectedColumn("_extra", None, "TEXT"),
        )
        self._rows = table.rows
        self._fields = fields.keys()
        self._surplus = frozenset(sources[_MOST_FIELDS:])

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Give the rows as SQLite shows them, in id order: id, the columns, _extra."""
        columns = self.columns[1:-1]
        typed = _Scratch([column.sqlite_type for column in columns])
        untyped = _Scratch(["" for _ in columns])
        rows = self._rows()
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            given = [[_given(column, row) for column in columns] for _, row in batch]
            stored, unadjusted = typed.store(given), untyped.store(given)
            for (key, row), cells, originals in zip(batch, stored, unadjusted, strict=True):
                adjusted = {
                    column.source
                    for column, one, other in zip(columns, cells, originals, strict=True)
                    if _is_adjusted(one, other)
                }
                nulls = (c.name for c, v in zip(columns, cells, strict=True) if v is None)
                self.without_value.update(nulls)
                yield key, *cells, self._extra(key, row, adjusted)

    def _extra(self, key: str, row: PlainRow, adjusted: set[str | None]) -> str | None:
        if isinstance(row, NoMap):
            return json_text(row.value)
        found: dict[str, Cell] = {}
        if isinstance(row, Displaced):
            found = {field: _plain(value) for field, value in row.fields.items()}
        for field, value in _cells(row).items():
            if field == "id":
                keep = value is not None and value != key
            elif field in self._surplus:
                keep = value is not None and not isinstance(value, TooDeep)
            else:
                keep = field not in self._fields or field in adjusted
            if keep:
                found[field] = _plain(value)
        return json_text(found) if found else None


def expect(tables: Sequence[PlainTable]) -> list[ExpectedTable]:
    """State what the mirror of these tables must hold, in the order of its names."""
    arrays = {table.name for table in tables if table.layout in _KEYED}
    defined = {table.name for table in tables if table.is_defined}
    first: list[PlainTable] = []
    then: list[PlainTable] = []
    last: list[PlainTable] = []
    for table in tables:
        if table.layout in {"shape", "tinybase"}:
            last.append(table)
        else:
            (first if table.name in defined else then).append(table)
    used = set[str]()
    expected: list[ExpectedTable] = []
    for group in (first, then, last):
        # of two tables with one name the keyed array keeps it
        group.sort(key=lambda table: (table.name, table.name in arrays and table.layout == "maps"))
        names = place([table.name for table in group], used)
        expected += [ExpectedTable(name, table) for name, table in zip(names, group, strict=True)]
    return sorted(expected, key=lambda table: table.name)


def place(names: Sequence[str], used: set[str], *, columns: bool = False) -> list[str]:
    """Give each name its place: first those that can stay as they are, then the adjusted ones.

    Args:
        names: In the order in which they may choose; of equal ones the first keeps its name.
        used: Names that are taken, folded; those that are given out now are added.
        columns: Whether they are the columns of one table; else they are tables.
    """
    placed: dict[int, str] = {}
    numbers: dict[str, int] = {}
    for stays in (True, False):
        for index, name in enumerate(names):
            if index in placed:
                continue
            adjusted = _adjust(name, columns=columns)
            free = _lower(adjusted) not in used and (
                columns or not _lower(adjusted).startswith("_mirror")
            )
            if not stays or (free and adjusted == name):
                placed[index] = adjusted if free else _numbered(adjusted, used, numbers)
                used.add(_lower(placed[index]))
    return [placed[index] for index in range(len(names))]


def json_text(value: Cell) -> str:
    """Write canonical JSON: keys sorted, no spaces, text as it is, floats as short as can be.

    It lists what it joins: a call from a generator or from ``map`` takes of the C stack, of which
    Python 3.12 allows less than the depth of JSON needs.
    """
    if isinstance(value, dict):
        entries = sorted(as_map(value).items())
        parts = [f"{json_text(key)}:{json_text(item)}" for key, item in entries]
        return "{" + ",".join(parts) + "}"
    if is_list(value):
        return "[" + ",".join([json_text(item) for item in value]) + "]"
    if isinstance(value, float):
        return in_javascript(value)
    return json.dumps(value, ensure_ascii=False)


class _Scratch:
    """A table in memory that says what SQLite makes of cells."""

    def __init__(self, types: Sequence[str]) -> None:
        self._connection = apsw.Connection(":memory:")
        columns = "".join(f", c{index} {name}" for index, name in enumerate(types))
        self._connection.execute(f"CREATE TABLE t (n INTEGER PRIMARY KEY{columns})")
        self._insert = f"INSERT INTO t VALUES (?{',?' * len(types)})"

    def store(self, rows: Sequence[Sequence[Cell]]) -> list[tuple[Cell, ...]]:
        """Store rows and read them again."""
        with self._connection:
            self._connection.execute("DELETE FROM t")
            try:
                numbered = ((n, *row) for n, row in enumerate(rows))
                self._connection.executemany(self._insert, numbered)
            except apsw.TooBigError:
                self._connection.execute("DELETE FROM t")
                for n, row in enumerate(rows):
                    self._store(n, list(row))
        return [row[1:] for row in self._connection.execute("SELECT * FROM t ORDER BY n")]

    def _store(self, n: int, row: list[Cell]) -> None:
        """Store a row; of one that SQLite finds too large, without its largest cells."""
        while True:
            try:
                self._connection.execute(self._insert, (n, *row))
            except apsw.TooBigError:
                row[max(range(len(row)), key=lambda index: _size(row[index]))] = None
            else:
                return


def _size(value: Cell) -> int:
    text = value.encode() if isinstance(value, str) else value
    return len(text) if isinstance(text, bytes) else 0


def _given(column: ExpectedColumn, row: PlainRow) -> Cell:
    """Give what a column is asked to store of a row."""
    value = _cells(row).get(column.source or "")
    if value is None or isinstance(value, TooDeep):
        return None
    if column.type in _AS_JSON:
        finite = not isinstance(value, float) or math.isfinite(value)
        return json_text(_plain(value)) if finite else None
    return json_text(value) if isinstance(value, (list, dict)) else value


def _cells(row: PlainRow) -> dict[str, Cell]:
    if isinstance(row, NoMap):
        return {}
    return row.cells if isinstance(row, Displaced) else row


def _is_adjusted(stored: Cell, original: Cell) -> bool:
    """Tell whether a declared type made something else of a value; 7 and 7.0 are the same."""
    numbers = isinstance(stored, (int, float)) and isinstance(original, (int, float))
    return stored != original if numbers else (type(stored), stored) != (type(original), original)


def _plain(value: Cell) -> Cell:
    """Give a cell as JSON shows it."""
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    unshown = isinstance(value, TooDeep) or (isinstance(value, float) and not math.isfinite(value))
    return None if unshown else value


def _declared(name: str, source: str, definition: Cell) -> ExpectedColumn:
    definition = as_map(definition)
    kind, options = definition.get("type"), definition.get("options")
    kind = kind if isinstance(kind, str) else None
    return ExpectedColumn(
        name=name,
        source=source,
        sqlite_type=_DECLARED_TYPES.get(kind or "", "TEXT"),
        required=kind != "richtext" and definition.get("nullable") is not True,
        type=kind,
        about=(*_about(definition), None if options is None else json_text(options)),
    )


def _inferred(name: str, source: str, kinds: set[str]) -> ExpectedColumn:
    kind = kinds.copy().pop() if len(kinds) == 1 else "mixed"
    if kinds and kinds <= {"INTEGER", "WIDE"}:
        kind = "INTEGER"
    elif kinds and kinds <= {"INTEGER", "REAL"}:
        kind = "REAL"
    shown = {"BOOLEAN": "INTEGER", "JSON": "TEXT", "mixed": ""}
    return ExpectedColumn(name, source, shown.get(kind, kind))


def _kinds(table: PlainTable) -> dict[str, set[str]]:
    """Give the kinds of value that each field holds, of a table that nobody declared."""
    kinds: dict[str, set[str]] = {}
    for _, row in table.rows():
        for field, value in _cells(row).items():
            found = kinds.setdefault(field, set())
            if value is not None and not isinstance(value, TooDeep):
                found.add(_kind(value))
    return kinds


def _with_kept(table: PlainTable) -> dict[str, set[str]]:
    """Add the columns that a table has had, in their order, until SQLite has room for no more."""
    kinds = _kinds(table)
    for field in sorted(table.kept):
        if (
            field not in kinds
            and len(kinds.keys() | {*table.added}) - ("id" in kinds) < _MOST_FIELDS
        ):
            kinds[field] = set()
    return kinds


def _kind(value: Cell) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "INTEGER" if abs(value) <= EXACT_INTEGER else "WIDE"
    for kind, name in ((float, "REAL"), (str, "TEXT"), (bytes, "BLOB")):
        if isinstance(value, kind):
            return name
    return "JSON"


def _about(definition: dict[str, Any]) -> tuple[str | None, ...]:
    """Give label, description and icon: a text as it is, anything else as JSON."""
    values = [definition.get(key) for key in ("name", "description", "icon")]
    return tuple(v if v is None or isinstance(v, str) else json_text(v) for v in values)


def _adjust(name: str, *, columns: bool) -> str:
    adjusted = name.replace("\0", "\ufffd")
    return f"_{adjusted}" if not columns and _lower(adjusted).startswith("sqlite_") else adjusted


def _numbered(name: str, used: set[str], numbers: dict[str, int]) -> str:
    """Give the first numbered form that is free; ``numbers`` says which one to try next."""
    folded = _lower(name)
    number = numbers.get(folded, 2)
    while f"{folded}_{number}" in used:
        number += 1
    numbers[folded] = number + 1
    return f"{name}_{number}"


def _lower(name: str) -> str:
    """Fold a name as SQLite compares them: ASCII only."""
    return name.translate(_ASCII_LOWER)
