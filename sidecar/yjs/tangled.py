"""Updates that the decoder takes to the last byte, and yet integrates otherwise than Yjs does.

Two sessions under one client id (an app's folder that was copied, a client id that an app fixes)
write the same clocks with different content. What one of them wrote behind or into something then
lies behind or in something else: text under a key of a map or in an array, an element behind one
that was collected. Yjs has rules for that, the decoder has others, and the bytes are the same.

And a ``Y.XmlHook``, whose name the decoder does not read: it takes the name for structs, which in
one of a few hundred small documents it reads to the last byte.
"""

import re
from collections.abc import Collection, Container
from functools import cached_property

from sidecar.yjs.encoding import read_varuint, write_varuint
from sidecar.yjs.store import Deleted, Items, Place
from sidecar.yjs.update import (
    ANY,
    DELETED,
    EMBED,
    FORMAT,
    GC,
    JSON,
    STRING,
    TYPE,
    Id,
    Struct,
    UpdateReader,
)

TEXT_KINDS = frozenset((STRING, EMBED, FORMAT))
"""Contents that Yjs writes into texts only."""
PLAIN_KINDS = frozenset((JSON, ANY))
"""Contents that Yjs writes into arrays and maps only."""
TEXT_TYPES = frozenset((2, 6))
"""``Y.Text`` and ``Y.XmlText``."""
_MOST_CLIENTS = 100
_BEFORE = 2
"""Bytes before the id of a client that tell what names it."""
_HOOK = 5
_HOOK_WITH_NAME = re.compile(rb"\x05(?<!\}\x05)[\x01-\x3f]")
"""But for integers, which often come before an info byte."""
_KINDS = frozenset(
    flags | kind for flags in (0x40, 0x60, 0x80, 0xA0, 0xC0, 0xE0) for kind in range(1, 10)
)
"""Info bytes of items that name a neighbour."""
_TEXTS = frozenset(flags | kind for flags in (0, 0x20) for kind in TEXT_KINDS)
"""Info bytes of text in a type, before the mark of a parent that is one."""


def may_be_tangled(data: bytes, clients: Collection[int]) -> bool:
    """Tell quickly whether an update has anything that can be tangled.

    Where no item names a neighbour and none is text there is nothing. Client ids are drawn from
    32 bits, so what looks like a reference to one of them is one.
    """
    if len(clients) > _MOST_CLIENTS:
        return True
    written = [write_varuint(client) for client in clients]
    clocks = tuple(b"\0" + client for client in written)
    if any(not data.endswith(clocks, 0, found.start()) for found in _HOOK_WITH_NAME.finditer(data)):
        return True
    return any(_is_named(client, data) for client in written)


def _is_named(client: bytes, data: bytes) -> bool:
    """Tell whether a neighbour, or the parent of a text, seems to be of a client."""
    first, *behind = data.split(client)  # a varint never overlaps with itself
    if not behind:
        return False
    ends = {part[-_BEFORE:] for part in behind[:-1]}
    if any(len(end) < _BEFORE for end in ends):
        ends = {(client + part)[-_BEFORE:] for part in behind[:-1]}
    return any(map(_names_item, {first[-_BEFORE:], *ends}))


def _names_item(before: bytes) -> bool:
    """Tell by the two bytes before a client's id whether it stands in an item's reference."""
    if len(before) == _BEFORE and before[1] == 0 and before[0] in _TEXTS:
        return True
    return bool(before) and before[-1] in _KINDS


def is_tangled(data: bytes) -> bool:
    """Tell whether Yjs and the decoder may integrate an update otherwise.

    Raises:
        ValueError: It makes no sense.
    """
    reader = UpdateReader(data)
    structs = list(reader.structs())
    types = {(item.client, item.clock): item for item in structs if item.kind == TYPE}
    if any(read_varuint(data, item.at)[0] == _HOOK for item in types.values()):
        return True
    deleted = Deleted(reader.deleted())
    left = [item for item in structs if not _is_plain(item, types)]
    left = [item for item in left if (item.client, item.clock) not in deleted]
    tree = _Tree(Items(structs) if left else Items(()), deleted, data)
    return any(tree.is_odd(item) for item in left)


def _is_plain(item: Struct, types: Container[Id]) -> bool:
    """Tell quickly what cannot be odd: it names a root or a type as its parent, and is no text."""
    if item.parent is None or item.kind in TEXT_KINDS:
        return item.kind in {GC, DELETED}
    return isinstance(item.parent, str) or item.parent in types


class _Tree:
    """The structs of an update, each in its place."""

    def __init__(self, items: Items, deleted: Deleted, data: bytes) -> None:
        self._items = items
        self._deleted = deleted
        self._data = data
        self._fitting: dict[bool, dict[Place, bool]] = {True: {}, False: {}}

    def is_odd(self, item: Struct) -> bool:
        items = self._items
        left, right = items.holding(item.left), items.holding(item.right)
        if (left and left.kind == GC) or (right and right.kind == GC):
            return True
        if left and right and items.place(left) != items.place(right):
            return True
        place, is_text = items.place(item), item.kind in TEXT_KINDS
        fitting = self._fitting[is_text]
        if place not in fitting:
            fitting[place] = self._fits(place, is_text=is_text)
        return not fitting[place]

    def _fits(self, place: Place, *, is_text: bool) -> bool:
        """Tell whether Yjs would have put text, or anything else, in a place."""
        parent, key = place
        if is_text and key is not None:
            return False
        if parent is None:  # what text was written behind is not in the file: it waits
            return is_text
        if isinstance(parent, str):
            return not (is_text and is_table(parent) and parent in self._arrays)
        holder = self._items.holding(parent)
        if holder is None or holder.kind != TYPE or holder.clock != parent[1]:
            return False
        return not is_text or read_varuint(self._data, holder.at)[0] in TEXT_TYPES

    @cached_property
    def _arrays(self) -> set[str | Id | None]:
        """Parents of lists that hold plain values."""
        plain = [item for item in self._items.sorted if item.kind in PLAIN_KINDS]
        left = (item for item in plain if (item.client, item.clock) not in self._deleted)
        places = map(self._items.place, left)
        return {parent for parent, key in places if key is None}


def is_table(root: str | None) -> bool:
    """Tell by its name whether a root may be a keyed array; it is one if it holds plain values."""
    return root is not None and root.startswith("table:")
