"""Plans the tables and columns of a mirror from the definitions."""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import EXTRA, ID, place_columns, place_tables
from sidecar.model import MOST_FIELDS, FieldDefinition, Problem, Table

ROWID_STEP = 1 << 20
"""Rowids are positions times this, so that a row can be put between two others."""
_ROWIDS = ("rowid", "_rowid_", "oid")
_SQLITE_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "real": "REAL"}


Kind = Literal["boolean", "integer", "wide", "real", "text", "json", "bytes"]
"""Kind of a cell. ``wide`` is an integer that a float cannot hold exactly."""

_INFERRED: tuple[tuple[frozenset[Kind], str], ...] = (
    (frozenset(("boolean",)), "INTEGER"),
    (frozenset(("integer", "wide")), "INTEGER"),
    (frozenset(("integer", "real")), "REAL"),
    (frozenset(("text",)), "TEXT"),
    (frozenset(("json",)), "TEXT"),
    (frozenset(("bytes",)), "BLOB"),
)


class Column(msgspec.Struct, frozen=True):
    """One field's column.

    Attributes:
        name: In the mirror.
        source: The field's name in the document.
        field: Its definition, None in an undeclared table.
    """

    name: str
    source: str
    field: FieldDefinition | None

    @property
    def type(self) -> str | None:
        """The declared kind, None when there is none."""
        return self.field.type if self.field else None

    @property
    def required(self) -> bool:
        """Whether the definition requires a value in every row."""
        return self.field is not None and not self.field.nullable


class TableSchema(msgspec.Struct, frozen=True):
    """One table of the mirror.

    Attributes:
        name: In the mirror.
        table: The document's table.
        columns: Its fields' columns in the order of their names, without ``id`` and ``_extra``.
        order: For each column its index in ``table.fields``.
        surplus: Indexes in ``table.fields`` of the fields without a column.
        problems: Problems of names and definitions.
    """

    name: str
    table: Table
    columns: tuple[Column, ...]
    order: tuple[int, ...]
    surplus: tuple[int, ...]
    problems: tuple[Problem, ...]


def plan(tables: Sequence[Table]) -> list[TableSchema]:
    """Return the schemas of all tables, sorted by their names in the mirror."""
    defined = {table.name for table in tables if table.definition is not None}
    ordered = sorted(tables, key=lambda table: _precedence(table, defined))
    ranks = [_precedence(table, defined)[0] for table in ordered]
    names = place_tables([table.name for table in ordered], ranks)
    schemas = [_table(name, table) for name, table in zip(names, ordered, strict=True)]
    return sorted(schemas, key=lambda schema: schema.name)


def _precedence(table: Table, defined: Collection[str]) -> tuple[int, str, bool]:
    """Return the sort key that decides which table keeps its name.

    Defined tables come first, then undefined ones of a known layout, then the rest. If two tables
    have exactly the same name, the keyed array keeps it, defined or not.
    """
    is_keyed = table.layout in {"keyed_arrays", "cells"}
    if table.layout in {"tinybase", "shape"}:
        rank = 2
    else:
        is_first = table.definition is not None or (is_keyed and table.name in defined)
        rank = 0 if is_first else 1
    return rank, table.name, not is_keyed


def sqlite_type(column: Column, kinds: Collection[Kind]) -> str:
    """Return the declared SQLite type of a column, "" for none.

    Args:
        column: The column.
        kinds: The kinds of all its cells except null; they decide when no type is declared.
    """
    if column.field is not None:
        return _SQLITE_TYPES.get(column.field.type or "", "TEXT")
    for family, name in _INFERRED:
        if kinds and family.issuperset(kinds):
            return name
    return ""


def rowid_of(columns: Iterable[str]) -> str | None:
    """Return a name for the rowid of a table with these columns, None when all are used."""
    taken = set(map(fold, columns))
    return next((name for name in _ROWIDS if name not in taken), None)


def insert_row(name: str, columns: Sequence[str]) -> str:
    """Return the INSERT for ``id``, these columns, ``_extra``, and the rowid if it has a name."""
    names = [quote(column) for column in (ID, *columns, EXTRA)]
    names += filter(None, [rowid_of(columns)])
    marks = ",".join("?" * len(names))
    return f"INSERT INTO {quote(name)} ({','.join(names)}) VALUES ({marks})"


def create_table(name: str, columns: Sequence[tuple[str, str, bool]]) -> str:
    """Return CREATE TABLE for columns of name, SQLite type and whether they are NOT NULL."""
    lines = [f"{quote(ID)} TEXT NOT NULL PRIMARY KEY"]
    for column, declared, required in columns:
        words = [quote(column), declared, "NOT NULL" if required else ""]
        lines.append(" ".join(word for word in words if word))
    lines.append(f"{quote(EXTRA)} TEXT")
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {quote(name)} (\n  {body}\n)"


def _table(name: str, table: Table) -> TableSchema:
    shown = table.fields[:MOST_FIELDS]
    names = place_columns(shown)
    order = sorted(range(len(shown)), key=names.__getitem__)
    fields = {field.name: field for field in table.declared or ()}
    columns = tuple(Column(names[i], shown[i], fields.get(shown[i])) for i in order)
    problems = [_renamed(None, table.name)] if name != table.name else []
    problems += [_renamed(c.source, c.source) for c in columns if c.name != c.source]
    surplus = tuple(range(MOST_FIELDS, len(table.fields)))
    return TableSchema(
        name=name,
        table=table,
        columns=columns,
        order=tuple(order),
        surplus=surplus,
        problems=(*table.problems, *problems),
    )


def _renamed(field: str | None, original: str) -> Problem:
    return Problem(None, field, "name", detail=original)
