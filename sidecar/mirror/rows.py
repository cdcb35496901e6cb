"""Converts cells to SQLite values, and records problems. Pure."""

import math
from collections.abc import Callable, Sequence

from sidecar.digests import Piece
from sidecar.javascript import dump_json, json_number
from sidecar.mirror.schema import ROWID_STEP, Column, Kind, TableSchema
from sidecar.mirror.summaries import Problems, RowProblemLine, Summary, summarize
from sidecar.model import EXACT_INTEGER, Block, Cell

Converted = tuple[Cell, str | None, bool]
"""The SQLite value, the kind of problem or None, and whether _extra keeps the original."""

_NUMERIC_CHARACTERS = frozenset("0123456789+-.eE")
_NULL = type(None)
KINDS: dict[type, Kind] = {
    bool: "boolean",
    int: "integer",
    float: "real",
    str: "text",
    list: "json",
    dict: "json",
    bytes: "bytes",
}
_DETAIL = 200
_ROW_HEADER = 18
"""Bytes that SQLite needs beside the content of a cell: its type and length, or a number."""
_TOO_MANY = "past SQLite's 2000 columns; the values are in _extra"


class RowWriter:
    """Converts the rows of one table to rows for SQLite, and collects a summary of each chunk.

    Attributes:
        schema: The table.
        rows: Rows so far.
        kinds: For each column the kinds of its cells in the open chunk, without null.
        nullable: For each column whether it has a null in the open chunk.
        odd: Its rows whose part in the summary does not follow from the types of their cells, those
            with problems or wide integers -> field, kind and detail of each problem.
    """

    def __init__(self, schema: TableSchema) -> None:
        self.rows = 0
        self.schema = schema
        self._summaries: list[Summary] = []
        self._is_open = False
        self._begin()

    def columns(self, piece: Piece) -> list[Sequence[Cell]]:
        """Convert rows that belong to one chunk.

        Returns:
            By column: their ids, the columns in the schema's order, extras, and rowids.
        """
        block = piece.rows
        if piece.begins:
            self._close()
        self._is_open = True
        first = self.rows + 1
        self.rows += len(block.ids)
        rowids = range(first * ROWID_STEP, (self.rows + 1) * ROWID_STEP, ROWID_STEP)
        for problem in block.problems:
            self._note(problem.field, problem.kind, problem.row_id, problem.detail)
        originals: list[tuple[int, str, Cell]] = []
        columns = [
            self._column(index, block.columns[source], block.ids, originals)
            for index, source in enumerate(self.schema.order)
        ]
        for source in self.schema.surplus:
            self._surplus(self.schema.table.fields[source], block, source, originals)
        extras = _extras(block.extras, originals)
        return [block.ids, *columns, extras, rowids]

    def summaries(self) -> list[Summary]:
        """Return the summary of each chunk; this closes the last chunk."""
        self._close()
        return self._summaries

    def fit(self, row: tuple[Cell, ...], limit: int) -> tuple[Cell, ...]:
        """Replace the largest cells of a row that is too large for SQLite by NULL until it fits.

        Args:
            row: A row of ``columns``.
            limit: Most bytes that SQLite accepts in one row.
        """
        cells, row_id = list(row), str(row[0])
        sizes = {index: _size(value) for index, value in enumerate(cells) if index}
        while sum(sizes.values()) > limit - _ROW_HEADER * len(cells):
            index = max(sizes, key=lambda index: (sizes[index], -index))
            if not sizes[index]:
                break  # the id alone does not fit: SQLite raises
            detail = f"{sizes[index]} bytes, more than SQLite accepts in one row"
            cells[index], sizes[index] = None, 0
            column = self.schema.columns[index - 1] if index <= len(self.schema.columns) else None
            self._note(column.source if column else None, "too_large", row_id, detail)
            if column:
                self.nullable[index - 1] = True
                if column.required:
                    self._note(column.source, "missing", row_id, None)
        return tuple(cells)

    def _begin(self) -> None:
        self.odd: dict[str, list[RowProblemLine]] = {}
        self.kinds: list[set[Kind]] = [set() for _ in self.schema.columns]
        self.nullable = [False] * len(self.schema.columns)

    def _close(self) -> None:
        if not self._is_open:
            return
        problems = Problems()
        for row_id, found in self.odd.items():
            problems.add_row(row_id, found)
        self._summaries.append(
            summarize(self.schema, self.kinds, self.nullable, problems.counted())
        )
        self._is_open = False
        self._begin()

    def _column(
        self,
        index: int,
        cells: Sequence[Cell],
        ids: Sequence[str],
        originals: list[tuple[int, str, Cell]],
    ) -> Sequence[Cell]:
        column = self.schema.columns[index]
        kinds = set(map(type, cells))
        self.kinds[index].update(KINDS[kind] for kind in kinds if kind is not _NULL)
        if column.field is None and int in kinds and _has_wide(cells, kinds):
            self.kinds[index].add("wide")
            for row_id, value in zip(ids, cells, strict=True):
                if is_wide(value):
                    self.odd.setdefault(row_id, [])
        whole, convert = _CONVERTERS.get(column.type or "", _TEXT) if column.field else _UNDECLARED
        stored = whole(cells, kinds)
        if stored is None:
            stored = self._one_by_one(column, convert, cells, ids, originals)
        if _NULL in kinds or (stored is not cells and None in stored):
            self.nullable[index] = True
            if column.required:
                self._missing(column, stored, ids)
        return stored

    def _one_by_one(
        self,
        column: Column,
        convert: Callable[[Cell], Converted],
        cells: Sequence[Cell],
        ids: Sequence[str],
        originals: list[tuple[int, str, Cell]],
    ) -> list[Cell]:
        stored: list[Cell] = []
        for index, value in enumerate(cells):
            shown, problem, keep = convert(value)
            stored.append(shown)
            if problem:
                self._note(column.source, problem, ids[index], _detail(column, value))
            if keep:
                originals.append((index, column.source, value))
        return stored

    def _surplus(
        self, name: str, block: Block, source: int, originals: list[tuple[int, str, Cell]]
    ) -> None:
        for index, value in enumerate(block.columns[source]):
            if value is not None:
                originals.append((index, name, value))
                self._note(name, "too_many", block.ids[index], _TOO_MANY)

    def _missing(self, column: Column, stored: Sequence[Cell], ids: Sequence[str]) -> None:
        for index, value in enumerate(stored):
            if value is None:
                self._note(column.source, "missing", ids[index], None)

    def _note(self, field: str | None, kind: str, row_id: str, detail: str | None) -> None:
        self.odd.setdefault(row_id, []).append((field, kind, detail))


