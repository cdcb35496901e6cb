"""Discovery: which files are documents, from every kind of root."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sidecar.discovery import discover, source_of
from sidecar.errors import UsageError
from sidecar.files import version_of
from sidecar.model import Selection, Source
from tests.support.systems import needs_fifos

FAR = 10**30
"""An epoch that no JavaScript number is, and that msgspec and JSON can tell all the same."""


def put(path: Path) -> str:
    """Make a file with a document's name; discovery never opens it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return str(path)


def found(*roots: Path) -> dict[str, tuple[str | None, int | None]]:
    """Return workspace and epoch of each document found, by path."""
    sources = discover([str(root) for root in roots]).sources
    return {path: (source.workspace, source.epoch) for path, source in sources.items()}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return an app data folder with both layouts of files, and decoys."""
    app = tmp_path / "com.example.app"
    put(app / "workspaces" / "w1" / "0" / "workspace.yjs")
    put(app / "workspaces" / "w1" / "12" / "workspace.yjs")
    put(app / "workspaces" / "w1" / str(FAR) / "workspace.yjs")
    put(app / "workspaces" / "w2" / "workspace.yjs")
    put(app / "workspaces" / "7" / "workspace.yjs")
    for decoy in ("01", "-1", "1x", "snapshots", "\u0661"):
        put(app / "workspaces" / "w1" / decoy / "workspace.yjs")
    put(app / "workspaces" / "w1" / "0" / "snapshots" / "workspace.yjs")
    put(app / "workspaces" / "workspace.yjs")
    put(app / "cache" / "x" / "workspace.yjs")
    put(app / "workspaces" / "w1" / "head.yjs")
    put(app / "registry.yjs")
    return app


def test_an_app_folder_has_its_workspaces_and_epochs(app: Path) -> None:
    """Canonical epoch numbers and documents without an epoch; nothing else of the app's."""
    folder = app / "workspaces"
    assert (
        found(app)
        == found(folder)
        == {
            str(folder / "w1" / "0" / "workspace.yjs"): ("w1", 0),
            str(folder / "w1" / "12" / "workspace.yjs"): ("w1", 12),
            str(folder / "w1" / str(FAR) / "workspace.yjs"): ("w1", FAR),
            str(folder / "w2" / "workspace.yjs"): ("w2", None),
            str(folder / "7" / "workspace.yjs"): ("7", None),
        }
    )


@pytest.mark.parametrize(
    ("below", "documents"),
    [
        ("w1", {("w1", 0), ("w1", 12), ("w1", FAR)}),
        ("w1/12", {("w1", 12)}),
        ("w1/12/workspace.yjs", {("w1", 12)}),
        ("w2", {("w2", None)}),
        ("w2/workspace.yjs", {("w2", None)}),
        ("7", {("7", None)}),
        ("7/workspace.yjs", {("7", None)}),
    ],
)
def test_any_level_may_be_the_root(
    app: Path, below: str, documents: set[tuple[str, int | None]]
) -> None:
    """A document has the same workspace and epoch with every root."""
    assert set(found(app / "workspaces" / below).values()) == documents


def test_the_mirror_stands_beside_the_document(app: Path) -> None:
    """tables.sqlite, in the epoch's own folder."""
    document = str(app / "workspaces" / "w1" / "0" / "workspace.yjs")
    assert source_of(document) == Source(
        document, str(app / "workspaces" / "w1" / "0" / "tables.sqlite"), "w1", 0
    )


def test_a_document_of_another_name_is_called_by_it(tmp_path: Path) -> None:
    """Its workspace is its file name."""
    path = put(tmp_path / "5" / "copy.yjs")
    assert found(Path(path)) == {path: ("copy.yjs", None)}


def test_a_folder_of_workspaces_may_have_any_name(tmp_path: Path) -> None:
    """A workspaces folder that was renamed or copied is still one."""
    path = put(tmp_path / "backup" / "w1" / "3" / "workspace.yjs")
    assert found(tmp_path / "backup") == {path: ("w1", 3)}


def test_nested_roots_give_each_document_once(app: Path) -> None:
    """With roots inside each other a document is found once."""
    assert found(app, app / "workspaces", app / "workspaces" / "w1" / "0") == found(app)


def test_a_missing_root_waits_at_the_nearest_folder(tmp_path: Path) -> None:
    """The first missing component and its folder are known."""
    looked = discover([str(tmp_path / "a" / "b" / "c")])
    assert looked.missing == [str(tmp_path / "a" / "b" / "c")]
    assert looked.awaited == {str(tmp_path / "a")}
    assert list(looked.folders) == [str(tmp_path)]


def test_an_app_folder_without_workspaces_waits_for_them(tmp_path: Path) -> None:
    """A new installation has no workspaces folder yet."""
    looked = discover([str(tmp_path)])
    assert (looked.missing, looked.awaited) == ([], {str(tmp_path / "workspaces")})


