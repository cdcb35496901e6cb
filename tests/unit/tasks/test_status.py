"""The state of documents and mirrors in ``status``."""

from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from sidecar.model import Failed, Rebuilt
from sidecar.reports import Status
from sidecar.tasks.status import status
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.data import REPORTS
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of one note, in step, in an app's data folder."""
    desk = Desk(tmp_path / "workspaces" / "w1" / "0")
    desk.put("notes", "n1", title="One", stars="many")
    desk.sync()
    return desk


def look(desk: Desk) -> Status:
    """Return the status of the document."""
    return status(desk.source, desk.options)


def write(path: Path, **roots: dict[str, Any]) -> None:
    """Write a document of root maps."""
    doc: Doc[Any] = Doc()
    for name, entries in roots.items():
        doc[name] = Map(entries)
    path.write_bytes(doc.get_update())


def test_mirror_in_step(desk: Desk) -> None:
    """Numbers are from the mirror, and times from the files."""
    found = look(desk)
    assert (found.state, found.code) == ("in_step", None)
    assert (found.tables, found.rows, found.problems) == (1, 1, 1)
    assert found.bytes == desk.mirror.stat().st_size
    assert found.mirror_mtime_ms == desk.mirror.stat().st_mtime_ns // 1_000_000
    assert found.document_mtime_ms == desk.document.stat().st_mtime_ns // 1_000_000
    assert found.mirror == str(desk.mirror)


def test_other_bytes_with_equal_content_are_in_step(desk: Desk) -> None:
    """The document is decoded before its mirror is called stale."""
    desk.doc.get("kv", type=Map)["theme"] = "dark"
    desk.save()
    assert look(desk).state == "in_step"


def test_edited_document_makes_the_mirror_stale(desk: Desk) -> None:
    """An edit that the mirror does not show."""
    desk.put("notes", "n1", title="Two")
    desk.save()
    found = look(desk)
    assert (found.state, found.rows) == ("stale", 1)


def test_missing_mirror(desk: Desk) -> None:
    """Without a mirror there are no numbers and no time."""
    desk.mirror.unlink()
    found = look(desk)
    assert (found.state, found.tables, found.bytes) == ("missing", 0, 0)
    assert found.mirror_mtime_ms is None


def test_mirror_that_someone_wrote_to_is_damaged(desk: Desk) -> None:
    """The next sync rebuilds it, although its document has not changed."""
    desk.tamper("UPDATE notes SET title = 'x'")
    assert look(desk).state == "damaged"


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_document_that_cannot_be_decoded_is_unreadable(desk: Desk, *, is_mirrored: bool) -> None:
    """With or without a mirror."""
    desk.document.write_bytes(b"garbage")
    if not is_mirrored:
        desk.mirror.unlink()
    found = look(desk)
    assert (found.state, found.code) == ("unreadable", "undecodable")


def test_document_that_is_gone(desk: Desk) -> None:
    """It may disappear after it was found."""
    desk.document.unlink()
    found = look(desk)
    assert (found.state, found.code, found.document_mtime_ms) == ("unreadable", "gone", 0)


def test_names_come_from_the_head(desk: Desk, tmp_path: Path) -> None:
    """Name and icon of the workspace, and which epoch is the current one."""
    head = tmp_path / "workspaces" / "w1" / "head.yjs"
    write(head, meta={"name": "Garden", "icon": "🌱"}, epochs={"1": 0.0})
    found = look(desk)
    assert (found.name, found.icon, found.current) == ("Garden", "🌱", True)
    write(head, meta={}, epochs={"1": 0.0, "2": 1.0})
    found = look(desk)
    assert (found.name, found.icon, found.current) == (None, None, False)


def test_odd_head_leaves_nothing_but_nulls(desk: Desk, tmp_path: Path) -> None:
    """For any damaged head.yjs; the epoch with a document is then the current one."""
    (tmp_path / "workspaces" / "w1" / "head.yjs").write_bytes(b"\xff" * 99)
    found = look(desk)
    assert (found.name, found.icon, found.current) == (None, None, True)


def test_without_a_head_the_highest_epoch_is_current(desk: Desk, tmp_path: Path) -> None:
    """Among those that have a document."""
    for epoch in ("10", "9"):
        folder = tmp_path / "workspaces" / "w1" / epoch
        folder.mkdir()
        (folder / "workspace.yjs").write_bytes(desk.document.read_bytes())
    (tmp_path / "workspaces" / "w1" / "11").mkdir()
    later = Desk(tmp_path / "workspaces" / "w1" / "10")
    assert not look(desk).current
    assert look(later).current


def test_workspace_missing_in_the_registry_is_deleted(desk: Desk, tmp_path: Path) -> None:
    """The host deletes a workspace from its registry and leaves the folder."""
    assert not look(desk).deleted
    write(tmp_path / "registry.yjs", workspaces={"w1": True})
    assert not look(desk).deleted
    write(tmp_path / "registry.yjs", workspaces={"w2": True, "other": True})
    assert look(desk).deleted


def test_later_layout_without_epoch(tmp_path: Path) -> None:
    """A document beside head.yjs has no epoch, and is the current one."""
    desk = Desk(tmp_path / "workspaces" / "w2")
    write(tmp_path / "workspaces" / "w2" / "head.yjs", meta={"name": "Later"}, epochs={"1": 4.0})
    found = look(desk)
    assert (found.workspace, found.epoch, found.name, found.current) == ("w2", None, "Later", True)


def test_looking_writes_nothing(desk: Desk) -> None:
    """Not even a lock or a cache beside the data."""
    desk.put("notes", "n1", title="Two")
    desk.save()
    before = sorted(desk.document.parent.rglob("*")), desk.mirror.read_bytes()
    look(desk)
    assert (sorted(desk.document.parent.rglob("*")), desk.mirror.read_bytes()) == before


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("waiting_updates_lost_message", False),
        ("half_emoji_in_embed_embed", False),
        ("half_emoji_in_embed_control_half_in_text", True),
    ],
)
def test_what_is_not_shown_as_it_is_is_said(desk: Desk, name: str, *, whole: bool) -> None:
    """A document that waits for a lost update, or in which something was repaired."""
    desk.document.write_bytes((REPORTS / f"{name}.yjs").read_bytes())
    sync(desk.source, desk.options, rested=True)
    assert (look(desk).state, look(desk).whole) == ("in_step", whole)
    told = verify(desk.source, desk.options)
    assert (told.result, told.whole, told.unread) == ("equal", whole, 0)


def test_a_waiting_document_is_torn_until_it_rests(desk: Desk) -> None:
    """A few torn files look the same; where rows get fewer the old mirror is kept."""
    for row in ("n2", "n3", "n4"):
        desk.put("notes", row, title="More")
    desk.sync()
    desk.document.write_bytes((REPORTS / "waiting_updates_lost_message.yjs").read_bytes())
    refused = sync(desk.source, desk.options)
    assert isinstance(refused, Failed)
    assert (refused.code, refused.effect) == ("torn", "retry")
    accepted = sync(desk.source, desk.options, rested=True)
    assert isinstance(accepted, Rebuilt)
    assert accepted.rows == 2
    assert accepted.collapse is not None
    assert accepted.collapse.rows_before == 4
