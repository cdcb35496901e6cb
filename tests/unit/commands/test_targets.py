"""Which documents a command uses: roots, workspaces by id or name, epochs, suggestions."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from sidecar.commands.near import did_you_mean, near_path, nothing_here
from sidecar.commands.targets import (
    boundary_of,
    chosen,
    find,
    mirrors_of,
    one_source,
    sources_of,
    to_be_watched,
)
from sidecar.errors import RootError, SidecarError, UsageError
from sidecar.model import Selection
from sidecar.settings import Settings
from tests.support.desk import Desk


def write(path: Path, **roots: dict[str, Any]) -> None:
    """Write a document of root maps, as head.yjs and registry.yjs are."""
    doc: Doc[Any] = Doc(client_id=1)
    for name, entries in roots.items():
        doc[name] = Map(entries)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(doc.get_update())


def put(path: Path) -> None:
    """Make a file with a document's name; it is not opened."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Three workspaces: one with three epochs, two of one name of which one is deleted."""
    app = tmp_path / "app"
    for place in ("w1/0", "w1/2", "w1/3", "w2/0", "w3/0"):
        put(app / "workspaces" / place / "workspace.yjs")
    write(app / "workspaces/w1/head.yjs", meta={"name": "Garden"}, epochs={"1": 2.0})
    write(app / "workspaces/w2/head.yjs", meta={"name": "Books"})
    write(app / "workspaces/w3/head.yjs", meta={"name": "Books"})
    write(app / "registry.yjs", workspaces={"w1": True, "w2": True})
    return app


def settings(*roots: Path, **given: Any) -> Settings:
    """Return settings for some roots."""
    return Settings(tuple(map(str, roots)), "/nowhere", **given)


def places(sources: Any) -> list[str]:
    """Return workspace and epoch of sources or targets."""
    sources = [getattr(one, "source", one) for one in sources]
    return [f"{one.workspace}/{one.epoch}" for one in sources]


def test_everything_is_meant_where_nothing_is_said(app: Path) -> None:
    """Without a selection: all epochs and workspaces, also deleted ones."""
    assert places(sources_of(settings(app))) == ["w1/0", "w1/2", "w1/3", "w2/0", "w3/0"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("w1", ["w1/0", "w1/2", "w1/3"]),
        ("Garden", ["w1/0", "w1/2", "w1/3"]),
        ("garden ", ["w1/0", "w1/2", "w1/3"]),
        ("Books", ["w2/0"]),
        ("w3", ["w3/0"]),
    ],
)
def test_a_workspace_is_chosen_by_id_or_name(app: Path, name: str, meant: list[str]) -> None:
    """A name of an existing and a deleted workspace selects the existing one."""
    assert places(sources_of(settings(app, workspace=name))) == meant


def test_the_name_of_several_living_workspaces_chooses_none(app: Path) -> None:
    """The message lists their ids."""
    write(app / "registry.yjs", workspaces={"w1": True, "w2": True, "w3": True})
    with pytest.raises(UsageError, match=r"2 workspaces.*Books \(w2\), Books \(w3\)"):
        sources_of(settings(app, workspace="Books"))


@pytest.mark.parametrize(
    ("name", "told"),
    [("Gardn", "did you mean Garden"), ("Book", "did you mean Books"), ("?", "there are")],
)
def test_a_mistyped_workspace_says_what_is_near(app: Path, name: str, told: str) -> None:
    """Names and ids alike."""
    with pytest.raises(SidecarError, match=told):
        sources_of(settings(app, workspace=name))


def test_an_epoch_is_chosen_by_number(app: Path) -> None:
    """Of one workspace or of all; for an unknown one the error lists the existing ones."""
    assert places(sources_of(settings(app, epoch=0))) == ["w1/0", "w2/0", "w3/0"]
    assert places(sources_of(settings(app, epoch=3, workspace="w1"))) == ["w1/3"]
    with pytest.raises(SidecarError, match=r"no epoch 7 here; the epochs are: 0, 2, 3"):
        sources_of(settings(app, epoch=7))


def test_one_document_is_that_of_the_current_epoch(app: Path) -> None:
    """By head.yjs, unless an epoch or its folder or file is given."""
    workspace = app / "workspaces" / "w1"
    assert places([one_source(settings(workspace), "x")]) == ["w1/2"]
    assert places([one_source(settings(app, workspace="Garden"), "x")]) == ["w1/2"]
    assert places([one_source(settings(workspace, epoch=0), "x")]) == ["w1/0"]
    assert places([one_source(settings(workspace / "3"), "x")]) == ["w1/3"]
    assert places([one_source(settings(workspace / "3" / "workspace.yjs"), "x")]) == ["w1/3"]


def test_where_the_current_epoch_has_no_document_the_highest_counts(app: Path) -> None:
    """The host creates the new epoch's document a moment after it updates head.yjs."""
    write(app / "workspaces/w1/head.yjs", epochs={"1": 9.0})
    assert places([one_source(settings(app / "workspaces" / "w1"), "x")]) == ["w1/3"]


def test_several_workspaces_are_not_one_document(app: Path) -> None:
    """The message says how to choose."""
    with pytest.raises(UsageError, match=r"has 3; choose one by --workspace: Garden \(w1\), Books"):
        one_source(settings(app), "x")