def _extras(extras: Sequence[Cell], originals: Sequence[tuple[int, str, Cell]]) -> list[str | None]:
    merged: list[Cell] = list(extras)
    own: set[int] = set()  # rows whose dict is already a copy: the block's own is not changed
    for index, name, value in originals:
        if index not in own:
            own.add(index)
            merged[index] = dict(merged[index] or {})
        merged[index][name] = _json(value)
    return [
        None if extra is None else dump_json(extra[0] if isinstance(extra, list) else extra)
        for extra in merged
    ]


def _json(value: Cell) -> Cell:
    """Return a cell as JSON: no NaN, no infinities, numbers as JavaScript prints them."""
    if not isinstance(value, float):
        return value
    return json_number(value) if math.isfinite(value) else None


def _detail(column: Column, value: Cell) -> str:
    text = value.hex() if isinstance(value, bytes) else dump_json(_json(value))
    if isinstance(value, float) and not math.isfinite(value):
        text = str(value)
    shown = text if len(text) <= _DETAIL else text[:_DETAIL] + "…"
    return f"{column.type or 'undeclared'} holds {shown}"


def _size(value: Cell) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(value) if isinstance(value, bytes) else 0


def _has_wide(cells: Sequence[Cell], kinds: set[type]) -> bool:
    """Tell whether any cell is wide; a column of integers alone without a call for each."""
    if kinds == {int}:
        return bool(min(cells) < -EXACT_INTEGER or max(cells) > EXACT_INTEGER)
    return any(map(is_wide, cells))


