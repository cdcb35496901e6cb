"""Delete sets as spans of clocks that can be joined, subtracted and asked."""

from bisect import bisect_right

from sidecar.yjs.update import Ranges

Spans = dict[int, list[tuple[int, int]]]
"""Client -> first clock and the clock behind the last of each span: sorted, none touching."""


def join(ranges: Ranges) -> Spans:
    """Sort the ranges of a delete set and join those that touch.

    Raises:
        ValueError: A range is empty.
    """
    return {client: _joined(found) for client, found in ranges.items()}


def subtract(these: Spans, those: Spans) -> Spans:
    """Give what is in the first and not in the second."""
    rest: Spans = {}
    for client, found in these.items():
        other = those.get(client, [])
        if found != other and (left := _rest(found, other)):
            rest[client] = left
    return rest


def covers(those: Spans, these: Spans) -> bool:
    """Tell whether all of the second (in any order, which may overlap) is in the first."""
    for client, found in these.items():
        other = those.get(client, [])
        for first, last in found:
            index = bisect_right(other, first, key=_first) - 1
            if index < 0 or other[index][1] < last:
                return False
    return True


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    reached = -1
    for clock, length in sorted(ranges):
        if not length:
            message = "a range of the delete set is empty"
            raise ValueError(message)
        if clock <= reached:
            reached = max(reached, clock + length)
            joined[-1] = (joined[-1][0], reached)
        else:
            reached = clock + length
            joined.append((clock, reached))
    return joined


def _rest(found: list[tuple[int, int]], other: list[tuple[int, int]]) -> list[tuple[int, int]]:
    rest: list[tuple[int, int]] = []
    for first, last in sorted({*found}.difference(other)):  # most are equal
        at = first
        index = max(0, bisect_right(other, first, key=_first) - 1)
        while index < len(other) and other[index][0] < last:
            if other[index][0] > at:
                rest.append((at, other[index][0]))
            at = max(at, other[index][1])
            index += 1
        if at < last:
            rest.append((at, last))
    return rest


def _first(span: tuple[int, int]) -> int:
    return span[0]
