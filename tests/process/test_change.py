"""Changes: the mirrors follow every kind of change, and no other file is touched."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.files import version_of
from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch
from tests.support.systems import needs_byte_names
from tests.support.waiting import wait_until

QUICK = ("--debounce-ms", "50")
HEARD = pytest.mark.parametrize(
    "watch", ["events", pytest.param("polling", marks=pytest.mark.slow)], indirect=True
)
"""Marks what follows when a change was heard, in whichever way."""


@pytest.fixture(params=["events", "polling"])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watch]:
    """Watch an app folder with one document of three rows, by events and by polling."""
    save(document_path(tmp_path), document(3))
    polling = ["--force-polling"] if request.param == "polling" else []
    with Watch(tmp_path, *QUICK, *polling) as watch:
        watch.until("ready")
        watch.events.clear()
        yield watch


@pytest.fixture
def path(watch: Watch, tmp_path: Path) -> Path:
    """Return the document that is watched."""
    assert watch.process.poll() is None
    return document_path(tmp_path)


def rows(path: Path) -> int:
    """Count the rows in a document's mirror."""
    ((count,),) = query(mirror_of(path), "SELECT count(*) FROM notes")
    assert isinstance(count, int)
    return count


def test_an_edit_is_rebuilt_and_tells_what_changed(watch: Watch, path: Path) -> None:
    """The event names the tables, and the new mirror is in place when it arrives."""
    save(path, document(4))
    event = watch.until("rebuilt")
    expected = {
        "workspace": "w1",
        "epoch": 0,
        "path": str(path),
        "reason": "changed",
        "changed": ["notes"],
        "removed": [],
        "rows": 4,
        "problems": 0,
        "regressed": False,
    }
    assert {name: event[name] for name in expected} == expected
    assert rows(path) == 4


@HEARD
def test_a_table_that_went_is_told(watch: Watch, path: Path) -> None:
    """Renaming a table removes one and adds another."""
    save(path, document(3, table="posts"))
    event = watch.until("rebuilt")
    assert (event["changed"], event["removed"]) == (["posts"], ["notes"])


@HEARD
def test_equal_bytes_and_equal_content_leave_the_mirror_alone(watch: Watch, path: Path) -> None:
    """Its inode, its mtime and its bytes stay the same."""
    before = version_of(str(mirror_of(path)))
    save(path, document(3))
    assert watch.until("unchanged")["reason"] == "bytes"
    save(path, document(3, client=2))
    assert watch.until("unchanged")["reason"] == "content"
    os.utime(path)
    assert watch.until("unchanged")["reason"] == "bytes"
    assert version_of(str(mirror_of(path))) == before


def replaced(path: Path, data: bytes) -> None:
    """Write another file and rename it over, as careful programs do."""
    save(path.with_name("new"), data).replace(path)


def remade(path: Path, data: bytes) -> None:
    """Delete and write."""
    path.unlink()
    save(path, data)


def folder_renamed(path: Path, data: bytes) -> None:
    """Move the workspace away and put another in its place."""
    workspace = path.parent.parent
    workspace.rename(workspace.with_name("old"))
    save(path, data)


def tree_remade(path: Path, data: bytes) -> None:
    """Remove everything the app has and write it again, mirror and all."""
    shutil.rmtree(path.parents[2])
    save(path, data)


def root_remade(path: Path, data: bytes) -> None:
    """Remove the root itself."""
    shutil.rmtree(path.parents[3])
    save(path, data)


