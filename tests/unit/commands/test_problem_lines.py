"""What stands below `rebuilt` where a mirror cannot show all as asked."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidecar.commands.problem_lines import problem_lines
from sidecar.host.protocol import Event, Pong, RebuiltEvent
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of five tables, each with a cell of another kind than is declared."""
    desk = Desk(tmp_path / "w")
    for number in range(5):
        desk.define(f"t{number}", {"n": {"type": "integer"}})
        desk.put(f"t{number}", "odd", n="a\x1bwhile")
    desk.sync()
    return desk


def rebuilt(desk: Desk, problems: int) -> Event:
    """Make the event of a rebuild."""
    fields: dict[str, Any] = {
        "type": "rebuilt",
        "workspace": "w",
        "epoch": None,
        "path": str(desk.document),
        "reason": "changed",
        "changed": [],
        "removed": [],
        "rows": 5,
        "problems": problems,
        "regressed": False,
        "ms": 1,
        "warm": False,
    }
    return msgspec.convert(fields, RebuiltEvent)


def test_the_first_problems_are_told_in_words(desk: Desk) -> None:
    """Three of them, escaped, and how many more there are."""
    lines = list(problem_lines(rebuilt(desk, 5), str(desk.mirror)))
    assert len(lines) == 4
    assert "t0.n holds another kind of value than is declared (1 row, first odd)" in lines[0]
    assert "\x1b" not in "".join(lines)
    assert lines[3].strip() == "and 2 more; epicenter-sidecar problems lists all"


def test_where_there_is_nothing_to_tell_nothing_is(desk: Desk) -> None:
    """No problems, no mirror, and other events."""
    assert not list(problem_lines(rebuilt(desk, 0), str(desk.mirror)))
    assert not list(problem_lines(rebuilt(desk, 5), str(desk.mirror) + ".gone"))
    assert not list(problem_lines(Pong(), str(desk.mirror)))
