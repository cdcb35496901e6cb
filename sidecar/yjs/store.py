"""The structs of an update, to be asked: where an item belongs, and whether it was deleted."""

import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from sidecar.yjs.update import JSON, STRING, Id, Ranges, Struct, UpdateReader

Place = tuple[str | Id | None, str | None]
"""Parent, the name of a root or the id of a type, and key."""

_NOWHERE: Place = (None, None)


class Items:
    """The structs of an update, to be found by the ids of their elements.

    Attributes:
        sorted: All of them, by id.
    """

    def __init__(self, found: Iterable[Struct]) -> None:
        """Sort the structs."""
        self.sorted = sorted(found, key=_id_of)
        self._places: dict[Id, Place] = {}
        self._clients: dict[int, tuple[list[int], list[Struct]]] = {}
        for client, structs in groupby(self.sorted, _client_of):
            of_client = list(structs)
            self._clients[client] = list(map(_clock_of, of_client)), of_client

    def place(self, item: Struct) -> Place:
        """Give parent and key of an item; one that was written behind another has that one's."""
        if item.parent is not None:
            return item.parent, item.key
        path: list[Id] = []
        at: Struct | None = item
        place: Place = _NOWHERE
        while at is not None and at.parent is None:
            own = at[:2]
            known = self._places.get(own)
            if known is not None:
                place = known
                break
            path.append(own)
            self._places[own] = _NOWHERE  # until it is known, and for good in a circle
            at = self.holding(at.left or at.right)
        else:
            place = (at.parent, at.key) if at else _NOWHERE
        for own in path:
            self._places[own] = place
        return place

    def holding(self, wanted: Id | None) -> Struct | None:
        """Find the struct that an element is in."""
        if wanted is None:
            return None
        client, clock = wanted
        if client not in self._clients:
            return None
        clocks, structs = self._clients[client]
        index = bisect_right(clocks, clock) - 1
        if index < 0:
            return None
        item = structs[index]
        return item if clock < item.clock + item.length else None


class Deleted:
    """A delete set, to be asked."""

    def __init__(self, ranges: Ranges) -> None:
        """Sort the ranges."""
        self._ranges = {client: sorted(found) for client, found in ranges.items()}

    def __contains__(self, wanted: Id) -> bool:
        """Tell whether an element was deleted."""
        found = self._ranges.get(wanted[0], [])
        index = bisect_right(found, (wanted[1], math.inf)) - 1
        return index >= 0 and wanted[1] < sum(found[index])


_id_of, _client_of, _clock_of = itemgetter(0, 1), itemgetter(0), itemgetter(1)
"""Of a struct: what it is found by."""


def end_of_update(data: bytes) -> int:
    """Find the end of the update that a file begins with.

    Raises:
        ValueError: It is cut, builds on something that it does not hold, or holds what no Yjs
            writes: Yjs would refuse it or keep part of it back. Or something lies inside a
            surrogate pair, which decoders do not cut alike.
    """
    reader, references = UpdateReader(data), _References(data)
    for item in reader.structs():
        references.add(item)
    for client, ranges in reader.deleted().items():
        for clock, length in ranges:
            if not length:
                message = f"the deletion {client}:{clock} is empty"
                raise ValueError(message)
            references.need((client, clock + length - 1))
            references.cut(client, clock)
            references.cut(client, clock + length)
    references.check()
    return reader.at


_BEYOND_FIRST_PLANE = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")


class _References:
    """What each client wrote, and the last of it that is referred to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._written: dict[int, int] = {}
        self._needed: dict[int, int] = {}
        self._has_pairs = _BEYOND_FIRST_PLANE.search(data) is not None
        self._with_pairs: list[Struct] = []
        self._cuts: dict[int, array[int]] = {}

    def add(self, item: Struct) -> None:
        client, clock = item.client, item.clock
        if item.kind == JSON:
            message = f"{client}:{clock} holds values as Yjs wrote them before 13.0"
            raise ValueError(message)
        if clock != self._written.get(client, 0) or not item.length:
            message = f"there is a gap before {client}:{clock}"
            raise ValueError(message)
        self._written[client] = clock + item.length
        for reference in (item.left, item.right, item.parent):
            if isinstance(reference, tuple):
                if reference[0] == client and reference[1] >= clock:
                    message = f"{client}:{clock} builds on what comes later"
                    raise ValueError(message)
                self.need(reference)
        if self._has_pairs:
            self._look_for_pairs(item)

    def _look_for_pairs(self, item: Struct) -> None:
        if item.kind == STRING and _BEYOND_FIRST_PLANE.search(self._text(item)):
            self._with_pairs.append(item)
        if item.left:
            self.cut(item.left[0], item.left[1] + 1)
        if item.right:
            self.cut(*item.right)

    def _text(self, item: Struct) -> bytes:
        return UpdateReader(self._data, item.at).blob()

    def need(self, reference: tuple[int, int]) -> None:
        client, clock = reference
        if clock > self._needed.get(client, -1):
            self._needed[client] = clock

    def cut(self, client: int, clock: int) -> None:
        """Note that a text may be cut before an element."""
        if self._has_pairs:
            self._cuts.setdefault(client, array("Q")).append(clock)

    def check(self) -> None:
        for client, clock in self._needed.items():
            if clock >= self._written.get(client, 0):
                message = f"it builds on {client}:{clock}, which it does not hold"
                raise ValueError(message)
        cuts = {client: sorted(found) for client, found in self._cuts.items()}
        for item in self._with_pairs:
            self._check_pairs(item, cuts.get(item.client, []))

    def _check_pairs(self, item: Struct, cuts: list[int]) -> None:
        """See that no cut is between the two halves of a character of this text."""
        first = bisect_right(cuts, item.clock)
        within = set(cuts[first : bisect_left(cuts, item.clock + item.length)])
        if not within:
            return
        clock = item.clock
        for character in self._text(item).decode():
            if character > _LAST_OF_FIRST_PLANE:
                clock += 1
                if clock in within:
                    message = f"{item.client}:{clock} is the second half of a surrogate pair"
                    raise ValueError(message)
            clock += 1


_LAST_OF_FIRST_PLANE = "\uffff"