def in_small_pieces(path: Path, data: bytes) -> None:
    """Truncate, then write in many pieces."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(data), 7):
            file.write(data[start : start + 7])


@pytest.mark.parametrize(
    "write", [replaced, remade, folder_renamed, tree_remade, root_remade, in_small_pieces]
)
def test_any_way_of_writing_is_followed(
    watch: Watch, path: Path, write: Callable[[Path, bytes], None]
) -> None:
    """Atomic replacement, new folders under old names, slow writers."""
    write(path, document(5))
    watch.until("rebuilt", path=str(path), rows=5)
    assert rows(path) == 5
    save(path, document(6))
    watch.until("rebuilt", path=str(path), rows=6)
    assert rows(path) == 6


def test_a_mirror_that_disappears_is_built_again(watch: Watch, path: Path) -> None:
    """The only event of our own files that is not ignored."""
    mirror_of(path).unlink()
    assert watch.until("rebuilt")["reason"] == "missing"
    assert rows(path) == 3


def test_workspaces_and_epochs_made_later_are_found(watch: Watch, tmp_path: Path) -> None:
    """A folder moved in with its documents inside, a new epoch, the later layout."""
    ready_made = tmp_path / "elsewhere"
    save(ready_made / "0" / "workspace.yjs", document(1))
    ready_made.rename(tmp_path / "workspaces" / "moved")
    watch.until("rebuilt", workspace="moved", epoch=0)
    save(document_path(tmp_path, "w1", 1), document(1))
    watch.until("rebuilt", workspace="w1", epoch=1)
    save(tmp_path / "workspaces" / "plain" / "workspace.yjs", document(1))
    watch.until("rebuilt", workspace="plain", epoch=None)


def test_what_is_gone_is_told_and_its_mirror_left(watch: Watch, path: Path) -> None:
    """A deleted document is reported once; its mirror is for the user to delete."""
    path.unlink()
    assert watch.until("gone")["path"] == str(path)
    assert rows(path) == 3
    save(path, document(3))
    assert watch.until("unchanged")["reason"] == "bytes"


@HEARD
def test_a_torn_file_keeps_the_mirror_and_is_reported_once(watch: Watch, path: Path) -> None:
    """Half a document is read again later; if it stays so, one `failed` for that version."""
    whole = document(200)
    save(path, whole[: len(whole) // 2])
    failed = watch.until("failed")
    assert failed["code"] in {"torn", "undecodable"}
    assert failed["retry_ms"] is None
    assert rows(path) == 3
    save(path, whole)
    assert watch.until("rebuilt")["rows"] == 200
    assert [event["type"] for event in watch.events] == ["failed", "rebuilt"]


@HEARD
def test_nothing_of_ours_is_left_beside_the_documents(watch: Watch, path: Path) -> None:
    """Only tables.sqlite: no journal, no temporary file."""
    for count in range(4, 9):
        save(path, document(count))
        watch.until("rebuilt", rows=count)
    assert leftovers(path.parents[3]) == []


@HEARD
def test_many_documents_at_once_each_get_their_own(watch: Watch, tmp_path: Path) -> None:
    """A hundred workspaces made at once get a hundred mirrors."""
    names = {f"x{number}" for number in range(100)}
    for name in names:
        save(document_path(tmp_path, name), document(1))
    heard: set[Any] = set()
    while heard != names:
        heard.add(watch.until("rebuilt")["workspace"])


def test_links_that_lead_outside_are_not_followed(watch: Watch, tmp_path: Path) -> None:
    """Neither at once nor after a change of their target; no mirror is built."""
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    save(outside / "0" / "workspace.yjs", document(1))
    (tmp_path / "workspaces" / "link").symlink_to(outside)
    save(document_path(tmp_path, "after"), document(1))
    watch.until("rebuilt", workspace="after")
    watch.send({"type": "sync", "id": 1})
    assert watch.until("synced", id=1)["unchanged"] == 2
    assert not (outside / "0" / "tables.sqlite").exists()


def test_a_document_replaced_by_a_link_or_a_folder_is_gone(watch: Watch, path: Path) -> None:
    """Only regular files are documents."""
    path.unlink()
    path.symlink_to("/etc/hostname")
    watch.until("gone")
    path.unlink()
    path.mkdir()
    save(document_path(path.parents[3], "after"), document(1))
    watch.until("rebuilt", workspace="after")
    path.rmdir()
    save(path, document(4))
    watch.until("rebuilt", workspace="w1", rows=4)


def test_a_burst_is_one_rebuild(tmp_path: Path) -> None:
    """Fifty saves in a row, a debounce, one rebuild of the last state."""
    path = save(document_path(tmp_path), document(3))
    with Watch(tmp_path) as watch:
        watch.until("ready")
        for count in range(50):
            save(path, document(4 + count))
        assert watch.until("rebuilt")["rows"] == 53
        assert watch.quiet(1.0) == []


def test_steady_edits_are_synced_before_they_end(tmp_path: Path) -> None:
    """``--max-wait-ms`` limits the debounce under steady edits."""
    path = save(document_path(tmp_path), document(3))
    with Watch(tmp_path, "--debounce-ms", "60000", "--max-wait-ms", "200") as watch:
        watch.until("ready")
        save(path, document(4))
        watch.until("rebuilt", rows=4)


def test_the_rescan_finds_what_no_event_told(tmp_path: Path) -> None:
    """A change without an event (here: through a link inside the root) is found."""
    target = save(tmp_path / "store" / "real.yjs", document(3))
    link = document_path(tmp_path)
    link.symlink_to(target)
    with Watch(tmp_path, *QUICK, "--rescan-s", "0.2") as watch:
        watch.until("ready")
        save(target.with_name("new.yjs"), document(4)).replace(target)  # no half of it is seen
        watch.until("rebuilt", rows=4)
        # a scan that looked at the mirror before this one stood asks for one more look
        assert [event["type"] for event in watch.quiet(1.0)] in ([], ["unchanged"])


@needs_byte_names
def test_a_name_that_is_no_text_is_followed(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 in a folder's name: shown as U+FFFD, and mirrored."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/workspaces/w\xff/0"))
    path = save(folder / "workspace.yjs", document(3))
    with Watch(tmp_path, *QUICK) as watch:
        watch.until("ready")
        save(path, document(4))
        event = watch.until("rebuilt", rows=4)
        assert event["workspace"] == "w\ufffd"
        wait_until(lambda: rows(path) == 4, "the mirror")