def is_wide(value: Cell) -> bool:
    """Tell whether a cell is an integer that JavaScript's numbers do not hold."""
    return type(value) is int and not -EXACT_INTEGER <= value <= EXACT_INTEGER


def _text(value: Cell) -> Converted:
    if value is None or isinstance(value, str):
        return value, None, False
    if isinstance(value, (list, dict)):
        return dump_json(value), "kind", False
    if isinstance(value, bytes):
        return value, "kind", False
    if isinstance(value, float) and math.isnan(value):
        return None, "not_finite", False
    return value, "kind", True


def _other_in_numeric(value: Cell) -> Converted:
    """Convert a cell that is neither null nor a number for a column of numeric affinity."""
    if isinstance(value, str):
        return value, "kind", _is_numeric(value)
    if isinstance(value, (list, dict)):
        return dump_json(value), "kind", False
    return value, "kind", False


def _is_numeric(text: str) -> bool:
    """Return whether SQLite converts a text to a number (Datatypes In SQLite, 3: numeric affinity).

    SQLite reads it only up to a NUL; the rest would be lost.
    """
    literal = text.partition("\0")[0].strip(" \t\n\v\f\r")
    if not _NUMERIC_CHARACTERS.issuperset(literal):
        return False
    try:
        float(literal)
    except ValueError:
        return False
    return True


def _integer(value: Cell) -> Converted:
    if value is None or type(value) is int:
        return value, None, False
    if not isinstance(value, float):
        return _other_in_numeric(value)
    return (None, "not_finite", False) if math.isnan(value) else (value, "kind", False)


def _boolean(value: Cell) -> Converted:
    if value is None or isinstance(value, bool):
        return value, None, False
    shown, problem, keep = _integer(value)
    return shown, problem or "kind", keep


def _real(value: Cell) -> Converted:
    if isinstance(value, float):
        return (None, "not_finite", False) if math.isnan(value) else (value, None, False)
    if value is None or (type(value) is int and int(float(value)) == value):
        return value, None, False
    if type(value) is int:
        return value, "kind", True
    return _other_in_numeric(value)


def _json_text(value: Cell) -> Converted:
    if value is None:
        return None, None, False
    if isinstance(value, float) and not math.isfinite(value):
        return None, "not_finite", False
    return dump_json(_json(value)), "kind" if isinstance(value, bytes) else None, False


def _tags(value: Cell) -> Converted:
    shown, problem, keep = _json_text(value)
    if problem is None and shown is not None and not isinstance(value, list):
        problem = "kind"
    return shown, problem, keep


def _undeclared(value: Cell) -> Converted:
    if isinstance(value, (list, dict)):
        return dump_json(value), None, False
    if isinstance(value, float) and math.isnan(value):
        return None, "not_finite", False
    return value, None, False


def _only(*kinds: type) -> Callable[[Sequence[Cell], set[type]], Sequence[Cell] | None]:
    """Return the fast path for columns whose cells all need no conversion."""
    expected = {_NULL, *kinds}

    def whole(cells: Sequence[Cell], found: set[type]) -> Sequence[Cell] | None:
        return cells if found <= expected else None

    return whole


def _whole_real(cells: Sequence[Cell], kinds: set[type]) -> Sequence[Cell] | None:
    if kinds <= {float}:
        return None if any(value != value for value in cells) else cells  # noqa: PLR0124 - NaN
    if kinds <= {float, int} and all(-EXACT_INTEGER <= value <= EXACT_INTEGER for value in cells):
        return cells
    return None


def _whole_json(cells: Sequence[Cell], kinds: set[type]) -> Sequence[Cell] | None:
    return [dump_json(value) for value in cells] if kinds == {list} else None


def _whole_undeclared(cells: Sequence[Cell], kinds: set[type]) -> Sequence[Cell] | None:
    return cells if not kinds & {float, list, dict} else None


_TEXT = (_only(str), _text)
_UNDECLARED = (_whole_undeclared, _undeclared)
_CONVERTERS = {
    "integer": (_only(int), _integer),
    "boolean": (_only(bool), _boolean),
    "real": (_whole_real, _real),
    "tags": (_whole_json, _tags),
    "json": (_whole_json, _json_text),
}
