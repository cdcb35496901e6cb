"""Roots that no layout claims, read by their shape: what is a table, a group, settings.

A *record* is a map or a plain object; a *row* a record with at least one value that is no record.
Empty maps count for neither, and plain objects are never opened further. docs/format.md has the
rules for people.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from sidecar.document.entries import are_entries, read_entries
from sidecar.document.extension import Map, Transaction, XmlFragment
from sidecar.document.found import FoundTable
from sidecar.document.roots import RootContent
from sidecar.document.values import entries, plain
from sidecar.document.walk import BARE_FRAGMENT, Element, RawRows, of_dict, of_map
from sidecar.document.xml import TooDeepError, is_object
from sidecar.model import Problem

POSITION = "_position"
VALUE = "value"
_DIGITS = 10
_ENOUGH, _TENTHS = 8, 9
"""From eight values on, nine rows in ten make a table."""

Shape = Literal["empty", "table", "group", "settings"]


def read_root(root: RootContent, txn: Transaction) -> Iterator[FoundTable]:
    """Read one root by its shape: by its entries, its elements, or both where it has both."""
    if root.keys:
        yield from read_map((root.name,), root.map, txn)
    if root.elements:
        yield read_array((root.name,), root.elements, txn)


def read_map(path: tuple[str, ...], value: Map, txn: Transaction) -> Iterator[FoundTable]:
    """Read a map and all maps below it that are tables, groups, or lie in one."""
    open_nodes = [(path, _classified(value, txn))]
    while open_nodes:
        path, node = open_nodes.pop()
        if node.shape == "table":
            yield FoundTable(path, "shape", of_map(node.map, txn))
        elif node.shape == "settings":
            yield settings(path, node.values)
        elif node.shape == "group":
            others = {key: v for key, v in node.values.items() if not isinstance(v, Map)}
            if others:
                yield settings(path, others)
            children = reversed(node.children.items())
            open_nodes += [((*path, key), child) for key, child in children]


def read_array(path: tuple[str, ...], elements: Sequence[Any], txn: Transaction) -> FoundTable:
    """Read an array: as entries by key, or as one row for each element."""
    if are_entries(elements, txn):
        array = read_entries(elements, txn)
        if array.holds_records:
            return FoundTable(path, "shape", of_dict(array.rows))
        return settings(path, array.rows)
    has_values = not all(is_record(element) for element in elements)
    return FoundTable(
        path,
        "shape",
        _of_elements(elements, txn, {VALUE: None} if has_values else {}),
        ours=(POSITION, VALUE) if has_values else (POSITION,),
    )


def settings(
    path: tuple[str, ...], values: dict[str, Any], layout: Literal["shape", "tinybase"] = "shape"
) -> FoundTable:
    """Make a table of keys and values."""
    rows = RawRows(
        keys=sorted(values),
        fetch=lambda key: Element({}, {VALUE: values[key]}),
        fields=frozenset(),
    )
    return FoundTable(path, layout, rows, ours=(VALUE,))


def not_a_table(path: tuple[str, ...], value: Any, txn: Transaction) -> FoundTable:
    """Make the table of what can have no rows; what it is instead is said."""
    try:
        shown = msgspec.json.encode(plain(value, txn), order="sorted").decode()
    except TooDeepError:
        shown = "nested too deep to be shown"
    problem = Problem(None, None, "not_a_table", detail=shown)
    may_hide = (Problem(None, None, BARE_FRAGMENT),) if isinstance(value, XmlFragment) else ()
    return FoundTable(path, "shape", of_dict({}), problems=(problem, *may_hide))


class _Node(msgspec.Struct):
    """A map whose kind is being found out; its contents are kept where that matters."""

    map: Map
    shape: Shape = "settings"
    values: dict[str, Any] = {}
    children: dict[str, "_Node"] = {}


def _classified(value: Map, txn: Transaction) -> _Node:
    """Tell what a map is, and every map in it that the answer hangs on.

    A map is opened only where it is no table itself. With a list of its own and no recursion, for
    maps may nest thousands deep.
    """
    top = _Node(value)
    seen: list[_Node] = []
    waiting = [top]
    while waiting:
        node = waiting.pop()
        seen.append(node)
        values = dict(entries(node.map, txn))
        if not values:
            node.shape = "empty"
        elif _is_table(list(values.values()), txn):
            node.shape = "table"
        else:
            node.values = values
            node.children = {key: _Node(v) for key, v in values.items() if isinstance(v, Map)}
            waiting += node.children.values()
    for node in reversed(seen):  # what lies inside comes first
        if any(child.shape in {"table", "group"} for child in node.children.values()):
            node.shape = "group"
    return top


def _is_table(values: Sequence[Any], txn: Transaction) -> bool:
    counted = [value for value in values if not _is_empty(value, txn)]
    rows = sum(1 for value in counted if is_row(value, txn))
    most = len(counted) >= _ENOUGH and rows * 10 >= len(counted) * _TENTHS
    return rows == len(counted) or most


def is_row(value: Any, txn: Transaction) -> bool:
    """Tell a record with at least one value that is no record."""
    if isinstance(value, Map):
        get = value.get
        return any(not is_record(_held(get, key, txn)) for key in value.keys(txn))
    return is_object(value) and not all(map(is_record, value.values()))


def _held(get: Any, key: str, txn: Transaction) -> Any:
    try:
        return get(txn, key)
    except ValueError:  # named, and not held
        return None


def is_record(value: Any) -> bool:
    """Tell a map or a plain object."""
    return isinstance(value, (Map, dict))


def _is_empty(value: Any, txn: Transaction) -> bool:
    return not value.len(txn) if isinstance(value, Map) else value == {} and is_object(value)


def _of_elements(elements: Sequence[Any], txn: Transaction, beside: dict[str, Any]) -> RawRows:
    """Give each element a key: its own id where that is a text of its own, else its position.

    Args:
        elements: Of the array.
        txn: The transaction of the walk.
        beside: What our columns but the position hold in the row of a record.
    """
    places: dict[str, int] = {}
    for index, element in enumerate(elements):
        own = _own_id(element, txn)
        key = own if isinstance(own, str) and own not in places else _position_key(index, places)
        places[key] = index

    def fetch(key: str) -> Element:
        index = places[key]
        element = elements[index]
        if isinstance(element, Map):
            return Element(dict(entries(element, txn)), {POSITION: index, **beside})
        if is_object(element):
            return Element(element, {POSITION: index, **beside})
        return Element({}, {POSITION: index, VALUE: element})

    return RawRows(keys=sorted(places), fetch=fetch)


def _own_id(element: Any, txn: Transaction) -> Any:
    if isinstance(element, Map):
        return _held(element.get, "id", txn)
    return element.get("id") if is_object(element) else None


def _position_key(index: int, taken: dict[str, int]) -> str:
    key = str(index).zfill(_DIGITS)
    number = 2
    unique = key
    while unique in taken:
        unique, number = f"{key}_{number}", number + 1
    return unique
