"""Snapshots of documents by real Yjs: shown as in JavaScript, or refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.document.public_api import entries
from sidecar.document.snapshots import Past
from sidecar.errors import DocumentUnusableError
from sidecar.reference.aside import Aside
from sidecar.reference.document import as_json
from sidecar.reference.tables import raw_tables
from tests.support.data import SNAPSHOTS

KEPT, COLLECTED = SNAPSHOTS / "kept", SNAPSHOTS / "collected"
TOLD: dict[str, Any] = json.loads((KEPT / "told.json").read_text("utf-8"))


def past(folder: Path) -> Past:
    """Open the document of a folder."""
    return Past((folder / "workspace.yjs").read_bytes())


def rows(state: bytes) -> dict[str, Any]:
    """Return the rows of all tables of a document as JSON."""
    aside = Aside(state)
    return {
        table.name: {
            key: {field: as_json(cell, aside) for field, cell in entries(row).items()}
            for key, row in table.rows.items()
        }
        for table in raw_tables(state)
        if table.rows
    }


@pytest.mark.parametrize("unix_ms", TOLD)
def test_moment_holds_what_javascript_says(unix_ms: str) -> None:
    """A V1 snapshot of a document without garbage collection equals that of Yjs."""
    snapshot = (KEPT / "snapshots" / f"{unix_ms}.ysnap").read_bytes()
    assert rows(past(KEPT).state_at(snapshot)) == TOLD[unix_ms]


@pytest.mark.parametrize("unix_ms", TOLD)
def test_other_encoding_is_told_apart(unix_ms: str) -> None:
    """A V2 snapshot is refused as such; where nothing was deleted the encodings are the same."""
    first = (KEPT / "snapshots" / f"{unix_ms}.ysnap").read_bytes()
    second = (KEPT / "v2" / f"{unix_ms}.ysnap").read_bytes()
    if first == second:
        assert rows(past(KEPT).state_at(second)) == TOLD[unix_ms]
        return
    with pytest.raises(DocumentUnusableError) as refusal:
        past(KEPT).state_at(second)
    assert refusal.value.code == "v2"


@pytest.mark.parametrize("name", ["newer.ysnap", "newer_by_a_deletion.ysnap"])
@pytest.mark.parametrize("folder", [KEPT, COLLECTED])
def test_newer_snapshot_is_refused(folder: Path, name: str) -> None:
    """A snapshot with edits or deletions that the document does not have is refused."""
    with pytest.raises(DocumentUnusableError, match="newer than the document") as refusal:
        past(folder).state_at((folder / name).read_bytes())
    assert refusal.value.code == "foreign"


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\1", b"no snapshot", b"\0\0\0", bytes(9)])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    """Bytes that are valid in neither encoding are not a snapshot."""
    with pytest.raises(DocumentUnusableError) as refusal:
        past(KEPT).state_at(data)
    assert refusal.value.code == "undecodable"


def test_collected_garbage_shows() -> None:
    """Only a document without collected garbage is exact."""
    assert past(KEPT).exact
    assert not past(COLLECTED).exact


def test_collected_document_still_gives_a_state() -> None:
    """Snapshots of a document with collected garbage are shown as well as possible."""
    snapshot = (COLLECTED / "snapshots" / "2000.ysnap").read_bytes()
    assert set(rows(past(COLLECTED).state_at(snapshot))["notes"]) == {"n0", "n1", "n3", "n4"}


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        ("edit_snapshot_edit", 2),
        ("text_shortened", 2),
        ("overwritten", 1),
        ("bigint", 1),
    ],
)
def test_a_later_merge_of_what_was_deleted_changes_nothing(name: str, moments: int) -> None:
    """The borders of its deletions are inside structs that were merged since."""
    folder = SNAPSHOTS / "reported" / name
    found = [past(folder).state_at(at.read_bytes()) for at in sorted(folder.glob("*.ysnap"))]
    assert len(found) == moments
    assert all(len(rows(state)["notes"]) == 1 for state in found)


def test_a_bigint_keeps_its_digits() -> None:
    """The decoder would write it as a float; its bytes are copied as they are."""
    folder = SNAPSHOTS / "reported" / "bigint"
    (snapshot,) = folder.glob("*.ysnap")
    state = past(folder).state_at(snapshot.read_bytes())
    assert b"\x7a\x7f" + b"\xff" * 7 in state
