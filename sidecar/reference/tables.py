"""The tables of a document, found a second time: layouts and shapes in words of their own.

Nothing here is shared with the rules by which mirrors are built.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import entries
from sidecar.model import Layout
from sidecar.reference.roots import RawRoot, raw_roots

_ARRAYS = "table:"
_DEFINITIONS = ("schema", "definition")


class RawRow(msgspec.Struct, frozen=True):
    """A row with columns that the mirror adds.

    Attributes:
        fields: A map or an object.
        added: Column -> value.
    """

    fields: Any
    added: dict[str, Any]


class RawTable(msgspec.Struct, frozen=True):
    """One table, as pycrdt gives it.

    Attributes:
        name: In the document.
        layout: How it was recognised.
        rows: Key -> a map, an object, a ``RawRow``, or whatever else stands there.
        doc: What holds them.
        definition: Anything at all, None when it has none.
        is_defined: Whether there is a definition, be it null.
        added: Columns that the mirror adds.
    """

    name: str
    layout: Layout
    rows: dict[str, Any]
    doc: pycrdt.Doc[Any]
    definition: Any = None
    is_defined: bool = False
    added: tuple[str, ...] = ()


class _Place(msgspec.Struct, frozen=True):
    """A table that was found by its place."""

    steps: list[str]
    table: RawTable


def raw_tables(data: bytes) -> list[RawTable]:
    """Find all tables of a document.

    Args:
        data: One Yjs V1 update.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    roots = {root.name: root for root in raw_roots(data)}
    tables: list[RawTable] = []
    known: set[str] = set()
    if _is_map(roots.get("tables")) or _definitions_in(roots):
        known |= {name for name in _DEFINITIONS if _is_map(roots.get("tables")) and name in roots}
        known |= _definitions_in(roots)
        known |= {"tables"} if _is_map(roots.get("tables")) else set()
        tables += _maps({name: roots[name] for name in known})
    for name, root in roots.items():
        if name.startswith(_ARRAYS) and root.kind in {"array", "unknown"}:
            known.add(name)
            tables += _keyed_array(root)
    if known:
        known.add("kv")
    places: list[_Place] = []
    for root in roots.values():
        if root.name not in known:
            places += _tinybase(root) or _by_shape(root)
    return [*tables, *_named(places)]


def _is_map(root: RawRoot | None) -> bool:
    return root is not None and root.kind in {"map", "unknown"}


def _definitions_in(roots: dict[str, RawRoot]) -> set[str]:
    found = {name: roots[name] for name in _DEFINITIONS if name in roots}
    return {name for name, r in found.items() if r.kind == "unknown" or "tables" in r.entries}


def _maps(roots: dict[str, RawRoot]) -> Iterator[RawTable]:
    definitions: dict[str, Any] = {}
    for name in _DEFINITIONS:
        if name in roots:
            definitions |= entries(roots[name].entries.get("tables"))
    found = roots["tables"].entries if "tables" in roots else {}
    for name in definitions.keys() | found.keys():
        value = found.get(name, {})
        if name in definitions or not _is_record(value) or entries(value):
            yield RawTable(
                name=name,
                layout="maps",
                rows=entries(value),
                doc=next(iter(roots.values())).doc,
                definition=definitions.get(name),
                is_defined=name in definitions,
            )


def _keyed_array(root: RawRoot) -> Iterator[RawTable]:
    found = [entry for entry in map(entries, root.elements) if _is_entry(entry)]
    rows = _newest(found)
    values = [entry.get("val") for entry in found]
    layout: Layout = "keyed_arrays"
    cells = [v for v in values if not _is_record(v) and not isinstance(v, (bytes, bytearray))]
    if rows and all(":" in key for key in rows) and any(value is not None for value in cells):
        layout, joined = "cells", dict[str, Any]()
        for key, value in rows.items():
            row, field = key.split(":", 1)
            joined.setdefault(row, {})[field] = value
        rows = joined
    if root.elements:
        yield RawTable(root.name[len(_ARRAYS) :], layout, rows, root.doc)


def _is_entry(entry: dict[str, Any]) -> bool:
    if not isinstance(entry.get("key"), str):
        return False
    if "ts" not in entry:
        return True
    ts = entry["ts"]
    return isinstance(ts, (int, float)) and not isinstance(ts, bool) and not math.isnan(ts)


