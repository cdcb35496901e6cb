"""Options of a mirror when no flag sets them."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.mirror.search import indexes
from sidecar.model import Options
from sidecar.tasks.sync import sync
from tests.support.desk import Desk


def folder(root: Path, workspace: str) -> Path:
    """Return the folder of a workspace's document."""
    return root / "workspaces" / workspace / "0"


def desk_of(root: Path, workspace: str) -> Desk:
    """A workspace with two notes, not yet in step; all share one state folder."""
    desk = Desk(folder(root, workspace))
    desk.options = Options(state_folder=str(root / "state"))
    desk.put("notes", "a", title="One", body="paper")
    return desk


def is_indexed(desk: Desk) -> bool:
    """Sync without ``--fts``, and return whether there is an index."""
    desk.options = replace(desk.options, fts=None)
    desk.sync()
    return bool(indexes(str(desk.mirror)))


@pytest.mark.parametrize("harm", ["lost", "cut", "foreign", "empty"])
def test_a_lost_or_damaged_mirror_is_indexed_as_it_was(harm: str, tmp_path: Path) -> None:
    """Lost or damaged in any way."""
    desk = desk_of(tmp_path, "w1")
    desk.sync_with_index()
    if harm == "lost":
        desk.mirror.unlink()
    elif harm == "cut":
        desk.mirror.write_bytes(desk.mirror.read_bytes()[:4096])
    else:
        desk.mirror.write_bytes(b"" if harm == "empty" else b"SQLite format 3\0" + bytes(200))
    assert is_indexed(desk)
    assert is_indexed(desk)


def test_an_index_that_was_turned_off_stays_off(tmp_path: Path) -> None:
    """Also after the mirror is lost, and beside indexed workspaces."""
    for name in ("w2", "w3"):
        desk_of(tmp_path, name).sync_with_index()
    desk = desk_of(tmp_path, "w1")
    desk.sync_with_index()
    desk.options = replace(desk.options, fts=())
    desk.sync()
    desk.mirror.unlink()
    assert not is_indexed(desk)


def test_a_new_workspace_is_indexed_as_its_neighbours_are(tmp_path: Path) -> None:
    """As most of them; other folders do not count."""
    for name in ("w2", "w3"):
        desk_of(tmp_path, name).sync_with_index()
    assert is_indexed(desk_of(tmp_path, "w1"))
    assert not is_indexed(desk_of(tmp_path / "other", "w1"))
    alone = Desk(tmp_path / "workspaces" / "w2" / "copies")
    alone.put("notes", "a", title="One")
    assert not is_indexed(alone)


def test_most_neighbours_decide(tmp_path: Path) -> None:
    """A single indexed workspace is not enough."""
    desk_of(tmp_path, "w2").sync_with_index()
    for name in ("w3", "w4"):
        desk = desk_of(tmp_path, name)
        desk.options = replace(desk.options, fts=())
        desk.sync()
    assert not is_indexed(desk_of(tmp_path, "w1"))


def test_a_state_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """The option is not stored, but the sync succeeds."""
    desk = desk_of(tmp_path, "w1")
    state = tmp_path / "state"
    state.mkdir()
    (state / "options").write_bytes(b"in the way")
    desk.options = replace(desk.options, fts=("*",))
    desk.save()
    assert sync(desk.source, desk.options, rested=True).__class__.__name__ == "Rebuilt"


def test_a_thousand_neighbours_cost_a_few_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first pass does it for each document: reading all neighbours would take quadratic time."""
    for number in range(1000):
        (tmp_path / "workspaces" / f"x{number}").mkdir(parents=True)
    looks: list[object] = []
    listdir = os.listdir

    def counted(path: str) -> list[str]:
        looks.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", counted)
    assert not is_indexed(desk_of(tmp_path, "w1"))
    assert 0 < len(looks) < 50
