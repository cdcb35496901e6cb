"""What `--tables` names: paths from a root down to what is shown as a table."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sidecar.document.extension import Array, Map, Transaction
from sidecar.document.found import FoundTable
from sidecar.document.roots import RootContent
from sidecar.document.shapes import is_record, not_a_table, read_array, settings
from sidecar.document.values import entries, items
from sidecar.document.walk import of_dict, of_map
from sidecar.document.xml import is_object
from sidecar.model import is_list

NONE = "none"
_SPECIAL = re.compile(r"[\\.*]")
_BESIDE = "[]"
"""Marks the elements of a root that has entries, too, and so is two tables."""

Steps = tuple[str | None, ...]
"""One name for each step, None for ``*``: any one."""


class Choice(msgspec.Struct, frozen=True):
    """What is shown beside the layouts that are known, instead of every root by its shape.

    Attributes:
        patterns: What is a table, whatever it holds.
        columns: Columns that tables have had, by place (``pattern_of``).
    """

    patterns: tuple[Steps, ...] = ()
    columns: Mapping[str, Sequence[str]] = {}

    def names(self, root: str) -> bool:
        """Tell whether a pattern begins with exactly this name."""
        return any(steps[0] == root for steps in self.patterns)

    def states(self, *path: str) -> bool:
        """Tell whether a pattern names exactly this place."""
        return any(
            len(steps) == len(path)
            and all(step in {None, name} for step, name in zip(steps, path, strict=True))
            for steps in self.patterns
        )

    def below(self, root: str) -> set[str]:
        """Give the names of tables in a root that patterns name without ``*``."""
        pairs = (steps for steps in self.patterns if len(steps) == 2)  # noqa: PLR2004 - root, table
        return {name for first, name in pairs if first == root and name is not None}

    def stated(self, found: FoundTable, *path: str, beside: str = "") -> FoundTable:
        """Note of a table that a pattern names its place, and add the columns that it has had.

        Args:
            found: The table.
            path: Its place.
            beside: Tells apart two tables of one place.
        """
        place = pattern_of(path) + beside
        return msgspec.structs.replace(found, stated=place, kept=self.columns.get(place, ()))


def parse_choice(words: Sequence[str], columns: Mapping[str, Sequence[str]]) -> Choice:
    """Read the words of `--tables` where ``auto`` is not among them: ``none``, or patterns."""
    return Choice(tuple(parse_pattern(word) for word in words if word != NONE), columns)


def pattern_of(path: Iterable[str]) -> str:
    """Write a place as the pattern that names it alone."""
    return ".".join(_SPECIAL.sub(r"\\\g<0>", step) for step in path)


def parse_pattern(text: str) -> Steps:
    r"""Cut a pattern at its dots. ``*`` is any one step; a backslash makes any sign a plain one."""
    steps: list[str | None] = []
    step, is_any, position = "", False, 0
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            position += 1
            step += text[position]
        elif character == ".":
            steps.append(None if is_any else step)
            step, is_any = "", False
        else:
            alone = not step and text[position + 1 : position + 2] in {"", "."}
            is_any = character == "*" and alone
            step += character
        position += 1
    return (*steps, None if is_any else step)


def read_named(
    choice: Choice, roots: Mapping[str, RootContent], known: Callable[[str], bool], txn: Transaction
) -> Iterator[FoundTable]:
    """Find what the patterns name, each once, empty ones too.

    A pattern without ``*`` gives a table also where there is nothing (any more).

    Args:
        choice: The patterns.
        roots: Those that patterns may speak of, by name.
        known: Tells the names of roots that belong to a layout, there or not.
        txn: The transaction of the walk.
    """
    places = dict[tuple[str, ...], Any]()
    for steps in choice.patterns:
        if steps[0] in roots or not known(steps[0] or ""):
            places.update(_places(steps, roots, txn))
    for path, node in places.items():
        for index, found in enumerate(_tables(path, node, txn)):
            yield choice.stated(found, *path, beside=_BESIDE if index else "")


def _places(
    steps: Steps, roots: Mapping[str, RootContent], txn: Transaction
) -> list[tuple[tuple[str, ...], Any]]:
    places: list[tuple[tuple[str, ...], Any]] = [
        ((name,), root) for name, root in roots.items() if _fits(steps[0], name, root)
    ]
    for step in steps[1:]:
        places = [
            ((*path, key), child)
            for path, node in places
            for key, child in _children(node, txn)
            if _fits(step, key, child)
        ]
    literal = tuple(step for step in steps if step is not None)
    return places if places or len(literal) < len(steps) else [(literal, {})]


def _fits(step: str | None, name: str, node: Any) -> bool:
    """Tell whether a step leads to a node; ``*`` only to what can hold rows."""
    if step is not None:
        return step == name
    if isinstance(node, RootContent):
        return node.kind not in {"text", "xml"}
    return isinstance(node, (Map, Array, dict, list))


def _children(node: Any, txn: Transaction) -> Iterable[tuple[str, Any]]:
    if isinstance(node, RootContent):
        return entries(node.map, txn)
    if isinstance(node, Map):
        return entries(node, txn)
    return sorted(node.items()) if is_object(node) else ()


def _tables(path: tuple[str, ...], node: Any, txn: Transaction) -> Iterator[FoundTable]:
    """Show one place as a table, whatever it holds."""
    if isinstance(node, RootContent):
        if node.keys or node.kind == "unknown":
            yield _of_records(path, node.map, txn)
        if node.elements:
            yield read_array(path, node.elements, txn)
        if node.kind in {"text", "xml"} and not node.elements:
            yield not_a_table(path, node.text, txn)
    elif isinstance(node, (Map, dict)):
        yield _of_records(path, node, txn)
    elif isinstance(node, Array) or is_list(node):
        elements = items(node, txn) if isinstance(node, Array) else node
        yield (
            read_array(path, elements, txn) if elements else FoundTable(path, "shape", of_dict({}))
        )
    else:
        yield not_a_table(path, node, txn)


def _of_records(path: tuple[str, ...], value: Any, txn: Transaction) -> FoundTable:
    """Show a map as rows, or as settings where nothing in it is a record."""
    found = dict(entries(value, txn)) if isinstance(value, Map) else value
    if found and not any(map(is_record, found.values())):
        return settings(path, found)
    return FoundTable(
        path, "shape", of_map(value, txn) if isinstance(value, Map) else of_dict(found)
    )
