"""What a newer form of a document holds beyond an older one, and the proof that this is all.

An app that saves a document writes all of it again. Nearly all of those bytes are the ones it wrote
before, so they are compared and not read. Where they differ, the structs on both sides are read
from a mark before the place, and compared one by one, until both sides agree again.

The proof: every byte of the newer form is accounted for. Of each client that wrote before, every
clock is there again and says the same, but for three things that Yjs does to structs:

- It splits them, and joins neighbours again: compared element by element.
- It forgets the content of deleted ones: they must be in the delete set.
- It forgets all of those whose parent was deleted as well: what they stood beside must be too.

What was deleted before still is. No client is gone and no clock went back. Whatever else is there
is new: structs behind the last clock of a client, new clients, new ranges of the delete set. A
document that got those by an update is the one that the newer form holds, whoever wrote it.
"""

import msgspec

from sidecar.yjs.encoding import write_varuint
from sidecar.yjs.index import (
    LONG,
    Index,
    Marks,
    Section,
    SectionReader,
    read_deletes,
    read_header,
)
from sidecar.yjs.spans import Spans, covers, subtract
from sidecar.yjs.update import (
    ANY,
    DELETED,
    GC,
    JSON,
    SKIP,
    STRING,
    Id,
    Struct,
    UpdateReader,
)

_BLOCK = 1 << 16
MOST_BYTES = 8 << 20
"""New content that is worth reading here; more of it is decoded afresh as fast."""
MOST_MOVED = 5_000_000
"""Elements behind the places where structs are split: the decoder moves them, 0.05 us each."""
MOST_STRUCTS = 50_000
"""Structs of windows, likewise: 10 us each."""


class UnaccountedError(ValueError):
    """The newer form is not, beyond doubt, the older one and something more."""


class Cut(msgspec.Struct, frozen=True):
    """What a newer form of a document holds beyond an older one.

    Attributes:
        update: It, as a V1 update; without structs and deletes when there is nothing.
        index: Of the newer form.
    """

    update: bytes
    index: Index

    @property
    def state_vector(self) -> dict[int, int]:
        """Client -> clock of the newer form."""
        return {client: section.clock for client, section in self.index.sections.items()}


def cut(old: Index, data: bytes) -> Cut:
    """Cut what is new out of a newer form of a document.

    Args:
        old: The older form.
        data: The newer one.

    Raises:
        ValueError: It is not accounted for to the last byte (``UnaccountedError``), or makes no
            sense: it has to be decoded afresh. The message says why.
    """
    if old.data == data:
        return Cut(_NOTHING, old)
    return _Cutter(old, data).cut()


_NOTHING = b"\0\0"


class _Cutter:
    """One comparison."""

    def __init__(self, old: Index, data: bytes) -> None:
        self.old = old
        self.data = data
        self.reader = UpdateReader(data)
        self.added: list[bytes] = []
        """Sections of the update to be made."""
        self.must_be_deleted: Spans = {}
        self.budget = [MOST_BYTES, MOST_STRUCTS, MOST_MOVED]

    def cut(self) -> Cut:
        reader = self.reader
        sections: dict[int, Section] = {}
        for _ in range(reader.number()):
            count, client, clock = read_header(reader)
            if clock or client in sections:
                raise UnaccountedError(f"client {client} has a second section, or not all of one")
            known = self.old.sections.get(client)
            sections[client] = (
                _Comparison(self, known, count).section() if known else self._new(client, count)
            )
        if gone := self.old.sections.keys() - sections.keys():
            raise UnaccountedError(f"client {min(gone)} is gone")
        deletes_at = reader.at
        deleted, fresh = self._deletes(sections)
        update = write_varuint(len(self.added)) + b"".join(self.added) + _deletes(fresh)
        return Cut(update, Index(self.data, sections, deletes_at, deleted))

    def spend(self, size: int = 0, structs: int = 0, moved: int = 0) -> None:
        """Stop a comparison that costs more than a decode."""
        self.budget[0] -= size
        self.budget[1] -= structs
        self.budget[2] -= moved
        if min(self.budget) < 0:
            raise UnaccountedError("too much of it is new")

    def need_deleted(self, client: int, clock: int, length: int) -> None:
        self.must_be_deleted.setdefault(client, []).append((clock, clock + length))

    def _new(self, client: int, count: int) -> Section:
        """Read the section of a client that had none."""
        section, start = SectionReader(self.reader, client), self.reader.at
        self.pass_new(section, count)
        self.added.append(_header(count, client, 0) + self.data[start : self.reader.at])
        return section.done()

    def pass_new(self, section: SectionReader, count: int) -> None:
        """Pass over new structs, a bounded number at a time."""
        while count:
            group, at = min(count, _GROUP), self.reader.at
            section.read(group)
            self.spend(self.reader.at - at)
            count -= group
        if section.holds_odd:
            raise UnaccountedError("it holds BigInts, sub-documents or JSON of Yjs's oldest form")

    def _deletes(self, sections: dict[int, Section]) -> tuple[Spans, Spans]:
        """Read the delete set.

        Returns:
            All of it, and what is new of it.
        """
        old, data, at = self.old, self.data, self.reader.at
        if data[at:] == old.data[old.deletes_at :]:
            deleted, fresh = old.deleted, {}
        else:
            deleted = read_deletes(self.reader)
            if self.reader.at != len(data):
                raise UnaccountedError(f"its update ends at {self.reader.at} of {len(data)} bytes")
            if missing := subtract(old.deleted, deleted):
                raise UnaccountedError(f"what client {min(missing)} wrote is deleted no more")
            fresh = subtract(deleted, old.deleted)
        for client, found in fresh.items():
            if client not in sections or found[-1][1] > sections[client].clock:
                raise UnaccountedError(f"more is deleted than client {client} wrote")
        if not covers(deleted, self.must_be_deleted):
            raise UnaccountedError("something was emptied that is not deleted")
        return deleted, fresh


