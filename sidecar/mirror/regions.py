"""Which chunks of a table are made anew when some of its rows changed. Values in, values out."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sidecar.digests import begins_chunk


class Region(NamedTuple):
    """Neighbouring chunks, and the range of ids that they hold.

    Attributes:
        start: Index of the first one.
        end: Index behind the last one.
        low: The id that the range begins with; None for the beginning of the table.
        high: The id before which it ends; None for the end of the table.
    """

    start: int
    end: int
    low: str | None
    high: str | None

    def part(self, ids: Sequence[str]) -> Sequence[str]:
        """Give those of some sorted ids that are in the range."""
        first = 0 if self.low is None else bisect_left(ids, self.low)
        return ids[first : None if self.high is None else bisect_left(ids, self.high)]


def regions(first_ids: Sequence[str], edited: Collection[str]) -> list[Region]:
    """Find the chunks that must be made anew.

    A region begins where a chunk begins for certain, and ends where one does: at the beginning of
    the table, or at an id that is a boundary by itself and is none of the edited ones. What lies
    outside has the same chunks as a build from scratch would give it.

    Args:
        first_ids: The first id of each chunk, in order.
        edited: Ids of rows that changed, came or went.
    """
    edges = [0, *(i for i, first in enumerate(first_ids) if i and _is_fixed(first, edited))]
    touched = {max(0, bisect_right(first_ids, row_id) - 1) for row_id in edited}
    starts = sorted({bisect_right(edges, index) - 1 for index in touched})
    found: list[Region] = []
    for number in starts:
        start = edges[number]
        end = edges[number + 1] if number + 1 < len(edges) else len(first_ids)
        low = first_ids[start] if start else None
        found.append(Region(start, end, low, first_ids[end] if end < len(first_ids) else None))
    return found


def _is_fixed(first_id: str, edited: Collection[str]) -> bool:
    return first_id not in edited and begins_chunk(first_id)