@needs_fifos
def test_only_regular_files_are_documents(tmp_path: Path) -> None:
    """FIFOs and folders of that name are not documents, and are not opened."""
    folder = tmp_path / "workspaces"
    (folder / "w1" / "0").mkdir(parents=True)
    os.mkfifo(folder / "w1" / "0" / "workspace.yjs")
    (folder / "w2" / "0" / "workspace.yjs").mkdir(parents=True)
    assert found(tmp_path) == {}
    assert version_of(str(folder / "w1" / "0" / "workspace.yjs")) is None


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are still found. root ignores permissions, so the system call is made to fail."""
    path = put(tmp_path / "workspaces" / "w1" / "0" / "workspace.yjs")
    shut = tmp_path / "workspaces" / "w2"
    shut.mkdir()
    scandir = os.scandir

    def refuse(folder: str) -> Any:
        if folder == str(shut):
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    looked = discover([str(tmp_path)])
    assert list(looked.sources) == [path]
    assert list(looked.closed) == [str(shut)]


def test_links_out_of_the_root_are_not_followed(tmp_path: Path) -> None:
    """Neither folders nor documents nor the workspaces folder itself."""
    outside = tmp_path / "outside"
    put(outside / "w9" / "0" / "workspace.yjs")
    root = tmp_path / "app"
    folder = root / "workspaces"
    (folder / "w2" / "0").mkdir(parents=True)
    (folder / "w1").symlink_to(outside / "w9")
    (folder / "w2" / "0" / "workspace.yjs").symlink_to(outside / "w9" / "0" / "workspace.yjs")
    (folder / "w2" / "1").symlink_to(outside / "w9" / "0")
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    assert found(root) == {}
    other = tmp_path / "other"
    other.mkdir()
    (other / "workspaces").symlink_to(outside)
    assert found(other) == {}


def test_links_inside_the_root_give_no_second_name(tmp_path: Path) -> None:
    """A mirror has one builder, so a linked twin of a workspace is left out."""
    path = put(tmp_path / "workspaces" / "w1" / "0" / "workspace.yjs")
    (tmp_path / "workspaces" / "a-link").symlink_to(tmp_path / "workspaces" / "w1")
    assert found(tmp_path) == {path: ("w1", 0)}


def test_a_document_goes_by_its_real_name(tmp_path: Path) -> None:
    """Also where the link to it is found first."""
    path = put(tmp_path / "workspaces" / "real" / "0" / "workspace.yjs")
    (tmp_path / "workspaces" / "a-link").mkdir()
    (tmp_path / "workspaces" / "a-link" / "0").symlink_to(Path(path).parent)
    assert found(tmp_path) == {path: ("real", 0)}


def test_a_linked_root_is_the_users_own_wish(app: Path, tmp_path: Path) -> None:
    """Data folders may be links."""
    (tmp_path / "link").symlink_to(app)
    assert set(found(tmp_path / "link").values()) == set(found(app).values())


def test_two_documents_never_share_a_mirror(tmp_path: Path) -> None:
    """With ``--into``, equal relative paths below two roots are an error."""
    roots = [str(tmp_path / name) for name in ("a", "b")]
    for root in roots:
        put(Path(root, "0", "workspace.yjs"))
    with pytest.raises(UsageError, match="would share the mirror"):
        discover(roots, Selection(into=str(tmp_path / "into")))


def test_documents_of_one_folder_have_mirrors_of_their_own(tmp_path: Path) -> None:
    """A copy, a backup or a head never claims the tables of the workspace beside it."""
    names = ["workspace.yjs", "workspace2.yjs", "head.yjs", "notes.txt", ".hidden"]
    roots = [put(tmp_path / "w" / name) for name in names]
    sources = discover(roots).sources
    assert [Path(sources[root].mirror).name for root in roots] == [
        "tables.sqlite",
        "workspace2.yjs.sqlite",
        "head.yjs.sqlite",
        "notes.txt.sqlite",
        ".hidden.sqlite",
    ]


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 become surrogate escapes."""
    folder = os.fsencode(tmp_path) + b"/workspaces/\xff/0"
    os.makedirs(folder)  # noqa: PTH103 - bytes
    with open(folder + b"/workspace.yjs", "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"x")
    assert list(found(tmp_path).values()) == [("\udcff", 0)]


def test_a_signature_tells_versions_apart(tmp_path: Path) -> None:
    """Another size, time or file gives another version; a missing file has none."""
    path = tmp_path / "workspace.yjs"
    assert version_of(str(path)) is None
    path.write_bytes(b"a")
    first = version_of(str(path))
    os.utime(path, ns=(1, 1))
    second = version_of(str(path))
    path.unlink()
    path.write_bytes(b"a")
    os.utime(path, ns=(1, 1))
    assert len({first, second, version_of(str(path))}) == 3


def test_another_apps_folder_is_looked_at_itself_and_no_deeper(tmp_path: Path) -> None:
    """Its own files by name; folders in it only if their entries show that they are workspaces."""
    wanted = [put(tmp_path / name) for name in ("a.ydoc", "b.ydoc")]
    put(tmp_path / "archive" / "c.ydoc")
    put(tmp_path / "archive" / "deep" / "d.ydoc")
    selection = Selection(documents=("*.ydoc",))
    assert sorted(discover([str(tmp_path)], selection).sources) == wanted
    put(tmp_path / "w1" / "head.yjs")
    wanted.append(put(tmp_path / "w1" / "3" / "e.ydoc"))
    assert sorted(discover([str(tmp_path)], selection).sources) == wanted


def test_a_folder_of_workspaces_has_documents_of_any_name(tmp_path: Path) -> None:
    """Like workspace.yjs, if no file of the folder itself matches."""
    wanted = put(tmp_path / "w1" / "a.ydoc")
    assert list(discover([str(tmp_path)], Selection(documents=("*.ydoc",))).sources) == [wanted]
