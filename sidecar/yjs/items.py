"""What an update becomes once Yjs has taken it: items in lists and maps.

Yjs's own ``Item``, ``AbstractType`` and contents, in Python.
"""

from collections.abc import Iterator
from typing import Any

from sidecar.yjs.json_text import REPLACEMENT
from sidecar.yjs.update import (
    ANY,
    DELETED,
    GC,
    JSON,
    STRING,
    TYPE,
    Id,
    UpdateReader,
)

HIGH = range(0xD800, 0xDC00)
"""First halves of surrogate pairs."""


class Type:
    """A shared type: a list of items, and for each key the item that is its value now.

    Attributes:
        item: What holds it, None for a root.
        name: Of a root.
        start: The first item of its list.
        map: Key -> the last item written under it.
    """

    __slots__ = ("item", "map", "name", "start")

    def __init__(self, item: "Item | None" = None, name: str | None = None) -> None:
        self.item = item
        self.name = name
        self.start: Item | None = None
        self.map: dict[str, Item] = {}

    def children(self) -> Iterator["Item"]:
        """Give the items of its list that are not deleted."""
        item = self.start
        while item is not None:
            if not item.deleted:
                yield item
            item = item.right

    def entries(self) -> Iterator[tuple[str, "Item"]]:
        """Give its keys in code point order, each with the item that is shown for it."""
        for key in sorted(self.map):
            item = self.map[key]
            if not item.deleted:
                yield key, item


class Item:
    """One struct of a document; ``kind`` ``GC`` for what is left of collected ones.

    Attributes:
        client: Who wrote it.
        clock: Of its first element.
        length: Elements.
        kind: Yjs's content reference.
        origin: What it was written behind.
        right_origin: What it was written before.
        parent: Until it is integrated the name of a root, the id of a type, or None.
        key: In the parent's map, None in its list.
        content: Text of a ``STRING``, a list of JSON texts, else the bytes of the content; of
            ``ANY`` without its count.
        left: The item before it, as it stands now.
        right: The item behind it.
        deleted: Whether it is shown no more.
        type: The shared type that it holds.
    """

    __slots__ = (
        "client",
        "clock",
        "content",
        "deleted",
        "key",
        "kind",
        "left",
        "length",
        "origin",
        "parent",
        "right",
        "right_origin",
        "type",
    )

    def __init__(  # noqa: PLR0913 - as Yjs has it
        self,
        client: int,
        clock: int,
        length: int,
        kind: int,
        *,
        origin: Id | None = None,
        right_origin: Id | None = None,
        parent: "Type | str | Id | None" = None,
        key: str | None = None,
        content: Any = None,
    ) -> None:
        self.client = client
        self.clock = clock
        self.length = length
        self.kind = kind
        self.origin = origin
        self.right_origin = right_origin
        self.parent = parent
        self.key = key
        self.content = content
        self.left: Item | None = None
        self.right: Item | None = None
        self.deleted = kind in {GC, DELETED}
        self.type = Type(self) if kind == TYPE else None

    @property
    def last_id(self) -> Id:
        """Id of its last element."""
        return self.client, self.clock + self.length - 1

    def split(self, at: int) -> "Item":
        """Cut it in two, as ``splitItem`` does; the right part is returned, linked."""
        right = Item(
            self.client,
            self.clock + at,
            self.length - at,
            self.kind,
            origin=(self.client, self.clock + at - 1),
            right_origin=self.right_origin,
            parent=self.parent,
            key=self.key,
            content=self.cut(at),
        )
        right.deleted = self.deleted
        right.left, right.right = self, self.right
        self.right = right
        if right.right is not None:
            right.right.left = right
        elif right.key is not None and isinstance(right.parent, Type):
            right.parent.map[right.key] = right
        self.length = at
        return right

    def cut(self, at: int) -> Any:
        """Keep the first elements of the content and return that of the others."""
        self.content, rest = cut_content(self.kind, self.content, at)
        return rest

    def last_value(self) -> bytes:
        """Give the last value of an ``ANY`` item: what a map shows of it."""
        content: bytes = self.content
        return content[_end_of_values(content, self.length - 1) :]


def cut_content(kind: int, content: Any, at: int) -> tuple[Any, Any]:
    """Cut a content, as an ``Item`` has it, after so many elements.

    Raises:
        ValueError: It is one element.
    """
    if kind == STRING:
        return _cut_text(content, at)
    if kind == JSON:
        return content[:at], content[at:]
    if kind == ANY:
        end = _end_of_values(content, at)
        return content[:end], content[end:]
    if kind in {GC, DELETED}:
        return content, content
    message = f"content of kind {kind} cannot be divided"
    raise ValueError(message)


def _end_of_values(content: bytes, count: int) -> int:
    reader = UpdateReader(content)
    for _ in range(count):
        reader.pass_any()
    return reader.at


def _cut_text(text: str, at: int) -> tuple[str, str]:
    """Cut a text after so many UTF-16 units; both halves of a cut surrogate pair are replaced.

    Yjs's ``ContentString.splice``.
    """
    if text.isascii():
        return text[:at], text[at:]
    units = text.encode("utf-16-le")
    left, right = units[: 2 * at], units[2 * at :]
    if at and int.from_bytes(left[-2:], "little") in HIGH:
        shown = REPLACEMENT.encode("utf-16-le")
        left, right = left[:-2] + shown, shown + right[2:]
    return left.decode("utf-16-le"), right.decode("utf-16-le")
