"""Roots read by their shape, and what patterns name: said a second time, in other words."""

import math
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import entries
from sidecar.model import Layout
from sidecar.reference.roots import Place, RawRoot, RawRow, RawTable

ANY = "\0any"
"""Stands for any one step of a pattern."""
_LISTS = (pycrdt.Array, list)
_HOLDERS = (pycrdt.Map, pycrdt.Array, dict, list)


def by_shape(root: RawRoot) -> list[Place]:
    """Read a root by its entries, its elements, or both."""
    places = _map_places(root) if root.entries else []
    if root.elements:
        places.append(_array_place([root.name], root.elements, root.doc))
    return places


def _map_places(root: RawRoot) -> list[Place]:
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
    places: list[Place] = []
    for level in levels:
        for steps, found in level:
            above = [tuple(steps[:length]) for length in range(1, len(steps))]
            if not all(opens[place] for place in above):
                continue
            places += _one_map(steps, found, root.doc, is_open=opens[tuple(steps)])
    return places


def _one_map(
    steps: list[str], found: dict[str, Any], doc: pycrdt.Doc[Any], *, is_open: bool
) -> list[Place]:
    if found and _holds_rows(found):
        return [Place(steps, RawTable(steps[-1], "shape", found, doc))]
    shown = found
    if is_open:
        shown = {key: v for key, v in found.items() if not isinstance(v, pycrdt.Map)}
    return [settings(steps, shown, doc)] if shown else []


def _holds_rows(found: dict[str, Any]) -> bool:
    filled = [value for value in found.values() if not is_record(value) or entries(value)]
    rows = [value for value in filled if _is_row(value)]
    return len(rows) == len(filled) or (len(filled) > 7 and len(rows) / len(filled) >= 0.9)  # noqa: PLR2004 - the rule's own figures


def _is_row(value: Any) -> bool:
    return is_record(value) and not all(is_record(inner) for inner in entries(value).values())


def _array_place(steps: list[str], elements: list[Any], doc: pycrdt.Doc[Any]) -> Place:
    found = [entries(element) for element in elements]
    parts = ({"key", "val"}, {"key", "val", "ts"})
    if all(set(entry) in parts and is_entry(entry) for entry in found):
        if any(is_record(entry["val"]) for entry in found):
            return Place(steps, RawTable(steps[-1], "shape", newest(found), doc))
        return settings(steps, newest(found), doc)
    is_mixed = not all(map(is_record, elements))
    rows: dict[str, Any] = {}
    for position, element in enumerate(elements):
        added: dict[str, Any] = {"_position": position}
        if is_mixed:
            added["value"] = None if is_record(element) else element
        own = entries(element).get("id")
        key = own if isinstance(own, str) and own not in rows else _free(position, rows)
        rows[key] = RawRow(element if is_record(element) else {}, added)
    columns = ("_position", "value") if is_mixed else ("_position",)
    return Place(steps, RawTable(steps[-1], "shape", rows, doc, added=columns))


def _free(position: int, rows: dict[str, Any]) -> str:
    plain = f"{position:010}"
    if plain not in rows:
        return plain
    return next(key for key in (f"{plain}_{n}" for n in count(2)) if key not in rows)


def settings(
    steps: list[str], values: dict[str, Any], doc: pycrdt.Doc[Any], layout: Layout = "shape"
) -> Place:
    """Give a table of keys and values."""
    rows: dict[str, Any] = {key: RawRow({}, {"value": value}) for key, value in values.items()}
    return Place(steps, RawTable(steps[-1], layout, rows, doc, added=("value",)))


def array_of(root: RawRoot) -> list[Place]:
    """Read the elements of a root alone, as by its shape."""
    return [_array_place([root.name], root.elements, root.doc)]


def by_pattern(pattern: tuple[str, ...], roots: Mapping[str, RawRoot]) -> list[Place]:
    """Give what one pattern names among these roots, as tables, whatever it is."""
    values: dict[tuple[str, ...], Any] = {
        (name,): root.entries
        for name, root in roots.items()
        if name == pattern[0] or (pattern[0] == ANY and root.kind not in {"text", "xml"})
    }
    for step in pattern[1:]:
        values = {
            (*steps, key): inner
            for steps, value in values.items()
            for key, inner in entries(value).items()
            if key == step or (step == ANY and isinstance(inner, _HOLDERS))
        }
    if not values and ANY not in pattern:
        values = {pattern: {}}
    places: list[Place] = []
    for steps, value in values.items():
        root = roots.get(steps[0])
        if root and len(steps) == 1:
            found = _root_as_named(root)
        else:
            found = [_as_named([*steps], value, root.doc if root else pycrdt.Doc())]
        marks = ["", "[]"][: len(found)]  # the elements of a root with entries are told apart
        places += [
            marked(place, joined(steps) + mark) for place, mark in zip(found, marks, strict=True)
        ]
    return places


def joined(steps: tuple[str, ...]) -> str:
    """Write a place as a pattern."""
    return ".".join(re.sub(r"([.*\\])", r"\\\1", step) for step in steps)


def marked(place: Place, text: str) -> Place:
    """Note of a table where a pattern names it."""
    return Place(place.steps, msgspec.structs.replace(place.table, place=text))


def fits(pattern: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Tell whether a pattern names exactly this place."""
    pairs = zip(pattern, steps, strict=False)
    return len(pattern) == len(steps) and all(step in (ANY, name) for step, name in pairs)


def split(pattern: str) -> tuple[str, ...]:
    """Cut a pattern at its dots; a lone star is ``ANY``, a backslash makes any sign a plain one."""
    words = [""]
    for sign in re.findall(r"\\.|.|\\$", pattern, flags=re.DOTALL):
        if sign == ".":
            words.append("")
        else:
            words[-1] += sign
    plain = re.compile(r"\\(.)", flags=re.DOTALL)
    return tuple(ANY if word == "*" else plain.sub(r"\1", word) for word in words)


def _root_as_named(root: RawRoot) -> list[Place]:
    places: list[Place] = []
    if root.entries or not root.elements:
        places.append(_as_named([root.name], root.entries, root.doc))
    if root.elements:
        places.append(_array_place([root.name], root.elements, root.doc))
    return places


def _as_named(steps: list[str], value: Any, doc: pycrdt.Doc[Any]) -> Place:
    elements: list[Any] = list(value) if type(value) in _LISTS else []
    if elements:
        return _array_place(steps, elements, doc)
    found = entries(value)
    if found and not any(map(is_record, found.values())):
        return settings(steps, found, doc)
    return Place(steps, RawTable(steps[-1], "shape", found, doc))


def is_entry(entry: dict[str, Any]) -> bool:
    """Tell an entry of a keyed array: a text for a key and, where it has one, a number for ts."""
    if not isinstance(entry.get("key"), str):
        return False
    if "ts" not in entry:
        return True
    ts = entry["ts"]
    return isinstance(ts, (int, float)) and not isinstance(ts, bool) and not math.isnan(ts)


def newest(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the value of each key's last entry by age: those without ts, then by ts, then later."""
    ordered = sorted(found, key=lambda entry: ("ts" in entry, entry.get("ts", 0)))
    return {entry["key"]: entry.get("val") for entry in ordered}


def is_record(value: Any) -> bool:
    """Tell a map or an object."""
    return isinstance(value, (pycrdt.Map, dict))
