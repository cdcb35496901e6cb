"""Where the structs of an update begin: each client's section, and a mark every few structs.

An update is written without an index: where a section ends is known only to who has read all of
its structs. Reading 900,000 of them one by one takes 5 s in Python. A pattern that matches sixteen
plain ones at a time (map entries with short values, as rows of tables have) takes 0.25 s, and what
it does not match is read by ``UpdateReader``: the result is the same, and as exact.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from functools import cache

import msgspec

from sidecar.yjs.encoding import CutShortError
from sidecar.yjs.spans import Spans, join
from sidecar.yjs.update import DOC, JSON, SKIP, UpdateReader

STRIDE = 16
"""Structs from one mark to the next: what is read to find the beginning of one in between."""
LONG = 1 << 12
"""Bytes of a struct from which its end has a mark too: all rows that an app pushed are one list."""


_Match = Callable[[bytes, int], "re.Match[bytes] | None"]


class Marks:
    """Places where a struct begins, in the order of the section.

    Attributes:
        offsets: In bytes, from the section's first struct.
        clocks: Of the struct that begins there.
        ordinals: Structs before it.
    """

    __slots__ = ("clocks", "offsets", "ordinals")

    def __init__(self) -> None:
        """Begin without any."""
        self.offsets, self.clocks, self.ordinals = array("Q"), array("Q"), array("Q")

    def add(self, offset: int, clock: int, ordinal: int) -> None:
        """Add the next one."""
        self.offsets.append(offset)
        self.clocks.append(clock)
        self.ordinals.append(ordinal)

    def add_once(self, offset: int, clock: int, ordinal: int) -> None:
        """Add the next one, if it is not there yet."""
        if not self.offsets or self.offsets[-1] < offset:
            self.add(offset, clock, ordinal)

    def end_of(self, offset: int) -> int | None:
        """Give where the struct ends that begins at an offset, if that is known."""
        at = self.last_before(offset)
        if at < 0 or self.offsets[at] != offset or at + 1 == len(self.offsets):
            return None
        is_next = self.ordinals[at + 1] == self.ordinals[at] + 1
        return self.offsets[at + 1] if is_next else None

    def last_before(self, offset: int) -> int:
        """Give the index of the last mark at or before an offset, -1 where there is none."""
        return bisect_right(self.offsets, offset) - 1

    def extend(self, other: "Marks", first: int, last: int, bytes_on: int, structs_on: int) -> None:
        """Take over marks from another form of the section, moved on by so much."""
        offsets, ordinals = other.offsets[first:last], other.ordinals[first:last]
        if bytes_on:
            offsets = array("Q", [offset + bytes_on for offset in offsets])
        if structs_on:
            ordinals = array("Q", [ordinal + structs_on for ordinal in ordinals])
        self.offsets += offsets
        self.ordinals += ordinals
        self.clocks += other.clocks[first:last]


class Section(msgspec.Struct, frozen=True):
    """All structs of one client.

    Attributes:
        client: Who wrote them.
        count: How many structs.
        clock: Behind the last.
        start: Where the first struct begins in the update.
        end: Behind the last.
        marks: Where some of them begin.
    """

    client: int
    count: int
    clock: int
    start: int
    end: int
    marks: Marks


class Index(msgspec.Struct, frozen=True):
    """An update, and where things are in it.

    Attributes:
        data: The update.
        sections: By client, in the order of the update.
        deletes_at: Where the delete set begins.
        deleted: The delete set.
    """

    data: bytes
    sections: dict[int, Section]
    deletes_at: int
    deleted: Spans


def index(data: bytes) -> Index:
    """Read an update to its last byte.

    Raises:
        ValueError: It is not the whole state of a document that ends where its update ends.
    """
    reader = UpdateReader(data)
    sections: dict[int, Section] = {}
    for _ in range(reader.number()):
        count, client, clock = read_header(reader)
        if client in sections or clock:
            message = f"the section of client {client} is not its only one, from the beginning"
            raise ValueError(message)
        sections[client] = read_section(reader, client, count)
    deletes_at = reader.at
    deleted = read_deletes(reader)
    if reader.at != len(data):
        message = f"the update ends at {reader.at} of {len(data)} bytes"
        raise ValueError(message)
    return Index(data, sections, deletes_at, deleted)


def is_cut_short(data: bytes) -> bool:
    """Tell whether an update ends before all of it was read, whatever else is wrong with it."""
    reader = UpdateReader(data)
    try:
        for _ in range(reader.number()):
            count, client, _ = reader.number(), reader.number(), reader.number()
            SectionReader(reader, client).read(count)
        reader.deleted()
    except CutShortError:
        return True
    except ValueError:
        return False
    return False


def read_header(reader: UpdateReader) -> tuple[int, int, int]:
    """Read number of structs, client and first clock of a section.

    Raises:
        ValueError: The update ends, or the section is empty.
    """
    count, client, clock = reader.number(), reader.number(), reader.number()
    if not count:
        message = f"the section of client {client} is empty"
        raise ValueError(message)
    return count, client, clock


def read_section(reader: UpdateReader, client: int, count: int) -> Section:
    """Read all structs of a client, from clock 0 on.

    Raises:
        ValueError: The update ends or makes no sense.
    """
    section = SectionReader(reader, client)
    section.read(count)
    return section.done()


class SectionReader:
    """Passes over the structs of a client, and marks where some of them begin.

    Attributes:
        clock: Of the next struct.
        ordinal: Structs before it.
        marks: Those so far.
        holds_odd: Something was passed that the decoder counts in another way or refuses: a
            BigInt, a sub-document, content of Yjs's oldest form.
    """

    def __init__(
        self,
        reader: UpdateReader,
        client: int,
        start: int | None = None,
        marks: Marks | None = None,
    ) -> None:
        """Begin where the reader stands.

        Args:
            reader: Of the update.
            client: Who wrote the structs.
            start: Where the section begins, if that is not here.
            marks: Those before this place.
        """
        self.clock = self.ordinal = 0
        self.marks = marks or Marks()
        self.holds_odd = False
        self._reader = reader
        self._client = client
        self._start = reader.at if start is None else start

    def read(self, count: int) -> None:
        """Pass over the next structs.

        Raises:
            ValueError: The update ends or makes no sense.
        """
        reader, data = self._reader, self._reader.data
        many, one = _patterns()
        last = self.ordinal + count
        while self.ordinal < last:
            self.mark(reader.at)
            group = min(STRIDE, last - self.ordinal)
            if group == STRIDE and (found := many(data, reader.at)):
                reader.at = found.end()
                self.clock += STRIDE
                self.ordinal += STRIDE
                continue
            for _ in range(group):
                if found := one(data, reader.at):
                    reader.at = found.end()
                    self.clock += 1
                    self.ordinal += 1
                else:
                    self._read_one()

    def mark(self, at: int) -> None:
        """Mark the struct that begins there."""
        self.marks.add_once(at - self._start, self.clock, self.ordinal)

    def done(self) -> Section:
        """Give the section, which ends where the reader stands."""
        end = self._reader.at
        return Section(self._client, self.ordinal, self.clock, self._start, end, self.marks)

    def _read_one(self) -> None:
        start = self._reader.at
        found = self._reader.struct(self._client, self.clock)
        if not found.length or found.kind == SKIP:
            message = f"there is a gap, or nothing, at {self._client}:{self.clock}"
            raise ValueError(message)
        if self._reader.at - start >= LONG:
            self.mark(start)
        self.clock += found.length
        self.ordinal += 1
        if self._reader.at - start >= LONG:
            self.mark(self._reader.at)
        self.holds_odd |= self._reader.has_bigint or found.kind in {JSON, DOC}


def read_deletes(reader: UpdateReader) -> Spans:
    """Read a delete set.

    Raises:
        ValueError: The update ends, or the set is not as Yjs writes it.
    """
    start = reader.at
    ranges = reader.deleted()
    if UpdateReader(reader.data, start).number() != len(ranges) or not all(ranges.values()):
        message = "the delete set names a client twice, or for nothing"
        raise ValueError(message)
    return join(ranges)


@cache
def _patterns() -> tuple[_Match, _Match]:
    """Make the patterns for plain structs of length 1: many at a time, and one.

    Every alternative is as long as its own first bytes say, so there is one way to match, and a
    match is what a reader of the format would have read. Compiled when first needed, in 30 ms.
    """
    number = rb"[\x80-\xff]{0,7}+[\x00-\x7f]"
    sizes = (re.escape(bytes([size])) + b".{%d}" % size for size in range(1, 0x80))
    text = b"(?>" + b"|".join(sizes) + b"|\\x00)"
    scalar = b"(?>\\x77" + text + b"|\\x7d" + number + rb"|[\x78\x79\x7e\x7f]|\x7b.{8}|\x7c.{4})"
    value = b"\\x01(?>" + scalar + b"|\\x75(?>\\x00|\\x01" + scalar + b"|\\x02" + scalar * 2 + b"))"
    parent = b"\\x00" + number + number
    head = b"(?>\\x28" + parent + text + rb"|[\x88\xa8]" + number + number + b")"
    nested = b"\\x27" + parent + text + rb"[\x00\x01\x02\x04\x06]"
    plain = b"(?>" + head + value + b"|" + nested + b")"
    many = re.compile(plain + b"{%d}+" % STRIDE, re.DOTALL)
    return many.match, re.compile(plain, re.DOTALL).match
