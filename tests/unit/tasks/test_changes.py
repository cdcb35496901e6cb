"""Comparison of two mirrors by their digests and state vectors."""

import pytest

from sidecar.model import Changes
from sidecar.tasks.changes import collapsed, compare, regressed


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, Changes((), ())),
        ({}, {"b": "1", "a": "1"}, Changes(("a", "b"), ())),
        ({"a": "1"}, {"a": "1"}, Changes((), ())),
        ({"a": "1"}, {"a": "2"}, Changes(("a",), ())),
        ({"b": "1", "a": "1"}, {}, Changes((), ("a", "b"))),
        ({"a": "1", "b": "1"}, {"b": "1", "c": "1"}, Changes(("c",), ("a",))),
    ],
)
def test_tables_that_changed_and_went(
    old: dict[str, str], new: dict[str, str], expected: Changes
) -> None:
    """New tables count as changed; names are sorted; equal digests are no change."""
    changes = compare(old, new)
    assert changes == expected
    assert bool(changes) == (old != new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, False),
        ({}, {1: 5}, False),
        ({1: 5}, {1: 5, 2: 1}, False),
        ({1: 5}, {1: 4}, True),
        ({1: 5, 2: 1}, {1: 9}, True),
        ({1: 0}, {}, False),
    ],
)
def test_a_clock_that_went_back(
    old: dict[int, int], new: dict[int, int], *, expected: bool
) -> None:
    """For any writer; a missing one counts as zero."""
    assert regressed(old, new) is expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((0, {}), (0, {}), False),
        ((0, {1: 5}), (9, {1: 6}), False),
        ((3, {1: 5}), (0, {1: 9}), True),
        ((3, {1: 5}), (0, {}), True),
        ((3, {1: 5}), (2, {2: 1}), True),
        ((3, {1: 5}), (2, {1: 6}), False),
        ((3, {1: 5}), (2, {1: 1}), False),
        ((3, {1: 5}), (3, {2: 1}), False),
        ((3, {}), (2, {2: 1}), True),
    ],
)
def test_the_collapse_guard(
    old: tuple[int, dict[int, int]], new: tuple[int, dict[int, int]], *, expected: bool
) -> None:
    """No rows left, or fewer with a state vector that shares no writer."""
    assert collapsed(*old, *new) is expected
