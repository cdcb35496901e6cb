"""Many readers see whole mirrors only, with both ways of publishing."""

import subprocess
import sys

import pytest

from tests.support.examples import share_of


@pytest.mark.random
@pytest.mark.parametrize(("rebuilds", "road"), [(200, []), (80, ["--refuse"])])
def test_every_look_sees_one_whole_version(rebuilds: int, road: list[str]) -> None:
    """Four processes read without a pause while versions are published one after the other."""
    count = str(share_of(rebuilds))
    command = [sys.executable, "-m", "scripts.fault.crowd", "--readers", "4", "--rebuilds", count]
    command += road
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 saw something else" in done.stdout
