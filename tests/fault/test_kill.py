"""SIGKILL at every named step of a sync, in every scenario of the kill matrix."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.fault.kill_matrix import SCENARIOS, chosen
from tests.support.examples import is_thorough

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")


COMBINED = {
    "in place, a -wal beside",
    "collapse, refused",
    "in place, collapse",
    "in place, growing",
    "in place, a first one",
    "forced, in step",
    "warm, patched in place",
}
"""Scenarios that join what others have alone: only `make test-slow` plays them."""


def _each_scenario() -> Iterator[Any]:
    for scenario in SCENARIOS:
        marks = [pytest.mark.slow] if scenario.name in COMBINED else []
        yield pytest.param(scenario.name, marks=marks)


@pytest.mark.random
@pytest.mark.parametrize("scenario", list(_each_scenario()))
def test_a_killed_sync_leaves_the_old_mirror_or_the_new(scenario: str) -> None:
    """After SIGKILL at any named step readers find old or new, and the next sync repairs.

    A step that comes several times is killed once, and in `make test-slow` four times.
    """
    each = "4" if is_thorough() else "1"
    matrix = [sys.executable, "-m", "scripts.fault.kill_matrix"]
    command = [*matrix, "--each", each, "--scenario", scenario]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("read_stable", "decoded", "fill", "finish", "fsync", "publish", "unlink"):
        assert f"before {step} " in done.stdout, f"nothing was killed at {step}"


def test_what_is_combined_is_played() -> None:
    """The names above are of scenarios, and there are others."""
    names = {scenario.name for scenario in SCENARIOS}
    assert names > COMBINED


def test_points_are_chosen_for_every_label() -> None:
    """A limit on kills keeps at least one kill for each label, and no limit keeps them all."""
    labels = ["a", "b", "a", "a", "c", "a"]
    assert [label for _, label in chosen(labels, 1)] == ["a", "b", "c"]
    assert sorted(at for at, _ in chosen(labels, 2)) == [0, 1, 3, 4]
    assert sorted(at for at, _ in chosen(labels, None)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("scenario", "fail"),
    [
        ("changed", "ENOSPC"),
        pytest.param("changed", "EACCES", marks=pytest.mark.slow),
        pytest.param("changed", "EIO", marks=pytest.mark.slow),
        ("collapse", "ENOSPC"),
        ("rename refused", "EACCES"),
        ("in place", "EIO"),
        pytest.param("collapse", "EACCES", marks=pytest.mark.slow),
        pytest.param("collapse", "EIO", marks=pytest.mark.slow),
        pytest.param("rename refused", "ENOSPC", marks=pytest.mark.slow),
        pytest.param("rename refused", "EIO", marks=pytest.mark.slow),
        pytest.param("in place", "ENOSPC", marks=pytest.mark.slow),
        pytest.param("in place", "EACCES", marks=pytest.mark.slow),
    ],
)
def test_a_failed_call_keeps_the_old_mirror_or_the_new(scenario: str, fail: str) -> None:
    """Each call to the disk fails in turn: a coded failure, old or new, repaired by the next."""
    command = [sys.executable, "-m", "scripts.fault.kill_matrix", "--each", "1", "--fail", fail]
    done = subprocess.run(
        [*command, "--scenario", scenario],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for call in ("open", "read", "fsync", "SQLite's write"):
        assert f"before {call} " in done.stdout, f"no {call} failed"
