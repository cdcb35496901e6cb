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


def text_at(past: Past, snapshot: bytes) -> str:
    """Return the text of the root ``text`` as it was."""
    doc = Doc[Text]()
    doc.apply_update(past.state_at(snapshot))
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


def test_the_other_snapshots_of_an_app_tell_how_it_writes(tmp_path: Path) -> None:
    """Beside one that can only be V2, one that may be either is V2; beside one of each, V1."""
    document, snapshots = written(
        tmp_path / "one",
        "text.insert(0, 'abcdefgh'); text.delete(0, 3); keep('either'); text.delete(0, 1)\n"
        "text.delete(2, 1); keep('clear'); text.delete(1, 1)",
    )
    either, clear = (
        [snapshots[f"{name}.{encoding}"] for encoding in ("v1", "v2")]
        for name in ("either", "clear")
    )
    with pytest.raises(DocumentUnusableError, match="V2 snapshot"):
        Past(document, [either[1], clear[1]]).state_at(either[1])
    for others in ([either[0], clear[0]], [], clear):
        assert text_at(Past(document, others), either[0]) == "defgh"
