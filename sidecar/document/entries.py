"""Keyed arrays: entries of ``{key, val, ts}`` to rows by key. Values in, values out."""

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar.document.extension import Map, Transaction
from sidecar.document.values import entries
from sidecar.document.xml import is_object

_OLDEST = float("-inf")
_FIRST = -sys.float_info.max
"""The age of an entry whose ``ts`` is minus infinity: younger than one without."""
_NO_CELLS = (Map, dict, bytes, bytearray, type(None))
"""Values that a row may have, and a cell seldom has."""
_PARTS = frozenset(("key", "val", "ts"))


class KeyedArray(msgspec.Struct, frozen=True):
    """What the entries of an array say.

    Attributes:
        rows: The last value of each key.
        bad: How many elements are no entries.
        values: Those of all entries, the ones that lost among them.
    """

    rows: dict[str, Any]
    bad: int
    values: list[Any]

    @property
    def holds_records(self) -> bool:
        """Whether some value is a map."""
        return any(isinstance(value, (Map, dict)) for value in self.values)

    @property
    def holds_cells(self) -> bool:
        """Whether there is an entry for each cell: ``row:field`` for keys, and values of cells.

        Entries of rows have maps, or ciphertext in bytes.
        """
        return (
            bool(self.rows)
            and all(":" in key for key in self.rows)
            and not all(isinstance(value, _NO_CELLS) for value in self.values)
        )


def read_entries(elements: Sequence[Any], txn: Transaction) -> KeyedArray:
    """Give for each key the value with the highest ``ts``, the later one on a tie.

    An entry without ``ts`` is older than any with one.
    """
    newest: dict[str, tuple[float, Any]] = {}
    values: list[Any] = []
    bad = 0
    for element in elements:
        entry = dict(entries(element, txn)) if isinstance(element, Map) else element
        age = _age(entry)
        if age is None:
            bad += 1
            continue
        key, value = entry["key"], entry.get("val")
        values.append(value)
        if key not in newest or age >= newest[key][0]:
            newest[key] = (age, value)
    return KeyedArray({key: value for key, (_, value) in newest.items()}, bad, values)


def key_of(element: Any, txn: Transaction) -> str | None:
    """Give the key of an entry, None of what is no entry."""
    entry = dict(entries(element, txn)) if isinstance(element, Map) else element
    key: str | None = None if _age(entry) is None else entry["key"]
    return key


def may_be_row(element: Any, txn: Transaction) -> bool:
    """Tell whether an element says nothing for its array holding cells (``holds_cells``)."""
    entry = dict(entries(element, txn)) if isinstance(element, Map) else element
    return _age(entry) is None or isinstance(entry.get("val"), _NO_CELLS)


def are_entries(elements: Sequence[Any], txn: Transaction) -> bool:
    """Tell whether all elements are entries and hold nothing else."""
    return all(_is_plain_entry(element, txn) for element in elements)


def join_cells(cells: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Join cells by ``row:field`` to rows; ids of rows hold no colon."""
    rows: dict[str, dict[str, Any]] = {}
    for key, value in cells.items():
        row, _, field = key.partition(":")
        rows.setdefault(row, {})[field] = value
    return rows


def _is_plain_entry(element: Any, txn: Transaction) -> bool:
    entry = dict(entries(element, txn)) if isinstance(element, Map) else element
    if not is_object(entry) or not entry.keys() <= _PARTS:
        return False
    return "val" in entry and _age(entry) is not None


def _age(entry: Any) -> float | None:
    """Give the age of an entry, None of what is none."""
    if not is_object(entry) or not isinstance(entry.get("key"), str):
        return None
    if "ts" not in entry:
        return _OLDEST
    ts: Any = entry["ts"]
    if not isinstance(ts, (int, float)) or isinstance(ts, bool) or ts != ts:  # noqa: PLR0124 - NaN
        return None
    age: float = max(ts, _FIRST)
    return age
