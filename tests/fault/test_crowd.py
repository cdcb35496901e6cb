"""Many readers see whole mirrors only, with both ways of publishing."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("road", [["--rebuilds", "100"], ["--rebuilds", "20", "--refuse"]])
def test_every_look_sees_one_whole_version(road: list[str]) -> None:
    """Four processes read without a pause while versions are published one after the other."""
    command = [sys.executable, "-m", "scripts.fault.crowd", "--readers", "4", *road]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 saw something else" in done.stdout
