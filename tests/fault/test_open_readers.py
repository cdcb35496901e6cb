"""Connections of many libraries stay open while a mirror is written and its writers killed."""

import os

import pytest

from scripts.fault.open_readers import kinds, run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked")
def test_open_connections_see_whole_states_only() -> None:
    """Each look is one version, none goes back, and all readers see the last one in the end."""
    writers, seen = run(rebuilds=40, kills=12)
    assert writers.kills == 12
    assert writers.interrupted > 0
    assert [one.kind for one in seen] == kinds()
    for one in seen:
        assert one.broken == []
        assert one.last == writers.version - 1, f"{one.kind} is behind: {one.errors}"
        assert one.versions > 3


@pytest.mark.parametrize("kind", ["pandas", "duckdb"])
def test_the_libraries_of_the_page_are_installed(kind: str) -> None:
    """They are test dependencies, so that nothing is passed over."""
    assert kind in kinds()
