"""Connections of many libraries stay open while a mirror is written and its writers killed."""

import os

import pytest

from scripts.fault.open_readers import kinds, run
from tests.support.examples import is_thorough


@pytest.mark.long
@pytest.mark.random
@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked")
def test_open_connections_see_whole_states_only() -> None:
    """Each look is one version, none goes back, and all readers see the last one in the end."""
    kills = 12 if is_thorough() else 6
    writers, seen = run(rebuilds=40 if is_thorough() else 20, kills=kills)
    assert writers.interrupted > 0
    assert writers.kills == kills or (writers.kills > kills and writers.interrupted == 1)
    assert [one.kind for one in seen] == kinds()
    for one in seen:
        assert one.broken == []
        assert one.last == writers.version - 1, f"{one.kind} is behind: {one.errors}"
        assert one.versions > (1 if one.kind == "duckdb" else 5)  # it waits a second at a write


@pytest.mark.parametrize("kind", ["pandas", "duckdb"])
def test_the_libraries_of_the_page_are_installed(kind: str) -> None:
    """They are test dependencies, so that nothing is passed over."""
    assert kind in kinds()
