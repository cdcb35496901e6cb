"""Delete sets as spans of clocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.yjs.spans import Spans, covers, join, subtract

RANGES = st.dictionaries(
    st.integers(0, 2), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1)
)


def clocks(spans: Spans) -> set[tuple[int, int]]:
    """Return every element that is in them."""
    return {
        (c, n) for c, found in spans.items() for first, last in found for n in range(first, last)
    }


@given(RANGES, RANGES)
def test_they_are_sets_of_clocks(one: Spans, other: Spans) -> None:
    """Joined, subtracted and compared as sets; sorted and disjoint."""
    these, those = join(one), join(other)
    assert clocks(these) == {
        (c, n)
        for c, found in one.items()
        for start, size in found
        for n in range(start, start + size)
    }
    for found in these.values():
        assert all(found[i][1] < found[i + 1][0] for i in range(len(found) - 1))
    assert clocks(subtract(these, those)) == clocks(these) - clocks(those)
    assert covers(these, those) == (clocks(those) <= clocks(these))


def test_a_range_of_nothing_is_refused() -> None:
    """Yjs never writes one."""
    with pytest.raises(ValueError, match="empty"):
        join({1: [(4, 0)]})