def _newest(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the value of each key's last entry by age: those without ts, then by ts, then later."""
    ordered = sorted(found, key=lambda entry: ("ts" in entry, entry.get("ts", 0)))
    return {entry["key"]: entry.get("val") for entry in ordered}


def _tinybase(root: RawRoot) -> list[_Place]:
    parts = root.entries
    if set(parts) != {"t", "v"} or root.elements or root.kind != "map":
        return []
    if not all(isinstance(part, pycrdt.Map) for part in parts.values()):
        return []
    places: list[_Place] = []
    for name, value in entries(parts["t"]).items():
        if entries(value) or not _is_record(value):
            table = RawTable(name, "tinybase", entries(value), root.doc)
            places.append(_Place([root.name, "t", name], table))
    values = entries(parts["v"])
    if values:
        places.append(_settings([root.name, "v"], values, root.doc, "tinybase"))
    return places


def _by_shape(root: RawRoot) -> list[_Place]:
    places = _map_places(root) if root.entries else []
    if root.elements:
        places.append(_array_place([root.name], root.elements, root.doc))
    return places


def _map_places(root: RawRoot) -> list[_Place]:
    """Open a map, and all maps in it that are not shown as part of a table, the widest first."""
    levels: list[list[tuple[list[str], dict[str, Any]]]] = [[([root.name], root.entries)]]
    while levels[-1]:
        levels.append(
            [
                ([*steps, key], entries(value))
                for steps, found in levels[-1]
                if not _holds_rows(found)
                for key, value in found.items()
                if isinstance(value, pycrdt.Map)
            ]
        )
    opens: dict[tuple[str, ...], bool] = {}  # whether it is a table, or leads to one
    for level in reversed(levels):
        for steps, found in level:
            inside = (opens.get((*steps, key), False) for key in found)
            opens[tuple(steps)] = bool(found) and (_holds_rows(found) or any(inside))
    places: list[_Place] = []
    for level in levels:
        for steps, found in level:
            above = [tuple(steps[:length]) for length in range(1, len(steps))]
            if not all(opens[place] for place in above):
                continue
            places += _one_map(steps, found, root.doc, is_open=opens[tuple(steps)])
    return places


def _one_map(
    steps: list[str], found: dict[str, Any], doc: pycrdt.Doc[Any], *, is_open: bool
) -> list[_Place]:
    if found and _holds_rows(found):
        return [_Place(steps, RawTable(steps[-1], "shape", found, doc))]
    shown = found
    if is_open:
        shown = {key: v for key, v in found.items() if not isinstance(v, pycrdt.Map)}
    return [_settings(steps, shown, doc)] if shown else []


def _holds_rows(found: dict[str, Any]) -> bool:
    told = [value for value in found.values() if not _is_record(value) or entries(value)]
    rows = [value for value in told if _is_row(value)]
    return len(rows) == len(told) or (len(told) > 7 and len(rows) / len(told) >= 0.9)  # noqa: PLR2004 - the rule's own figures


def _is_row(value: Any) -> bool:
    return _is_record(value) and not all(_is_record(inner) for inner in entries(value).values())


def _is_record(value: Any) -> bool:
    return isinstance(value, (pycrdt.Map, dict))


def _array_place(steps: list[str], elements: list[Any], doc: pycrdt.Doc[Any]) -> _Place:
    found = [entries(element) for element in elements]
    parts = ({"key", "val"}, {"key", "val", "ts"})
    if all(set(entry) in parts and _is_entry(entry) for entry in found):
        if any(_is_record(entry["val"]) for entry in found):
            return _Place(steps, RawTable(steps[-1], "shape", _newest(found), doc))
        return _settings(steps, _newest(found), doc)
    is_mixed = not all(map(_is_record, elements))
    rows: dict[str, Any] = {}
    for position, element in enumerate(elements):
        added: dict[str, Any] = {"_position": position}
        if is_mixed:
            added["value"] = None if _is_record(element) else element
        own = entries(element).get("id")
        key = own if isinstance(own, str) and own not in rows else _free(position, rows)
        rows[key] = RawRow(element if _is_record(element) else {}, added)
    columns = ("_position", "value") if is_mixed else ("_position",)
    return _Place(steps, RawTable(steps[-1], "shape", rows, doc, added=columns))


def _free(position: int, rows: dict[str, Any]) -> str:
    plain = f"{position:010}"
    if plain not in rows:
        return plain
    return next(key for key in (f"{plain}_{n}" for n in count(2)) if key not in rows)


def _settings(
    steps: list[str], values: dict[str, Any], doc: pycrdt.Doc[Any], layout: Layout = "shape"
) -> _Place:
    rows: dict[str, Any] = {key: RawRow({}, {"value": value}) for key, value in values.items()}
    return _Place(steps, RawTable(steps[-1], layout, rows, doc, added=("value",)))


def _named(places: list[_Place]) -> Iterator[RawTable]:
    ends = [place.steps[-1] for place in places]
    once = _unique(ends)
    for place in places:
        name = place.steps[-1] if place.steps[-1] in once else ".".join(place.steps)
        yield msgspec.structs.replace(place.table, name=name)


def _unique(names: list[str]) -> set[str]:
    ordered = sorted(names)
    around = zip([None, *ordered], ordered, [*ordered[1:], None], strict=False)
    return {name for before, name, after in around if name not in (before, after)}
