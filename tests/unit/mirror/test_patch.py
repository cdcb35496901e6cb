"""A mirror that is no base for a patch: it is built from scratch, and nothing is raised."""

import os
from pathlib import Path

import pytest

from sidecar.mirror.patch import Patch, UnpatchableError
from sidecar.mirror.state import read_mirror
from tests.support.apps import unfinished
from tests.support.desk import Desk


@pytest.mark.parametrize("size", [0, 60, 100, 1000, 4096, 8192])
def test_a_mirror_that_is_cut_after_it_was_read_is_no_base(size: int, tmp_path: Path) -> None:
    """Whatever SQLite says of what is left of it."""
    desk = Desk(tmp_path / "w1")
    for number in range(200):
        desk.put("notes", f"n{number}", title="x" * 200)
    desk.sync()
    base = read_mirror(str(desk.mirror))
    os.truncate(desk.mirror, size)
    with pytest.raises(UnpatchableError), Patch(str(desk.mirror), base, mode=0o600):
        pass
    assert unfinished(desk.mirror) == []
