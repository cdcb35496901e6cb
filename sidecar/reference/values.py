"""What a document holds as plain values: what ``verify`` carries from document/ to mirror/."""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from sidecar.model import Cell, Layout

_SMALLEST, _LARGEST = Decimal("1e-6"), Decimal("1e21")
"""Between them JavaScript writes a number without an exponent."""


class TooDeep(msgspec.Struct, frozen=True):
    """Stands where a value nests deeper than the mirror shows."""


class NoMap(msgspec.Struct, frozen=True):
    """Stands where a row is no map: its value as JSON."""

    value: Cell


class Displaced(msgspec.Struct, frozen=True):
    """A row with fields whose names are taken by columns that the mirror adds.

    Attributes:
        cells: Field -> cell, the added ones among them.
        fields: The document's own fields of those names.
    """

    cells: dict[str, Cell]
    fields: dict[str, Cell]


PlainRow = dict[str, Cell] | NoMap | Displaced
"""Field -> cell, ``id`` among them. Cells are those of the model, or ``TooDeep``."""


class PlainTable(msgspec.Struct, frozen=True):
    """One table of a document.

    Attributes:
        name: In the document.
        layout: How it was recognised.
        definition: What its definition is, as JSON, anything at all; None when it has none.
        is_defined: Whether there is a definition, be it null.
        added: Columns that the mirror adds.
        rows: Starts a walk over key and row, in key order. May be started again.
        kept: Columns that it has had, which stay when no row has them.
    """

    name: str
    layout: Layout
    definition: Cell
    is_defined: bool
    added: tuple[str, ...]
    rows: Callable[[], Iterator[tuple[str, PlainRow]]]
    kept: tuple[str, ...] = ()


def in_javascript(value: float) -> str:
    """Print a number as JavaScript does: as short as can be, an exponent only far from the point.

    ``repr`` gives the shortest digits that read back as the same number, in another layout.
    """
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if not value:
        return "0"
    shortest = Decimal(repr(value)).normalize()
    return f"{shortest:f}" if _SMALLEST <= abs(shortest) < _LARGEST else f"{shortest:e}"
