"""What the bench says of processes, looked at with processes whose cost is known."""

import os
import sys
from pathlib import Path

import pytest

from scripts.bench.contenders import floor
from scripts.bench.measure import cpu_s, memory_mb, run, tree
from tests.support.data import DOCUMENTS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="measures by wait4")

BURN = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
FORK = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"


def test_cpu_of_children_counts() -> None:
    """The seconds of a command are those of all its processes."""
    usage = run([sys.executable, "-c", FORK])
    assert usage.cpu_s >= 0.2
    assert usage.wall_s > 0
    assert usage.largest_mb > 1


def test_failed_command_has_no_figures() -> None:
    """A command that fails is an error with its own words, not a fast run."""
    with pytest.raises(RuntimeError, match="exit code 3\nno luck"):
        run([sys.executable, "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"])


def test_own_process_is_seen() -> None:
    """A running process has used CPU and holds memory; one that is gone has none."""
    processes = tree(os.getpid())
    assert cpu_s(processes) > 0
    assert memory_mb(processes) > 1
    assert tree(2**22 + 1) == []


def test_floor_tells_two_times() -> None:
    """The floor prints wall and CPU seconds of decoding one document."""
    document = Path(DOCUMENTS / "small_many.yjs")
    wall_s, used_s = map(float, floor(document).run().output.split())
    assert used_s > 0
    assert wall_s > 0
