"""The collapse guard: a mirror that loses its rows may be the user's last copy."""

from pathlib import Path

import msgspec
import pytest

from sidecar.model import Rebuilt
from sidecar.tasks.sync import sync
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A synced document with two notes."""
    return Desk.with_two_notes(tmp_path / "w1" / "0")


def rebuilt(desk: Desk, mirror: Path | None = None) -> Rebuilt:
    """Sync the file as it is; it must be rebuilt."""
    source = msgspec.structs.replace(desk.source, mirror=str(mirror or desk.mirror))
    outcome = sync(source, desk.options)
    assert isinstance(outcome, Rebuilt), outcome
    return outcome


def test_a_collapse_is_told_and_the_rows_are_kept(desk: Desk) -> None:
    """Unless ``last_good`` is off."""
    desk.document.write_bytes(b"\0\0")
    outcome = rebuilt(desk)
    assert outcome.collapse is not None
    assert outcome.collapse.rows_before == 2
    assert Path(outcome.collapse.kept).name == "tables.last-good.sqlite"


def test_a_mirror_of_another_format_is_kept_too(desk: Desk) -> None:
    """Its rows are kept, although its tables cannot be compared."""
    desk.tamper("PRAGMA user_version=1")
    desk.document.write_bytes(b"\0\0")
    outcome = rebuilt(desk)
    assert outcome.reason == "format"
    assert outcome.collapse is not None
    assert outcome.collapse.rows_before == 2


def test_what_is_kept_has_the_name_of_its_mirror(desk: Desk, tmp_path: Path) -> None:
    """Copies of two mirrors in one folder have different names."""
    mirror = tmp_path / "copy.db"
    rebuilt(desk, mirror)
    desk.document.write_bytes(b"\0\0")
    collapse = rebuilt(desk, mirror).collapse
    assert collapse is not None
    assert collapse.kept == str(tmp_path / "copy.last-good.sqlite")