_GROUP = 4096


class _Comparison:
    """Compares the two forms of one section."""

    def __init__(self, cutter: _Cutter, old: Section, count: int) -> None:
        self.cutter = cutter
        self.old = old
        self.count = count
        self.before = cutter.old.data
        self.data = cutter.data
        self.start = cutter.reader.at
        self.marks = Marks()
        # Where both stand, always at the beginning of structs with one clock.
        self.at_old, self.passed_old = old.start, 0
        self.at, self.passed = self.start, 0
        self.clock = 0

    def section(self) -> Section:
        """Compare to the end of the older form, and take what comes behind it."""
        tail = self._compare()
        reader = self.cutter.reader
        reader.at = self.at
        section = SectionReader(reader, self.old.client, self.start, self.marks)
        section.clock, section.ordinal = self.clock, self.passed
        left = self.count - self.passed
        self.cutter.pass_new(section, left)
        if left or tail:
            self.cutter.added.append(
                _header(left + bool(tail), self.old.client, self.old.clock)
                + tail
                + self.data[self.at : reader.at]
            )
        return section.done()

    def _compare(self) -> bytes:
        """Compare the structs up to the last clock of the older form.

        Returns:
            What the newer form has joined to the last of them, as a struct of its own.
        """
        old = self.old
        while self.at_old < old.end:
            same = _common_prefix(self.before, self.at_old, old.end, self.data, self.at)
            if self.at_old + same == old.end:
                self._take_over(len(old.marks.offsets), same, old.count - self.passed_old)
                self.clock = old.clock
                break
            differs_at = self.at_old + same
            mark = old.marks.last_before(differs_at - old.start)
            if mark >= 0 and old.marks.offsets[mark] > self.at_old - old.start:
                self._jump(mark)
            if tail := self._window(differs_at):
                return tail
        if self.passed > self.count:
            raise UnaccountedError(f"client {old.client} has fewer structs")
        return b""

    def _jump(self, mark: int) -> None:
        """Go on at a mark of the older form; up to there both are the same."""
        marks = self.old.marks
        size = marks.offsets[mark] - (self.at_old - self.old.start)
        self._take_over(mark, size, marks.ordinals[mark] - self.passed_old)
        self.clock = marks.clocks[mark]

    def _take_over(self, last_mark: int, size: int, structs: int) -> None:
        """Pass over equal bytes, up to a mark."""
        marks = self.old.marks
        first = marks.last_before(self.at_old - self.old.start - 1) + 1
        bytes_on = (self.at - self.start) - (self.at_old - self.old.start)
        self.marks.extend(marks, first, last_mark, bytes_on, self.passed - self.passed_old)
        self.at_old += size
        self.at += size
        self.passed_old += structs
        self.passed += structs

    def _window(self, differs_at: int) -> bytes:
        """Compare struct by struct until both forms are past a place and in step again.

        Returns:
            What the newer form has beyond the older one, where that ends in here.
        """
        client, end = self.old.client, self.old.end
        old = _Side(self.before, self.at_old, client, self.clock)
        new = _Side(self.data, self.at, client, self.clock)
        marks, first = self.old.marks, self.old.start
        if self.at - self.start > self._last_mark():
            self.marks.add(self.at - self.start, self.clock, self.passed)
        tail = b""
        while True:
            if old.is_done and old.at >= end:
                tail = b"" if new.is_done else new.rest()
                break
            if old.is_done and new.is_done and old.at > differs_at:
                break
            if old.is_done:
                known = marks.end_of(old.at - first)
                old.read(None if known is None else first + known)
                self.cutter.spend(structs=1)
            if new.is_done:
                start = new.at
                new.read(begins=old)
                self.cutter.spend(structs=1)
                self._mark_long(start, new)
            if self.passed + new.count > self.count:
                raise UnaccountedError(f"client {client} went back to {new.struct.clock}")
            self._compare_elements(old, new, min(old.left, new.left))
        self.at_old, self.at = old.at, new.at
        self.passed_old += old.count
        self.passed += new.count
        self.clock = new.struct.clock + new.struct.length
        return tail

    def _mark_long(self, start: int, new: "_Side") -> None:
        """Mark where a long struct begins and ends: it is compared again when it has grown."""
        if new.at - start >= LONG:
            clock, ordinal = new.struct.clock, self.passed + new.count
            self.marks.add_once(start - self.start, clock, ordinal - 1)
            self.marks.add_once(new.at - self.start, clock + new.struct.length, ordinal)

    def _last_mark(self) -> int:
        return self.marks.offsets[-1] if self.marks.offsets else -1

    def _compare_elements(self, old: "_Side", new: "_Side", length: int) -> None:
        """Compare the next elements of two structs, as many as both have left."""
        before, after = old.place(), new.place()
        client, clock = self.old.client, old.clock
        if new.struct.kind == GC:
            if old.struct.kind != GC:
                self.cutter.need_deleted(client, clock, length)
                self._need_deleted_place(before)
                old.pass_content(length)
        elif before != after or old.struct.kind == GC:
            raise UnaccountedError(f"{client}:{clock} stands in another place")
        elif new.struct.kind == DELETED:
            if old.struct.kind != DELETED:
                self.cutter.need_deleted(client, clock, length)
                old.pass_content(length)
        elif not _are_same(old, new, length):
            raise UnaccountedError(f"{client}:{clock} holds something else")
        old.take(length)
        new.take(length)
        self.cutter.spend(moved=old.left)

    def _need_deleted_place(self, place: "_Place") -> None:
        left, right, parent, _ = place
        for found in (left, right, parent):
            if isinstance(found, str):
                raise UnaccountedError(f"the root {found!r} was emptied as if it were deleted")
            if found is not None:
                self.cutter.need_deleted(*found, 1)


