"""Snapshots beside a document: the list, and the mirror of a moment."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from sidecar.discovery import source_of
from sidecar.errors import DocumentUnavailableError
from sidecar.model import Options, Source
from sidecar.tasks.history import history, restore
from sidecar.tasks.verify import verify
from tests.support.data import SNAPSHOTS


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A document by real Yjs with seven snapshots, its mirror not built."""
    folder = tmp_path / "w1" / "0"
    shutil.copytree(SNAPSHOTS / "kept", folder)
    return source_of(str(folder / "workspace.yjs"))


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options with their own state folder."""
    return Options(state_folder=str(tmp_path / "state"))


def snapshots(source: Source) -> Path:
    """Return the folder of the snapshots."""
    return Path(source.document).parent / "snapshots"


def shown(mirror: Path) -> dict[str, Any]:
    """Return the rows of a mirror in the form of the JavaScript script: by table and key."""
    with closing(connect(mirror)) as connection:
        tables = connection.execute("SELECT name FROM _mirror_tables").fetchall()
        return {
            name: {
                key: {"id": key, "body": body, "stars": stars}
                for key, body, stars, _ in connection.execute(f"SELECT * FROM {name}")
            }
            if name == "notes"
            else {key: {"n": n} for key, n, _ in connection.execute(f"SELECT * FROM {name}")}
            for (name,) in tables
        }


def test_every_snapshot_is_listed_with_its_rows(source: Source, options: Options) -> None:
    """Time, description and rows of each, oldest first."""
    found = history(source, options)
    assert found.exact
    assert [one.unix_ms for one in found.snapshots] == [n * 1000 for n in range(1, 8)]
    assert [one.description for one in found.snapshots][:2] == ["nothing yet", "five notes"]
    assert [one.rows for one in found.snapshots] == [0, 5, 5, 4, 4, 11, 8]
    assert found.snapshots[-1].tables == {"notes": 4, "tasks": 4}
    assert found.snapshots[-1].bytes == (snapshots(source) / "7000.ysnap").stat().st_size


def test_refused_snapshots_say_why(source: Source, options: Options) -> None:
    """Another encoding, a newer state, another kind of file: each has its code."""
    folder = snapshots(source)
    shutil.copy(SNAPSHOTS / "kept" / "v2" / "5000.ysnap", folder / "8000.ysnap")
    shutil.copy(SNAPSHOTS / "kept" / "newer.ysnap", folder / "9000.ysnap")
    (folder / "10000.ysnap").write_bytes(b"nonsense")
    (folder / "11000.ysnap").write_bytes(b"")
    (folder / "not-a-time.ysnap").write_bytes(b"")
    (folder / "1000.json").write_text("[]")
    (folder / "2000.json").unlink()
    found = history(source, options).snapshots
    assert [one.code for one in found] == [*[None] * 7, "v2", "foreign", "undecodable", "empty"]
    assert [one.rows for one in found[7:]] == [None] * 4
    assert all(one.message for one in found[7:])
    assert [one.description for one in found[:3]] == [None, None, "one changed"]


def test_document_without_snapshots(tmp_path: Path, options: Options) -> None:
    """The result is an empty list."""
    document = tmp_path / "workspace.yjs"
    shutil.copy(SNAPSHOTS / "collected" / "workspace.yjs", document)
    found = history(source_of(str(document)), options)
    assert not found.exact
    assert found.snapshots == ()


@pytest.mark.parametrize("unix_ms", range(1000, 8000, 1000))
def test_mirror_of_a_moment_is_what_javascript_says(
    unix_ms: int, source: Source, options: Options, tmp_path: Path
) -> None:
    """Every row and cell of the moment, in a normal mirror."""
    out = tmp_path / "past.sqlite"
    restored = restore(source, options, at_ms=unix_ms, out=str(out))
    assert (restored.unix_ms, restored.failed) == (unix_ms, None)
    told = json.loads((SNAPSHOTS / "kept" / "told.json").read_text("utf-8"))
    assert shown(out) == told[str(unix_ms)]
    assert restored.rows == sum(map(len, told[str(unix_ms)].values()))
    with closing(connect(out)) as connection:
        facts = dict(connection.execute("SELECT key, value FROM _mirror"))
    assert (facts["workspace"], facts["epoch"]) == ("w1", "0")


def test_moment_between_two_snapshots_is_the_older_one(
    source: Source, options: Options, tmp_path: Path
) -> None:
    """The newest snapshot before the requested time is used."""
    restored = restore(source, options, at_ms=3999, out=str(tmp_path / "past.sqlite"))
    assert restored.unix_ms == 3000


def test_moment_before_the_first_snapshot_is_refused(
    source: Source, options: Options, tmp_path: Path
) -> None:
    """The error names the first snapshot."""
    with pytest.raises(DocumentUnavailableError, match="the first one is 1000"):
        restore(source, options, at_ms=999, out=str(tmp_path / "past.sqlite"))


def test_restoring_leaves_the_present_alone(
    source: Source, options: Options, tmp_path: Path
) -> None:
    """Neither the document's folder nor its mirror is changed, and no other file is left."""
    before = sorted(Path(source.document).parent.rglob("*"))
    out = tmp_path / "elsewhere"
    out.mkdir()
    restore(source, options, at_ms=2000, out=str(out / "past.sqlite"))
    restore(source, options, at_ms=1000, out=str(out / "past.sqlite"))
    assert sorted(Path(source.document).parent.rglob("*")) == before
    assert list(out.iterdir()) == [out / "past.sqlite"]


def test_present_mirror_is_another_matter(source: Source, options: Options) -> None:
    """A mirror of a moment at the document's own place would be stale."""
    restore(source, options, at_ms=2000, out=source.mirror)
    assert verify(source, options).result == "stale"
