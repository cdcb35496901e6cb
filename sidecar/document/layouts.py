"""From the roots of a document to its tables: which layout claims a root, and what it holds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sidecar.document.definitions import ROOTS, Definitions, read_definitions
from sidecar.document.entries import join_cells, read_entries
from sidecar.document.extension import Doc, Map, Transaction, XmlFragment
from sidecar.document.found import FoundTable, named
from sidecar.document.roots import ARRAY_PREFIX, RootContent
from sidecar.document.shapes import read_array, read_root, settings
from sidecar.document.values import entries, plain
from sidecar.document.walk import BARE_FRAGMENT, RawRows, of_dict, of_map
from sidecar.document.xml import TooDeepError, is_object
from sidecar.javascript import dump_json
from sidecar.model import UNREADABLE, Layout, Problem, Root, Table

if TYPE_CHECKING:
    from sidecar.document.patterns import Choice

TABLES = "tables"
SETTINGS = "kv"
_TINYBASE = ("t", "v")
_ORDER: tuple[Layout, ...] = ("maps", "keyed_arrays", "cells", "tinybase", "shape")
_ABSENT = object()
_LOST_DETAIL = "strings of an array among the letters of a text"
_ENTRY_DETAIL = "an entry needs a text `key` and, where it has one, a number `ts`"


class Reading(msgspec.Struct, frozen=True):
    """What the roots of a document hold.

    Attributes:
        layouts: Those found, in a fixed order.
        tables: Of the layouts first, those found by shape last; each sorted by name.
        roots: Every root, sorted by name.
        problems: Those of no single table.
    """

    layouts: tuple[Layout, ...]
    tables: tuple[Table, ...]
    roots: tuple[Root, ...]
    problems: tuple[Problem, ...]


def read_roots_as_tables(
    doc: Doc, txn: Transaction, roots: Sequence[RootContent], choice: "Choice | None"
) -> Reading:
    """Find all tables of a document.

    Args:
        doc: The document.
        txn: The transaction of the walk.
        roots: All of its roots.
        choice: What is shown beside the known layouts; None for every root, by its shape.
    """
    claims: dict[str, Layout | None] = _claims(roots, txn)
    tables, problems = _maps(doc, txn, roots, claims, choice)
    tables += _keyed_arrays(txn, roots, claims, choice)
    others = _others(txn, roots, claims, choice)
    if choice is not None:
        shown = {found.root for found in others}
        claims = {name: _chosen(name, claim, shown) for name, claim in claims.items()}
    tables += sorted(
        (one.ready(name, txn) for one, name in zip(others, named(others), strict=True)),
        key=lambda table: table.name,
    )
    for table in tables:
        if table.layout == "cells":
            claims[table.root] = "cells"
    layouts = {layout for layout in claims.values() if layout} - {"keyed_arrays"}
    layouts |= {table.layout for table in tables if table.layout != "maps"}
    return Reading(
        layouts=tuple(layout for layout in _ORDER if layout in layouts),
        tables=tuple(tables),
        roots=tuple(_root(root, claims[root.name]) for root in roots),
        problems=(*problems, *_bare(roots, claims), *_lost(roots, claims)),
    )


def _others(
    txn: Transaction,
    roots: Sequence[RootContent],
    claims: dict[str, Layout | None],
    choice: "Choice | None",
) -> list[FoundTable]:
    """Find the tables that have no name of their own but their place."""
    found: list[FoundTable] = []
    for root in roots:
        if claims[root.name] == "tinybase":
            found += _tinybase(root, txn)
        elif claims[root.name] == "shape" and choice is None:
            found += read_root(root, txn)
        elif claims[root.name] == "maps" and root.keys and root.elements and choice is None:
            found.append(read_array((root.name,), root.elements, txn))  # beside its entries
    if choice is None:
        return found
    from sidecar.document.patterns import read_named  # noqa: PLC0415 - seldom asked for

    is_closed = _has_known(claims) and not choice.names(SETTINGS)
    free = {
        root.name: root
        for root in roots
        if claims[root.name] in {"shape", None} and not (root.name == SETTINGS and is_closed)
    }
    return [*found, *read_named(choice, free, lambda name: _is_known(name, claims), txn)]


def _is_known(name: str, claims: Mapping[str, Layout | None]) -> bool:
    """Tell the name of a root that a layout claims, or would claim if it were there."""
    ours = name in {TABLES, *ROOTS} or name.startswith(ARRAY_PREFIX)
    return claims.get(name, "maps" if ours else "shape") not in {"shape", None}


def _chosen(name: str, claim: Layout | None, shown: Collection[str]) -> Layout | None:
    """Tell what becomes of a root where the guess is replaced: only what was named is shown."""
    if name in shown and claim in {"shape", None}:
        return "shape"
    return None if claim == "shape" else claim


def _claims(roots: Sequence[RootContent], txn: Transaction) -> dict[str, Layout | None]:
    """Tell for each root which layout claims it, None where it is listed and not shown."""
    by_name = {root.name: root for root in roots}
    claims: dict[str, Layout | None] = {root.name: _own_claim(root, txn) for root in roots}
    has_maps = claims.get(TABLES) == "maps"
    for name in ROOTS:
        if name in claims and (has_maps or _holds_definitions(by_name[name], txn)):
            claims[name] = "maps"
    if SETTINGS in claims and _has_known(claims):
        claims[SETTINGS] = None
    return claims


def _has_known(claims: Mapping[str, Layout | None]) -> bool:
    """Tell whether a document has a layout in which the root ``kv`` is settings of the app."""
    return not {"maps", "keyed_arrays"}.isdisjoint(claims.values())


def _own_claim(root: RootContent, txn: Transaction) -> Layout | None:
    if root.name == TABLES and root.kind in {"map", "unknown"}:
        return "maps"
    if root.name.startswith(ARRAY_PREFIX) and root.kind in {"array", "unknown"}:
        return "keyed_arrays"
    if root.kind == "unknown":
        return None
    return "tinybase" if _is_tinybase(root, txn) else "shape"


def _holds_definitions(root: RootContent, txn: Transaction) -> bool:
    return root.kind == "unknown" or TABLES in root.map.keys(txn)


def _is_tinybase(root: RootContent, txn: Transaction) -> bool:
    if root.keys != len(_TINYBASE) or root.elements or root.text:
        return False
    return all(isinstance(dict(entries(root.map, txn)).get(key), Map) for key in _TINYBASE)


def _root(root: RootContent, layout: Layout | None) -> Root:
    text = root.text if layout else None
    return Root(root.name, root.kind, layout, root.keys or len(root.elements), text)


def _bare(roots: Sequence[RootContent], claims: Mapping[str, Layout | None]) -> Iterator[Problem]:
    """Give the roots in whose XML Yjs 14 may have hidden something, for ``unreadable``."""
    for root in roots:
        if root.has_bare_fragment and claims[root.name]:
            yield Problem(None, None, BARE_FRAGMENT, detail=root.name)


def _lost(roots: Sequence[RootContent], claims: Mapping[str, Layout | None]) -> Iterator[Problem]:
    """Give the roots with strings of an array among the letters of a text."""
    for root in roots:
        if root.lost and claims[root.name]:
            detail = f"in the root {root.name}: {_LOST_DETAIL} ({root.lost})"
            yield Problem(None, None, UNREADABLE, detail=detail)


def _maps(
    doc: Doc,
    txn: Transaction,
    roots: Sequence[RootContent],
    claims: dict[str, Layout | None],
    choice: "Choice | None",
) -> tuple[list[Table], tuple[Problem, ...]]:
    claimed = {root.name: root for root in roots if claims[root.name] == "maps"}
    definitions: Definitions = {}
    general: tuple[Problem, ...] = ()
    if not claimed.keys().isdisjoint(ROOTS):
        definitions, general = read_definitions(doc, txn)
    values = dict(entries(claimed[TABLES].map, txn)) if TABLES in claimed else {}
    holder = next((name for name in (TABLES, *reversed(ROOTS)) if name in claimed), TABLES)
    stay = choice.below(TABLES) if choice and TABLES in claimed else set[str]()
    tables: list[Table] = []
    for name in sorted(definitions.keys() | values.keys() | stay):
        definition, problems = definitions.get(name, (None, ()))
        rows, surplus = _rows(values.get(name, _ABSENT), txn)
        is_stated = choice is not None and choice.states(TABLES, name)
        if definition is None and not rows.keys and not surplus and not is_stated:
            continue
        found = FoundTable((holder, name), "maps", rows, (), (*problems, *surplus), definition)
        if choice and is_stated:
            found = choice.stated(found, TABLES, name)
        tables.append(found.ready(name, txn))
    return tables, general


def _rows(value: Any, txn: Transaction) -> tuple[RawRows, tuple[Problem, ...]]:
    if isinstance(value, Map):
        return of_map(value, txn), ()
    if is_object(value):
        return of_dict(value), ()
    if value is _ABSENT:
        return of_dict({}), ()
    problem = Problem(None, None, "not_a_table", detail=_shown(value, txn))
    may_hide = (Problem(None, None, BARE_FRAGMENT),) if isinstance(value, XmlFragment) else ()
    return of_dict({}), (problem, *may_hide)


def _shown(value: Any, txn: Transaction) -> str:
    try:
        return dump_json(plain(value, txn))
    except TooDeepError:
        return "nested too deep to be shown"


def _keyed_arrays(
    txn: Transaction,
    roots: Sequence[RootContent],
    claims: dict[str, Layout | None],
    choice: "Choice | None",
) -> Iterator[Table]:
    for root in roots:
        is_stated = choice is not None and choice.states(root.name)
        if claims[root.name] != "keyed_arrays" or not (root.elements or is_stated):
            continue
        array = read_entries(root.elements, txn)
        cells = array.holds_cells
        problems = [Problem(None, None, "entry", rows=array.bad, detail=_ENTRY_DETAIL)]
        if fragments := sum(isinstance(element, XmlFragment) for element in root.elements):
            problems.append(Problem(None, None, BARE_FRAGMENT, rows=fragments))
        found = FoundTable(
            path=(root.name,),
            layout="cells" if cells else "keyed_arrays",
            rows=of_dict(join_cells(array.rows) if cells else array.rows),
            problems=tuple(problems) if array.bad else (),
        )
        if choice and is_stated:
            found = choice.stated(found, root.name)
        yield found.ready(root.name.removeprefix(ARRAY_PREFIX), txn)


def _tinybase(root: RootContent, txn: Transaction) -> Iterator[FoundTable]:
    """Read TinyBase's store: tables of rows of cells under ``t``, values under ``v``."""
    parts = dict(entries(root.map, txn))
    for name, value in entries(parts["t"], txn):
        rows, problems = _rows(value, txn)
        if rows.keys or problems:
            yield FoundTable((root.name, "t", name), "tinybase", rows, problems=problems)
    if values := dict(entries(parts["v"], txn)):
        yield settings((root.name, "v"), values, "tinybase")
