"""What Yjs shows of a document, written as one V1 update that every decoder reads alike.

All of it is written by one client, parents before children and each element behind the one before
it, so that nothing is left to integrate. What was deleted is gone. Roots without content keep
their place by something deleted.
"""

from collections.abc import Iterator

import msgspec

from sidecar.yjs.encoding import write_bytes, write_varuint
from sidecar.yjs.integrate import Document
from sidecar.yjs.items import Item, Type
from sidecar.yjs.json_text import REPLACEMENT, repair, text_to_any, to_any
from sidecar.yjs.tangled import PLAIN_KINDS, is_table
from sidecar.yjs.update import (
    ANY,
    DELETED,
    EMBED,
    FORMAT,
    HAS_KEY,
    HAS_ORIGIN,
    JSON,
    STRING,
    TYPE,
    UpdateReader,
)

_CLIENT = 64
"""In its one byte unlike the info byte with which the first struct of a root begins."""
_UNDEFINED = b"\x7f"
"""What a format is under a key, or a text without a character: there, and undefined."""
_OF_VALUES = frozenset((ANY, JSON, STRING, EMBED, FORMAT))
_LISTS = frozenset((0, 3, 4))
"""``Y.Array``, ``Y.XmlElement`` and ``Y.XmlFragment``."""
_HOOK, _MAP = 5, b"\1"
"""A ``Y.XmlHook`` is a ``Y.Map`` with a name that Yjs does not print; the decoder refuses it."""

Path = tuple[str | None, ...]
"""From a root's name: keys of maps; for an element of a list its own ``key``, or None."""


class Repaired(msgspec.Struct, frozen=True):
    """Something whose content the decoder would not have taken as it is."""

    path: Path
    detail: str


class _Writer:
    """Collects structs.

    Attributes:
        clock: Of the next one.
        repaired: What was.
    """

    def __init__(self) -> None:
        self.clock = 0
        self.repaired: list[Repaired] = []
        self._structs: list[bytes] = []
        self._deleted: list[int] = []

    def finish(self) -> bytes:
        """Give the update."""
        if not self._structs:
            return b"\0\0"
        count = write_varuint(len(self._structs))
        ranges = b"".join(write_varuint(clock) + b"\1" for clock in self._deleted)
        deleted = write_varuint(len(self._deleted)) + ranges
        return b"".join(
            [
                b"\1" + count + write_varuint(_CLIENT) + b"\0",
                *self._structs,
                b"\1" + write_varuint(_CLIENT) + deleted if self._deleted else b"\0",
            ]
        )

    def type(self, shown: Type, parent: bytes) -> list[tuple[Type, bytes]]:
        """Write what lies in a type.

        Args:
            shown: The type.
            parent: How its items name it.

        Returns:
            The types in it, which are still to be written.
        """
        inner: list[tuple[Type, bytes]] = []
        last: int | None = None
        is_list = _is_list(shown)
        for items in _runs(shown, as_values=is_list):
            kind, length, content = self._content(items, as_values=is_list)
            if last is None:
                self._add(kind, parent, content)
            else:
                self._add(kind | HAS_ORIGIN, _id(last), content)
            last = self.clock + length - 1
            self._note(items[0], inner, length)
        entries = list(shown.entries())
        for key, item in entries:
            kind, content = self._value(item)
            self._add(kind | HAS_KEY, parent + write_bytes(key.encode()), content)
            self._note(item, inner, 1)
        if shown.name is not None and last is None and not entries:
            self._placeholder(parent)
        return inner

    def _placeholder(self, parent: bytes) -> None:
        self._deleted.append(self.clock)
        self._add(DELETED, parent, b"\1")
        self.clock += 1

    def _add(self, info: int, place: bytes, content: bytes) -> None:
        self._structs.append(bytes((info,)) + place + content)

    def _note(self, item: Item, inner: list[tuple[Type, bytes]], length: int) -> None:
        if item.type is not None:
            inner.append((item.type, b"\0" + _id(self.clock)))
        self.clock += length

    def _content(self, items: list[Item], *, as_values: bool = False) -> tuple[int, int, bytes]:
        """Give kind, length and content of items in a list that are written as one.

        Args:
            items: Of one kind.
            as_values: They lie in a list of values, where Yjs shows UTF-16 units of a text.
        """
        item = items[0]
        if as_values and item.kind in {STRING, EMBED}:
            return self._shown_in_list(items)
        if item.kind == STRING:
            text = "".join([item.content for item in items])
            return STRING, sum(item.length for item in items), write_bytes(text.encode())
        if item.kind in {ANY, JSON}:
            length = sum(item.length for item in items)
            return ANY, length, write_varuint(length) + b"".join(map(self._values, items))
        if item.kind in {EMBED, FORMAT}:
            return item.kind, 1, self._embedded(item)
        if item.kind == TYPE and item.content[0] == _HOOK:
            return TYPE, 1, _MAP
        return item.kind, item.length, item.content

    def _values(self, item: Item) -> bytes:
        if item.kind == JSON:
            return b"".join(self._json(text, item) for text in item.content)
        return bytes(item.content)

    def _shown_in_list(self, items: list[Item]) -> tuple[int, int, bytes]:
        """Give texts or an embed among values: a text shows as its UTF-16 units."""
        if items[0].kind == EMBED:
            return ANY, 1, b"\1" + self._last(items[0])
        units = [unit for item in items for unit in _units(item.content)]
        return ANY, len(units), write_varuint(len(units)) + b"".join(map(text_to_any, units))

    def _value(self, item: Item) -> tuple[int, bytes]:
        """Give kind and content of an item under a key."""
        if item.kind in _OF_VALUES:
            return ANY, b"\1" + self._last(item)
        return item.kind, self._content([item])[2]

    def _last(self, item: Item) -> bytes:
        """Give the last element of an item, which is what Yjs shows of it under a key."""
        if not item.length or item.kind == FORMAT:
            return _UNDEFINED
        if item.kind == ANY:
            return item.last_value()
        if item.kind == STRING:
            return text_to_any(list(_units(item.content[-1]))[-1])
        text = item.content[-1] if item.kind == JSON else UpdateReader(item.content).text()
        return self._json(text, item)

    def _json(self, text: str, item: Item) -> bytes:
        value, is_repaired = to_any(text)
        if is_repaired:
            self._say(item)
        return value

    def _embedded(self, item: Item) -> bytes:
        """Give the content of an embed or a format, with its JSON repaired."""
        reader = UpdateReader(item.content)
        name = write_bytes(reader.text().encode()) if item.kind == FORMAT else b""
        text = reader.text()
        written, is_repaired = repair(text)
        if is_repaired:
            self._say(item)
        return name + write_bytes(written.encode())

    def _say(self, item: Item) -> None:
        what = "an embed" if item.kind == EMBED else "a format" if item.kind == FORMAT else "JSON"
        detail = f"{what} with half a surrogate pair, or nested too deep"
        self.repaired.append(Repaired(_path(item), detail))