_Place = tuple[Id | None, Id | None, str | Id | None, str | None]


class _Side:
    """One form of a section, read struct by struct and taken element by element.

    Attributes:
        at: Behind the struct that was read last.
        count: Structs read.
    """

    struct: Struct

    def __init__(self, data: bytes, at: int, client: int, clock: int) -> None:
        self.at = at
        self.count = 0
        self.clock = clock
        self.left = 0
        self._data = data
        self._client = client
        self._start = at
        self._is_odd = False
        self._elements: list[bytes] | bytes = b""
        self._value_at = 0

    @property
    def is_done(self) -> bool:
        """Tell whether the struct that was read last is taken whole."""
        return not self.left

    @property
    def _taken(self) -> int:
        return self.struct.length - self.left

    def read(self, end: int | None = None, begins: "_Side | None" = None) -> None:
        """Read the next struct.

        Args:
            end: Where it ends, if that is known.
            begins: The other side, whose elements it may begin with: they are not read again.
        """
        reader = UpdateReader(self._data, self.at)
        known, elements = begins.values_left() if begins else (b"", 0)
        self.struct = found = reader.struct(
            self._client, self.clock, end=end, known=known, elements=elements
        )
        if not found.length or found.kind == SKIP:
            raise UnaccountedError(f"there is a gap, or nothing, at {self._client}:{self.clock}")
        self._start, self.at = self.at, reader.at
        self.left = found.length
        self.count += 1
        self._elements = _elements(self._data, found, reader.at)
        self._value_at = _list_at(self._data, found) if found.kind == ANY else 0
        self._is_odd = reader.has_bigint or found.kind == JSON

    def place(self) -> _Place:
        """Tell where the next element stands: behind the one before it, if they share a struct."""
        found = self.struct
        if self._taken:
            return (self._client, self.clock - 1), found.right, None, None
        return found.left, found.right, found.parent, found.key

    def values_left(self) -> tuple[bytes, int]:
        """Give what is left of a list of plain values: the bytes, and how many elements."""
        if not self.left or self.struct.kind != ANY:
            return b"", 0
        return self._data[self._value_at : self.at], self.left

    def begins_with(self, values: bytes) -> bool:
        """Tell whether the next plain values are these, and pass over them if they are."""
        if not self._data.startswith(values, self._value_at):
            return False
        self._value_at += len(values)
        return True

    def content(self, length: int) -> list[bytes] | bytes:
        """Give the next elements."""
        width = _WIDTH_OF_UNIT if self.struct.kind == STRING else 1
        if self.struct.length == 1 and not isinstance(self._elements, list):
            return self._elements
        return self._elements[self._taken * width : (self._taken + length) * width]

    def take(self, length: int) -> None:
        """Pass over elements."""
        self.left -= length
        self.clock += length

    def pass_content(self, length: int) -> None:
        """Pass over plain values whose content the other side has forgotten."""
        if self.struct.kind == ANY and length < self.left:
            reader = UpdateReader(self._data, self._value_at)
            for _ in range(length):
                reader.pass_any()
            self._value_at = reader.at

    def rest(self) -> bytes:
        """Write the elements that are left as a struct of their own, as Yjs does."""
        found, info = self.struct, self._data[self._start]
        length, self.left = self.left, 0
        taken = found.length - length
        self.clock += length
        if self._is_odd:
            raise UnaccountedError("it holds BigInts or JSON of Yjs's oldest form")
        if found.kind == GC:
            return bytes([GC]) + write_varuint(length)
        head = bytes([info | _HAS_ORIGIN]) + _id((self._client, self.clock - length - 1))
        head += _id(found.right) if found.right else b""
        if found.kind == DELETED:
            return head + write_varuint(length)
        if found.kind == STRING:
            units = bytes(self._elements[taken * _WIDTH_OF_UNIT :])  # type: ignore[arg-type]
            text = units.decode("utf-16-le").encode()
            return head + write_varuint(len(text)) + text
        if found.kind == ANY:
            return head + write_varuint(length) + self._data[self._value_at : self.at]
        return head + write_varuint(length) + b"".join(self._elements[taken:])  # type: ignore[arg-type]


