"""What a document holds as plain values: what ``verify`` carries from document/ to mirror/."""

from collections.abc import Callable, Iterator

import msgspec

from sidecar.model import Cell


class TooDeep(msgspec.Struct, frozen=True):
    """Stands where a value nests deeper than the mirror shows."""


class NoMap(msgspec.Struct, frozen=True):
    """Stands where a row is no map: its value as JSON."""

    value: Cell


PlainRow = dict[str, Cell] | NoMap
"""Field -> cell, ``id`` among them. Cells are those of the model, or ``TooDeep``."""


class PlainTable(msgspec.Struct, frozen=True):
    """One table of a document.

    Attributes:
        name: In the document.
        is_keyed_array: Which layout it has, keyed array or map.
        definition: What its definition is, as JSON, anything at all; None when it has none.
        rows: Starts a walk over key and row, in key order. May be started again.
    """

    name: str
    is_keyed_array: bool
    definition: Cell
    rows: Callable[[], Iterator[tuple[str, PlainRow]]]
