"""``clean``: lists and removes files with our application_id, and no others."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.documents import document, save
from tests.support.program import Watch, run, sync


@pytest.fixture
def kept(studio: Path) -> Path:
    """Return the copy that was kept of a collapsed document."""
    return Path(shutil.copyfile(studio / "tables.sqlite", studio / "tables.last-good.sqlite"))


def files(app: Path) -> set[Path]:
    """Return every file below a folder."""
    return {path for path in app.rglob("*") if path.is_file()}


def test_nothing_is_removed_unless_told(app: Path, studio: Path, kept: Path) -> None:
    """The list has every mirror with its size, and the next step."""
    before = files(app)
    done = run("clean", app)
    assert (done.code, files(app)) == (0, before)
    assert str((studio / "tables.sqlite").relative_to(app)) in done.out
    assert str(kept.relative_to(app)) in done.out
    assert re.search(rf"^2 mirrors, .* in {re.escape(str(app))};", done.out, re.MULTILINE)
    assert "--yes removes them" in done.out


def test_mirrors_are_removed_and_last_good_copies_only_by_name(
    app: Path, studio: Path, kept: Path
) -> None:
    """Documents and all other files of the app stay, and a sync builds the mirrors again."""
    before = files(app)
    mirrors = set(app.rglob("tables.sqlite"))
    told = run("clean", app, "--yes", "--json").json()["mirrors"]
    assert {one["path"] for one in told if one["removed"]} == set(map(str, mirrors))
    assert files(app) == before - mirrors
    assert run("clean", studio, "--yes", "--last-good").code == 0
    assert files(app) == before - mirrors - {kept}
    sync(app)
    assert mirrors <= files(app)


def test_what_is_none_of_ours_stays(app: Path, studio: Path) -> None:
    """Another database under our name, a link, a mirror behind a link that leaves the folder."""
    outside = app.with_name("outside.sqlite")
    shutil.copyfile(studio / "tables.sqlite", outside)
    (studio / "tables.sqlite").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    (studio / "linked.sqlite").symlink_to(outside)
    told = run("clean", app, "--yes", "--last-good", "--json").json()["mirrors"]
    assert [Path(one["path"]).parts[-3] for one in told] == ["harvest-kitchen"]
    assert outside.exists()
    assert (studio / "linked.sqlite").is_symlink()
    assert (studio / "tables.sqlite").exists()


def test_mirrors_whose_documents_are_gone_are_ours_too(app: Path, studio: Path) -> None:
    """Below folders; a document given by its path selects only its own mirror."""
    other = save(studio / "notes.yjs", document(1))
    sync(other)
    other.unlink()
    (told,) = run("clean", studio / "workspace.yjs", "--json").json()["mirrors"]
    assert told["path"] == str(studio / "tables.sqlite")
    told = run("clean", app, "--workspace", "juniper-studio", "--json").json()["mirrors"]
    assert len(told) == 1
    assert run("clean", app, "--yes").code == 0
    assert not (studio / "notes.yjs.sqlite").exists()
    assert run("clean", app).out == "there are no mirrors here\n"


def test_mirrors_elsewhere_and_alone(app: Path, tmp_path: Path) -> None:
    """``--into`` gives their folder; a mirror may be given by its path."""
    sync(app, "--into", tmp_path / "into")
    assert run("clean", app, "--into", tmp_path / "into", "--yes").code == 0
    assert not list((tmp_path / "into").rglob("*.sqlite"))
    assert len(list(app.rglob("tables.sqlite"))) == 2
    alone = Path(shutil.move(next(app.rglob("tables.sqlite")), tmp_path / "alone.sqlite"))
    assert run("clean", alone, "--yes").code == 0
    assert not alone.exists()


@pytest.mark.parametrize("root", [".", "workspaces/juniper-studio", "workspaces/harvest-kitchen/0"])
def test_a_watch_on_it_or_on_a_part_of_it_refuses(app: Path, root: str) -> None:
    """Exit 4, because the watch would build them again. Listing is allowed."""
    before = files(app)
    with Watch(app / root) as watch:
        watch.until("ready")
        for asked in (app, app / root):
            done = run("clean", asked, "--yes")
            assert done.code == 4
            assert str(watch.process.pid) in done.err
        assert run("clean", app).code == 0
    assert files(app) == before


def test_a_watch_above_refuses_too(app: Path, studio: Path) -> None:
    """For any part of its folder."""
    with Watch(app) as watch:
        watch.until("ready")
        assert run("clean", studio, "--yes").code == 4
    assert os.path.exists(studio / "tables.sqlite")  # noqa: PTH110 - after all is over