_HAS_ORIGIN = 0x80
_WIDTH_OF_UNIT = 2


def _elements(data: bytes, found: Struct, end: int) -> list[bytes] | bytes:
    """Give the content of a struct in a form that can be cut between its elements."""
    if found.kind in {GC, DELETED, ANY}:
        return b""
    if found.kind == STRING:
        reader = UpdateReader(data, found.at)
        size = reader.number()
        return data[reader.at : reader.at + size].decode().encode("utf-16-le")
    if found.kind == JSON:
        return UpdateReader(data, found.at).elements(found.kind)
    return data[found.at : end]


def _list_at(data: bytes, found: Struct) -> int:
    """Give where the first element of a list of plain values begins, behind their number."""
    reader = UpdateReader(data, found.at)
    reader.number()
    return reader.at


def _are_same(old: _Side, new: _Side, length: int) -> bool:
    """Tell whether the next elements of two structs are the same.

    Plain values say themselves where they end. So two lists of them are the same where the bytes
    are, and the one that ends first tells how many bytes.
    """
    if old.struct.kind != new.struct.kind:
        return False
    if old.struct.kind != ANY:
        return old.content(length) == new.content(length)
    values = (old if old.left == length else new).values_left()[0]
    return old.begins_with(values) and new.begins_with(values)


def _common_prefix(old: bytes, at_old: int, end: int, new: bytes, at: int) -> int:
    """Count the bytes that two sections have in common from two places on.

    Blocks are compared by ``startswith``, which is memcmp: 32 MB take 10 ms.
    """
    start, size = at_old, 64
    while at_old < end:
        block = old[at_old : min(end, at_old + size)]
        if not new.startswith(block, at):
            return at_old - start + _differs_at(block, new, at)
        at_old += len(block)
        at += len(block)
        size = min(_BLOCK, size * 4)
    return end - start


def _differs_at(block: bytes, new: bytes, at: int) -> int:
    low, high = 0, len(block)  # the first `low` are equal, the first `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        if new.startswith(block[low:middle], at + low):
            low = middle
        else:
            high = middle
    return low


def _header(count: int, client: int, clock: int) -> bytes:
    return write_varuint(count) + write_varuint(client) + write_varuint(clock)


def _id(found: Id) -> bytes:
    return write_varuint(found[0]) + write_varuint(found[1])


def _deletes(fresh: Spans) -> bytes:
    parts = [write_varuint(len(fresh))]
    for client, found in fresh.items():
        parts += [write_varuint(client), write_varuint(len(found))]
        parts += [write_varuint(first) + write_varuint(last - first) for first, last in found]
    return b"".join(parts)
