"""The watcher: the effect of an event, and that each source of events reports every change."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.discovery import discover
from sidecar.model import Selection
from sidecar.supervisor.event_sources import Events, Notify, Polling, step_ms
from sidecar.supervisor.watcher import is_structural, touched


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return an app folder with one document and its mirror."""
    epoch = tmp_path / "workspaces" / "w1" / "0"
    epoch.mkdir(parents=True)
    (epoch / "workspace.yjs").write_bytes(b"x")
    (epoch / "tables.sqlite").write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "name", "structural", "documents"),
    [
        ("workspaces/w1/0", "workspace.yjs", False, 1),
        ("workspaces/w1/0", "tables.sqlite", False, 0),
        ("workspaces/w1/0", ".tables.sqlite.0123456789ab.tmp", False, 0),
        ("workspaces/w1/0", "tables.sqlite-journal", False, 0),
        ("workspaces/w1/0", "kv.json", False, 0),
        ("workspaces/w1", "head.yjs", False, 0),
        ("workspaces/w1", "workspace.yjs", True, 0),
        ("workspaces/w1", "0", True, 0),
        ("workspaces", "w1", True, 0),
        ("workspaces/w1/0", "", True, 0),
        (".", "workspaces", True, 0),
        (".", "cookies.db", False, 0),
        (".", "registry.yjs", False, 0),
    ],
)
def test_files_are_seen_by_name(
    app: Path, folder: str, name: str, documents: int, *, structural: bool
) -> None:
    """Documents count, folders may add or remove some, our files and other files do not count."""
    found = discover([str(app)])
    path = os.path.normpath(app / folder / name)
    assert is_structural(path, found, Selection()) is structural
    assert len(list(touched(path, found))) == documents


def test_a_mirror_that_is_gone_touches_its_document(app: Path) -> None:
    """The only event of our own files that is not ignored."""
    found = discover([str(app)])
    epoch = app / "workspaces" / "w1" / "0"
    (epoch / "tables.sqlite").unlink()
    (source,) = touched(str(epoch / "tables.sqlite"), found)
    assert source.document == str(epoch / "workspace.yjs")


def test_a_document_that_is_gone_or_a_link_asks_for_a_look(app: Path) -> None:
    """It may have been moved, or replaced by another kind of file."""
    found = discover([str(app)])
    epoch = app / "workspaces" / "w1" / "0"
    path = str(epoch / "workspace.yjs")
    (epoch / "workspace.yjs").unlink()
    assert is_structural(path, found, Selection())
    (epoch / "workspace.yjs").symlink_to("/etc/hostname")
    assert is_structural(path, found, Selection())


@pytest.mark.parametrize(("debounce_ms", "step"), [(0, 50), (200, 100), (500, 250), (9000, 250)])
def test_steps_are_as_long_as_the_debounce_allows(debounce_ms: int, step: int) -> None:
    """Two of them fit into it, so that events are late and syncs are not."""
    assert step_ms(debounce_ms) == step


@pytest.fixture(params=[lambda: Notify(50), Polling])
def events(request: pytest.FixtureRequest) -> Iterator[Events]:
    """Return each source of events."""
    events: Events = request.param()
    yield events
    events.close()


def changed(path: Path) -> None:
    """Write to a file that is there."""
    path.write_bytes(b"changed")


def replaced(path: Path) -> None:
    """Put another file in its place."""
    path.with_name("new").write_bytes(b"new")
    path.with_name("new").replace(path)


def deleted(path: Path) -> None:
    """Remove it."""
    path.unlink()


@pytest.mark.parametrize("change", [changed, replaced, deleted])
def test_every_change_is_heard(
    events: Events, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """By the file's path, or by None: anything may have changed."""
    path = tmp_path / "file"
    path.write_bytes(b"x")
    events.follow([str(tmp_path)])
    change(path)
    while (paths := events.wait(10.0)) is not None:
        if str(tmp_path / "file") in paths:
            break
        assert paths


def test_a_wait_can_be_ended(events: Events, tmp_path: Path) -> None:
    """From another thread, at any time."""
    events.follow([str(tmp_path)])
    waiter = threading.Thread(target=events.wait, args=(60.0,))
    waiter.start()
    events.wake()
    waiter.join(10.0)
    assert not waiter.is_alive()


def test_a_folder_that_was_made_again_is_armed_again(tmp_path: Path) -> None:
    """Its inode may be the same as before, but its watch has ended."""
    folder = tmp_path / "folder"
    folder.mkdir()
    events = Notify(50)
    assert events.follow([str(tmp_path), str(folder)])
    assert not events.follow([str(tmp_path), str(folder)])
    folder.rmdir()
    folder.mkdir()
    paths = events.wait(10.0)
    assert paths
    assert str(folder) in paths
    assert events.follow([str(tmp_path), str(folder)])
    (folder / "file").write_bytes(b"x")
    paths = events.wait(10.0)
    assert paths
    assert str(folder / "file") in paths
    events.close()


def test_links_are_not_followed_by_the_watch(tmp_path: Path) -> None:
    """Changes in the target of a link in a watched folder cause no event."""
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    events = Notify(50)
    events.follow([str(inside)])
    (outside / "file").write_bytes(b"x")
    (inside / "file").write_bytes(b"x")
    paths = events.wait(10.0)
    assert paths == {str(inside / "file")}
    events.close()
