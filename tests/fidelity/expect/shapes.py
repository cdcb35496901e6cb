"""The words in which the expected mirrors are written down."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

Cell = str | int | float | bytes | None
Line = tuple[str | None, str | None, str, int, str | None]
"""One line of ``_mirror_problems``: table_name, field, kind, rows, row_id."""


class Json(str):
    """JSON text that is compared by its value: for numbers whose digits the format does not fix."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and _read(other) == _read(self)

    def __hash__(self) -> int:
        return hash(json.dumps(_read(self)))


def _read(text: str) -> Any:
    """Read JSON as JavaScript does: every number is a float."""
    return json.loads(text, parse_int=float)


class Table(msgspec.Struct, frozen=True):
    """One table of a mirror.

    Attributes:
        columns: ``name TYPE`` in order, ``!`` behind the type for NOT NULL, ``-`` for no type.
        rows: The cells in the order of the columns; their Python types are the storage classes.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Expected(msgspec.Struct, frozen=True):
    """A whole mirror but its catalog: the tables by name, and the problems, in any order."""

    tables: dict[str, Table]
    problems: tuple[Line, ...] = ()


def j(value: object) -> str:
    """Write canonical JSON, as docs/format.md has it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def table(columns: str | Iterable[str], *rows: tuple[Any, ...]) -> Table:
    """Describe a table without the columns that every table has.

    Args:
        columns: Columns between ``id`` and ``_extra``; one string is split at commas.
        rows: id, cells, and ``_extra`` where it is not NULL: text as it is, else made into JSON.
    """
    between = [name for name in columns.split(",") if name] if isinstance(columns, str) else columns
    names = ("id TEXT!", *between, "_extra TEXT")
    return Table(names, tuple(_row(row, len(names)) for row in rows))


def _row(row: tuple[Any, ...], width: int) -> tuple[Cell, ...]:
    if len(row) == width - 1:
        return (*row, None)
    *cells, extra = row
    return (*cells, extra if isinstance(extra, str) else j(extra))


def expected(tables: dict[str, Table], *problems: Line, plain: Table | None = None) -> Expected:
    """Describe the mirror of a case: its own tables beside the healthy one."""
    return Expected({**tables, "plain": PLAIN if plain is None else plain}, problems)


_PLAIN_ROWS = (
    ("p1", 1, 1, 1.5, '["x","y"]', "One"),
    ("p2", -2, 0, 2.0, "[]", "Zwei ✓"),
    ("p3", 2**53 - 1, 1, 0.1, '["y"]', ""),
)

PLAIN = table("count INTEGER!,done INTEGER!,score REAL!,tags TEXT!,title TEXT!", *_PLAIN_ROWS)
"""The healthy table that every document holds, declared."""

PLAIN_INFERRED = table("count INTEGER,done INTEGER,score REAL,tags TEXT,title TEXT", *_PLAIN_ROWS)
"""The same without a definition."""
