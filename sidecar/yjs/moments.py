"""A document as it was: its structs up to a state vector, with the delete set of that time.

That is what ``Y.createDocFromSnapshot`` makes of a document that keeps what it deleted. Bytes are
taken over as they are, so BigInts keep their digits.
"""

from bisect import bisect_left

from sidecar.yjs.encoding import write_varuint
from sidecar.yjs.items import HIGH, cut_content
from sidecar.yjs.store import Items
from sidecar.yjs.update import (
    ANY,
    DELETED,
    GC,
    JSON,
    SKIP,
    STRING,
    Id,
    Ranges,
    Struct,
    UpdateReader,
)


class Moments:
    """The structs of an update, to be cut at any moment.

    Attributes:
        reached: Client -> clock.
        deleted: What is deleted now, ranges that touch joined.
        exact: Whether nothing was collected.
    """

    def __init__(self, data: bytes) -> None:
        """Read an update.

        Raises:
            ValueError: It makes no sense.
        """
        self.reached: dict[int, int] = {}
        self.exact = True
        self._data = data
        self._sections: dict[int, _Section] = {}
        self._items: Items | None = None
        self._texts: dict[Id, bytes] = {}
        reader = UpdateReader(data)
        for client, structs in reader.sections():
            section = self._sections[client] = _Section(reader.at)
            for found, end in structs:
                self.exact &= found.kind not in {GC, DELETED}
                section.structs.append(found)
                section.ends.append(end)
                self.reached[client] = found.clock + found.length
        self.deleted = merged(reader.deleted())

    def update_at(self, vector: dict[int, int], deleted: Ranges) -> bytes:
        """Give the document as it was, as a V1 update.

        Args:
            vector: How far each client had come.
            deleted: What was deleted.
        """
        sections: list[bytes] = []
        for client in sorted(self._sections, reverse=True):
            written = self._section(client, vector.get(client, 0))
            if written:
                sections.append(written)
        return write_varuint(len(sections)) + b"".join(sections) + _deletes(deleted)

    def must_be_deleted(self, element: Id, vector: dict[int, int], deleted: Ranges) -> bool:
        """Tell whether an element must have been deleted by then.

        So must be what lies in a deleted type, what was overwritten under its key, and the other
        half of a deleted surrogate: Yjs writes U+FFFD for both where it deletes one alone.
        """
        items = self._held()
        item = items.holding(element)
        if item is None:
            return False
        if item.kind == STRING and self._is_half_deleted(element, item, deleted):
            return True
        parent, key = items.place(item)
        if isinstance(parent, tuple) and _holds(deleted, parent):
            return True
        if key is None:
            return False
        following = self._following(element, item)
        return following is not None and following[1] < vector.get(following[0], 0)

    def _held(self) -> Items:
        if self._items is None:
            found = (s for section in self._sections.values() for s in section.structs)
            self._items = Items(s for s in found if s.kind != SKIP)
            self._overwriting = {
                s.left: (s.client, s.clock) for s in self._items.sorted if s.left is not None
            }
        return self._items

    def _is_half_deleted(self, element: Id, item: Struct, deleted: Ranges) -> bool:
        """Tell whether an element is one half of a character whose other half is deleted."""
        client, clock = element
        return any(
            _holds(deleted, (client, clock + step))
            and _begins_pair(self._text(item), min(clock, clock + step) - item.clock)
            for step in (-1, 1)
        )

    def _text(self, item: Struct) -> bytes:
        """Return the text of an item in UTF-16, of which Yjs counts the units."""
        place = item.client, item.clock
        if place not in self._texts:
            text = UpdateReader(self._data, item.at).blob().decode(errors="replace")
            self._texts[place] = text.encode("utf-16-le")
        return self._texts[place]

    def _following(self, element: Id, item: Struct) -> Id | None:
        """Find what was written over an element under one key: behind it, or joined with it."""
        client, clock = element
        if clock + 1 < item.clock + item.length:
            return client, clock + 1
        return self._overwriting.get(element)

    def _section(self, client: int, clock: int) -> bytes:
        """Write the structs of one client up to a clock."""
        section = self._sections[client]
        count = bisect_left(section.structs, clock, key=_clock)
        if not count or not clock:
            return b""
        last = section.structs[count - 1]
        start = section.ends[count - 2] if count > 1 else section.start
        whole = self._data[section.start : start]
        if last.clock + last.length <= clock:
            cut = self._data[start : section.ends[count - 1]]
        else:
            content = self._data[last.at : section.ends[count - 1]]
            cut = self._data[start : last.at] + _first(last.kind, content, clock - last.clock)
        first_clock = section.structs[0].clock
        header = write_varuint(count) + write_varuint(client) + write_varuint(first_clock)
        return header + whole + cut


class _Section:
    __slots__ = ("ends", "start", "structs")

    def __init__(self, start: int) -> None:
        self.start = start
        self.structs: list[Struct] = []
        self.ends: list[int] = []


def merged(ranges: Ranges) -> Ranges:
    """Join ranges that touch."""
    found: Ranges = {}
    for client, unsorted in ranges.items():
        joined = found.setdefault(client, [])
        for clock, length in sorted(unsorted):
            if joined and clock <= sum(joined[-1]):
                start, before = joined[-1]
                joined[-1] = (start, max(before, clock + length - start))
            else:
                joined.append((clock, length))
    return found


def _clock(found: Struct) -> int:
    return found.clock


def _holds(deleted: Ranges, wanted: Id) -> bool:
    found = deleted.get(wanted[0], [])
    index = bisect_left(found, (wanted[1] + 1, 0)) - 1
    return index >= 0 and wanted[1] < sum(found[index])


def _begins_pair(text: bytes, at: int) -> bool:
    """Tell whether a unit of a text, the low byte first, is the first half of a character."""
    return at >= 0 and int.from_bytes(text[2 * at : 2 * at + 2], "little") in HIGH


def _first(kind: int, content: bytes, count: int) -> bytes:
    """Write the first elements of a struct's content."""
    reader = UpdateReader(content)
    if kind in {GC, DELETED, SKIP}:
        return write_varuint(count)
    if kind == STRING:
        encoded: bytes = cut_content(kind, reader.text(), count)[0].encode()
        return write_varuint(len(encoded)) + encoded
    if kind in {ANY, JSON}:
        return write_varuint(count) + b"".join(reader.elements(kind)[:count])
    return content


def _deletes(deleted: Ranges) -> bytes:
    written = [write_varuint(len(deleted))]
    for client in sorted(deleted, reverse=True):
        written += (write_varuint(client), write_varuint(len(deleted[client])))
        for clock, length in deleted[client]:
            written += (write_varuint(clock), write_varuint(length))
    return b"".join(written)
