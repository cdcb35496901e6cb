"""Snapshots by real Yjs in both encodings: which ones are told apart, and by what."""

import json
from pathlib import Path

import pytest
from pycrdt import Doc, Text

from sidecar.document.snapshots import Past
from sidecar.errors import DocumentUnusableError
from tests.support.node import needs_node, write_with_yjs

pytestmark = needs_node


def written(folder: Path, code: str) -> tuple[bytes, dict[str, bytes]]:
    """Run JavaScript that edits ``doc`` and calls ``keep(name)``; return document and snapshots.

    Each snapshot is written twice, as ``NAME.v1`` and ``NAME.v2``.
    """
    folder.mkdir()
    prepare = (
        "doc.gc = false; doc.clientID = 7; const text = doc.getText('text')\n"
        f"const folder = {json.dumps(str(folder))}\n"
        "const put = (name, data) => fs.writeFileSync(folder + '/' + name, data)\n"
        "const keep = (name) => { put(name + '.v1', Y.encodeSnapshot(Y.snapshot(doc)))\n"
        "put(name + '.v2', Y.encodeSnapshotV2(Y.snapshot(doc))) }\n"
    )
    document = folder / "document.yjs"
    write_with_yjs(prepare + code, document)
    snapshots = {path.name: path.read_bytes() for path in folder.glob("*.v?")}
    return document.read_bytes(), snapshots


def text_at(past: Past, snapshot: bytes, *others: bytes) -> str:
    """Return the text of the root ``text`` as it was."""
    doc = Doc[Text]()
    doc.apply_update(past.state_at(snapshot, others))
    return str(doc.get("text", type=Text))


def test_a_deleted_emoji_is_deleted_whole(tmp_path: Path) -> None:
    """As V1, the V2 snapshot says that half of it was deleted, which Yjs would have replaced."""
    document, snapshots = written(
        tmp_path / "one",
        "text.insert(0, 'a😀b'); text.delete(1, 2); keep('then'); text.delete(0, 1)",
    )
    past = Past(document)
    assert text_at(past, snapshots["then.v1"]) == "ab"
    with pytest.raises(DocumentUnusableError) as refusal:
        past.state_at(snapshots["then.v2"])
    assert refusal.value.code == "v2"


def test_some_snapshots_are_the_same_bytes_in_both_encodings(tmp_path: Path) -> None:
    """Two letters were deleted, or three: equal documents, equal snapshots, two meanings."""
    two, at_two = written(
        tmp_path / "two",
        "text.insert(0, 'abcd'); text.delete(0, 2); keep('then'); text.delete(0, 1)",
    )
    three, at_three = written(
        tmp_path / "three", "text.insert(0, 'abcd'); text.delete(0, 3); keep('then')"
    )
    assert two == three
    assert at_two["then.v1"] == at_three["then.v2"] != at_two["then.v2"]
    assert text_at(Past(two), at_two["then.v1"]) == "cd"


def test_the_nearest_snapshot_that_tells_decides(tmp_path: Path) -> None:
    """What may be either is read as that one; where none tells, it is V1."""
    document, snapshots = written(
        tmp_path / "one",
        "text.insert(0, 'abcdefgh'); text.delete(0, 3); keep('either'); text.delete(0, 1)\n"
        "text.delete(2, 1); keep('clear'); text.delete(1, 1)",
    )
    past, either = Past(document), snapshots["either.v2"]
    first, second = snapshots["clear.v1"], snapshots["clear.v2"]
    with pytest.raises(DocumentUnusableError, match="V2 snapshot"):
        past.state_at(either, [either, second, first])
    for others in ((), (either,), (either, first, second)):
        assert text_at(past, either, *others) == "cdefgh"
    assert text_at(past, snapshots["either.v1"], first) == "defgh"