def test_readers_mean_current_epochs_of_living_workspaces(app: Path) -> None:
    """They report how many they leave out; documents given by path are used."""
    found = chosen(settings(app))
    assert (places(found.targets), found.older, found.deleted) == (["w1/2", "w2/0"], 2, 1)
    assert [target.standing.name for target in found.targets] == ["Garden", "Books"]
    assert len(chosen(settings(app), every=True).targets) == 5
    assert len(chosen(settings(app, all_epochs=True)).targets) == 4
    assert places(chosen(settings(app, workspace="w3")).targets) == ["w3/0"]
    assert places(chosen(settings(app / "workspaces" / "w3")).targets) == ["w3/0"]
    assert places(chosen(settings(app / "workspaces" / "w1" / "0")).targets) == ["w1/0"]
    assert places(chosen(settings(app, epoch=3)).targets) == ["w1/3"]


def test_a_mirror_may_be_named_itself(app: Path, tmp_path: Path) -> None:
    """Beside a document it belongs to that; alone its catalog has the workspace."""
    desk = Desk.with_two_notes(app / "workspaces" / "w4" / "0")
    (beside,) = chosen(settings(desk.mirror)).targets
    assert beside.source == desk.source
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(desk.mirror.read_bytes())
    (source,) = mirrors_of(settings(alone))
    assert (source.document, source.workspace, source.epoch) == (str(alone), "w4", 0)


def test_closed_folders_are_named_and_counted_at_every_depth(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A workspace, an epoch, the target of a link; each message has the next step."""
    shut = [app / "workspaces" / "w2", app / "workspaces" / "w1" / "3", app / "workspaces" / "l"]
    shut[2].symlink_to(app / "elsewhere")
    closed = {str(path) for path in shut}
    real = {name: getattr(os, name) for name in ("scandir", "listdir", "lstat", "stat")}

    def refusing(name: str) -> Any:
        def call(path: Any, *given: Any, **named: Any) -> Any:
            is_inside = str(path).rpartition("/")[0] in closed
            if (name in {"scandir", "listdir"} and str(path) in closed) or is_inside:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            if name == "stat" and str(path) == str(shut[2]):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real[name](path, *given, **named)

        return call

    for name in real:
        monkeypatch.setattr(os, name, refusing(name))
    found = find(settings(app))
    assert set(found.closed) == closed
    told = capsys.readouterr().err
    assert all(f"{path} cannot be read" in told for path in shut)
    assert told.count("check its permissions") == 3


def test_too_many_open_files_are_told_as_such(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not reported as missing permissions."""

    def refuse(_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(RootError, match="raise the limit of open files") as told:
        find(settings(app))
    assert "permission" not in told.value.message


def test_what_is_missing_says_what_is_near(tmp_path: Path) -> None:
    """A mistyped identifier or folder, in any part of the path."""
    (tmp_path / "com.example.app" / "workspaces").mkdir(parents=True)
    with pytest.raises(RootError, match=r"did you mean .*com\.example\.app\?"):
        find(settings(tmp_path / "com.exmaple.app"))
    assert "workspaces" in near_path(str(tmp_path / "com.example.app" / "workspcaes" / "w1"))
    assert near_path(str(tmp_path / "zzz")) == ""


def test_a_folder_without_documents_says_where_there_are_some(tmp_path: Path) -> None:
    """Below, above, or with another name."""
    put(tmp_path / "x" / "y" / "workspaces" / "w" / "0" / "workspace.yjs")
    (tmp_path / "empty").mkdir()
    put(tmp_path / "notes" / "a.yjs")
    assert f"some in {tmp_path / 'x' / 'y'}" in nothing_here([str(tmp_path / "x")], Selection())
    cache = tmp_path / "x" / "y" / "cache"
    cache.mkdir()
    assert f"some in {tmp_path / 'x' / 'y'}" in nothing_here([str(cache)], Selection())
    assert "--documents '*.yjs'" in nothing_here([str(tmp_path / "notes")], Selection())
    assert "give the app's data folder" in nothing_here([str(tmp_path / "empty")], Selection())


def test_a_watch_waits_and_says_what_is_near(
    app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing and empty roots are followed; a mirror is refused; a name becomes an id."""
    to_be_watched(settings(tmp_path / "ap"))
    assert f"did you mean {app}?" in capsys.readouterr().err
    to_be_watched(settings(app / "workspaces" / "w1" / "0", app))
    assert capsys.readouterr().err == ""
    assert to_be_watched(settings(app, workspace="Garden")).workspace == "w1"
    put(app / "workspaces" / "w1" / "0" / "tables.sqlite")
    with pytest.raises(UsageError, match=r"the document beside it is .*workspace\.yjs"):
        to_be_watched(settings(app / "workspaces" / "w1" / "0" / "tables.sqlite"))


def test_a_workspace_that_is_watched_is_the_only_one(app: Path) -> None:
    """By its id, also when documents are added or removed."""
    watched = to_be_watched(settings(app, workspace="Garden", epoch=0))
    assert watched.selection == Selection(workspace="w1", epoch=0)


def test_links_may_not_leave_the_root_of_a_document(app: Path) -> None:
    """The innermost root; for a document that is a root itself, its folder."""
    (source,) = sources_of(settings(app, workspace="w2"))
    folder = app / "workspaces" / "w2" / "0"
    assert boundary_of(settings(app), source) == str(app)
    assert boundary_of(settings(app, folder.parent), source) == str(folder.parent)
    assert boundary_of(settings(Path(source.document)), source) == str(folder)


@pytest.mark.parametrize(
    ("word", "words", "told"),
    [
        ("stats", ["status", "sync"], "; did you mean status?"),
        ("SYNC", ["status", "sync"], "; did you mean sync?"),
        ("zzz", ["a", "b"], "; there are a, b"),
        ("zzz", list("abcdefgh"), "; there are a, b, c, d, e, f and 2 more"),
        ("zzz", [], "; there are none"),
    ],
)
def test_a_mistake_is_answered_with_what_there_is(word: str, words: list[str], told: str) -> None:
    """Similar names, else all names."""
    assert did_you_mean(word, words) == told