class Rewritten(msgspec.Struct, frozen=True):
    """An update of one client.

    Attributes:
        update: Its bytes.
        state_vector: The client and how many elements it wrote.
        repaired: What had to be.
    """

    update: bytes
    state_vector: dict[int, int]
    repaired: tuple[Repaired, ...]


def rewrite(document: Document) -> Rewritten:
    """Write all that is shown of a document.

    Raises:
        ValueError: It holds JSON that is none.
    """
    writer = _Writer()
    for name in sorted(document.roots):
        waiting = [(document.roots[name], b"\1" + write_bytes(name.encode()))]
        while waiting:
            waiting += writer.type(*waiting.pop())
    vector = {_CLIENT: writer.clock} if writer.clock else {}
    return Rewritten(writer.finish(), vector, tuple(writer.repaired))


def _is_list(shown: Type) -> bool:
    """Tell a type whose list holds values and no text: an array, or XML with children."""
    if shown.item is None:  # nobody says what a root is
        return is_table(shown.name) and any(it.kind in PLAIN_KINDS for it in shown.children())
    return shown.item.content[0] in _LISTS


def _runs(shown: Type, *, as_values: bool) -> Iterator[list[Item]]:
    """Give the items of a list, texts and plain values that follow each other together.

    Items without an element show nothing, and the decoder takes them for a gap.
    """
    run: list[Item] = []
    for item in shown.children():
        if not item.length or (as_values and item.kind == FORMAT):
            continue
        if run and not (item.kind == run[0].kind and item.kind in {STRING, ANY}):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _id(clock: int) -> bytes:
    return write_varuint(_CLIENT) + write_varuint(clock)


def _units(text: str) -> Iterator[str]:
    """Give the UTF-16 units of a text; half a pair is written as U+FFFD."""
    for character in text:
        is_pair = ord(character) > 0xFFFF
        yield from (REPLACEMENT, REPLACEMENT) if is_pair else (character,)


def _path(item: Item) -> Path:
    steps: list[str | None] = []
    at: Item | None = item
    while at is not None and isinstance(at.parent, Type):
        steps.append(at.key if at.key is not None else _own_key(at))
        if at.parent.item is None:
            steps.append(at.parent.name)
        at = at.parent.item
    return tuple(reversed(steps))


def _own_key(item: Item) -> str | None:
    """Give the ``key`` that an element of a keyed array says of itself."""
    key = item.type.map.get("key") if item.type else None
    if key is None or key.deleted or key.kind != ANY:
        return None
    value = key.last_value()
    return UpdateReader(value[1:]).text() if value[:1] == b"\x77" else None
