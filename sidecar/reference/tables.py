"""The tables of a document, found a second time: layouts and shapes in words of their own.

Nothing here is shared with the rules by which mirrors are built.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import entries
from sidecar.reference.roots import Place, RawRoot, RawTable, raw_roots
from sidecar.reference.shapes import (
    ANY,
    array_of,
    by_pattern,
    by_shape,
    fits,
    is_entry,
    is_record,
    joined,
    newest,
    settings,
    split,
)

_ARRAYS = "table:"
_DEFINITIONS = ("schema", "definition")


def raw_tables(data: bytes, chosen: Sequence[str] = ()) -> list[RawTable]:
    """Find all tables of a document.

    Args:
        data: One Yjs V1 update.
        chosen: What is shown beside the known layouts, as in ``Options.tables``.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    roots = {root.name: root for root in raw_roots(data)}
    guess = not chosen or "auto" in chosen
    patterns = [] if guess else [split(word) for word in chosen if word != "none"]
    tables: list[RawTable] = []
    known: set[str] = set()
    if _is_map(roots.get("tables")) or _definitions_in(roots):
        known |= {name for name in _DEFINITIONS if _is_map(roots.get("tables")) and name in roots}
        known |= _definitions_in(roots)
        known |= {"tables"} if _is_map(roots.get("tables")) else set()
        tables += _maps({name: roots[name] for name in known}, patterns)
    maps = set(known)
    for name, root in roots.items():
        if name.startswith(_ARRAYS) and root.kind in {"array", "unknown"}:
            known.add(name)
            tables += _keyed_array(root, patterns)
    settings_of_app = {"kv"} if known else set[str]()
    places: list[Place] = []
    both = [root for name, root in roots.items() if name in maps and root.entries and root.elements]
    places += [place for root in both if guess for place in array_of(root)]
    for name in sorted(roots.keys() - known - settings_of_app):
        store = _tinybase(roots[name])
        if store is not None:
            known.add(name)
            places += store
        elif guess:
            places += by_shape(roots[name])
    if not guess:
        closed = known | (settings_of_app - {pattern[0] for pattern in patterns})
        places += _named_only(patterns, {n: r for n, r in roots.items() if n not in closed}, closed)
    return [*tables, *_named(places)]


def _named_only(
    patterns: list[tuple[str, ...]], free: dict[str, RawRoot], closed: set[str]
) -> list[Place]:
    places: dict[tuple[str, ...], list[Place]] = {}
    for pattern in patterns:
        first = pattern[0]
        ours = first in {"tables", *_DEFINITIONS} or first.startswith(_ARRAYS)
        if first not in closed and (first in free or not ours):
            found = by_pattern(pattern, free)
            seen = set(places)
            for place in found:
                if tuple(place.steps) not in seen:
                    places.setdefault(tuple(place.steps), []).append(place)
    return [place for group in places.values() for place in group]


def _is_map(root: RawRoot | None) -> bool:
    return root is not None and root.kind in {"map", "unknown"}


def _definitions_in(roots: dict[str, RawRoot]) -> set[str]:
    found = {name: roots[name] for name in _DEFINITIONS if name in roots}
    return {name for name, r in found.items() if r.kind == "unknown" or "tables" in r.entries}


def _maps(roots: dict[str, RawRoot], patterns: list[tuple[str, ...]]) -> Iterator[RawTable]:
    definitions: dict[str, Any] = {}
    for name in _DEFINITIONS:
        if name in roots:
            definitions |= entries(roots[name].entries.get("tables"))
    found = roots["tables"].entries if "tables" in roots else {}
    named = {steps[1] for steps in patterns if len(steps) == 2 and steps[0] == "tables"} - {ANY}  # noqa: PLR2004
    for name in definitions.keys() | found.keys() | (named if "tables" in roots else set[str]()):
        value = found.get(name, {})
        place = ("tables", name)
        is_named = any(fits(pattern, place) for pattern in patterns)
        if name in definitions or not is_record(value) or entries(value) or is_named:
            yield RawTable(
                name=name,
                layout="maps",
                rows=entries(value),
                doc=next(iter(roots.values())).doc,
                definition=definitions.get(name),
                is_defined=name in definitions,
                place=joined(place) if is_named else "",
            )


def _keyed_array(root: RawRoot, patterns: list[tuple[str, ...]]) -> Iterator[RawTable]:
    found = [entry for entry in map(entries, root.elements) if is_entry(entry)]
    rows = newest(found)
    values = [entry.get("val") for entry in found]
    cells = [v for v in values if not is_record(v) and not isinstance(v, (bytes, bytearray))]
    name = root.name[len(_ARRAYS) :]
    is_named = any(fits(pattern, (root.name,)) for pattern in patterns)
    place = joined((root.name,)) if is_named else ""
    if rows and all(":" in key for key in rows) and any(value is not None for value in cells):
        cell_rows = dict[str, dict[str, Any]]()
        for key, value in rows.items():
            row, field = key.split(":", 1)
            cell_rows.setdefault(row, {})[field] = value
        yield RawTable(name, "cells", dict(cell_rows), root.doc, place=place)
    elif root.elements or is_named:
        yield RawTable(name, "keyed_arrays", rows, root.doc, place=place)


def _tinybase(root: RawRoot) -> list[Place] | None:
    """Give the tables of TinyBase's store, None of a root that is none."""
    parts = root.entries
    if set(parts) != {"t", "v"} or root.has_sequence:
        return None
    if not all(isinstance(part, pycrdt.Map) for part in parts.values()):
        return None
    places: list[Place] = []
    for name, value in entries(parts["t"]).items():
        if entries(value) or not is_record(value):
            table = RawTable(name, "tinybase", entries(value), root.doc)
            places.append(Place([root.name, "t", name], table))
    values = entries(parts["v"])
    if values:
        places.append(settings([root.name, "v"], values, root.doc, "tinybase"))
    return places


def _named(places: list[Place]) -> Iterator[RawTable]:
    ends = [place.steps[-1] for place in places]
    once = _unique(ends)
    for place in places:
        name = place.steps[-1] if place.steps[-1] in once else ".".join(place.steps)
        yield msgspec.structs.replace(place.table, name=name)


def _unique(names: list[str]) -> set[str]:
    ordered = sorted(names)
    around = zip([None, *ordered], ordered, [*ordered[1:], None], strict=False)
    return {name for before, name, after in around if name not in (before, after)}
