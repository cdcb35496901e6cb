"""SIGKILL at every named step of a sync, in every scenario of the kill matrix."""

import subprocess
import sys

import pytest

from scripts.fault.kill_matrix import SCENARIOS, chosen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_a_killed_sync_leaves_the_old_mirror_or_the_new(scenario: str) -> None:
    """After SIGKILL at any named step readers find old or new, and the next sync repairs."""
    command = [
        sys.executable,
        "-m",
        "scripts.fault.kill_matrix",
        "--each",
        "2",
        "--scenario",
        scenario,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("read_stable", "decoded", "fill", "finish", "fsync", "publish", "unlink"):
        assert f"before {step} " in done.stdout, f"nothing was killed at {step}"


def test_points_are_chosen_for_every_label() -> None:
    """A limit on kills keeps at least one kill for each label, and no limit keeps them all."""
    labels = ["a", "b", "a", "a", "c", "a"]
    assert [label for _, label in chosen(labels, 1)] == ["a", "b", "c"]
    assert sorted(at for at, _ in chosen(labels, 2)) == [0, 1, 3, 4]
    assert sorted(at for at, _ in chosen(labels, None)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("fail", ["ENOSPC", "EACCES", "EIO"])
@pytest.mark.parametrize("scenario", ["changed", "collapse", "rename refused", "in place"])
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
