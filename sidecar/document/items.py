"""The structs of an update, to be asked: where an item belongs, and whether it was deleted."""

import math
from bisect import bisect_right
from collections.abc import Iterable

from sidecar.document.structs import Id, Ranges, Struct

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
        self._ids = [_id_of(item) for item in self.sorted]
        self._places: dict[Id, Place] = {}

    def place(self, item: Struct) -> Place:
        """Give parent and key of an item; one that was written behind another has that one's."""
        path: list[Id] = []
        at: Struct | None = item
        place: Place = _NOWHERE
        while at is not None and at.parent is None:
            if _id_of(at) in self._places:
                place = self._places[_id_of(at)]
                break
            path.append(_id_of(at))
            self._places[_id_of(at)] = _NOWHERE  # until it is known, and for good in a circle
            at = self.holding(at.left or at.right)
        else:
            place = (at.parent, at.key) if at else _NOWHERE
        self._places.update(dict.fromkeys(path, place))
        return place

    def holding(self, wanted: Id | None) -> Struct | None:
        """Find the struct that an element is in."""
        if wanted is None:
            return None
        index = bisect_right(self._ids, wanted) - 1
        item = self.sorted[index] if index >= 0 else None
        inside = item and item.client == wanted[0] and wanted[1] < item.clock + item.length
        return item if inside else None


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


def _id_of(item: Struct) -> Id:
    return item.client, item.clock
