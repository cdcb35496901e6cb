"""The content of heads and registries, read without the decoder, equals the decoder's."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Map

from sidecar.document.heads import Head, read_head, read_maps, read_registry

ROOTS = ("meta", "epochs")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**62), 2**62).map(float),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs"])),
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        st.sampled_from(["set", "set", "delete", "meet"]),
        st.sampled_from(ROOTS),
        st.sampled_from(["name", "icon", "x"]),
        VALUES,
    ),
    max_size=40,
)


def update(**roots: dict[str, Any]) -> bytes:
    """Make a document of root maps."""
    doc: Doc[Any] = Doc(client_id=1)
    for name, entries in roots.items():
        doc[name] = Map(entries)
    return doc.get_update()


@given(edits=EDITS)
def test_maps_are_what_the_decoder_says(edits: list[tuple[int, str, str, str, Any]]) -> None:
    """Three writers set, delete and merge in any order: the maps are equal."""
    docs: list[Doc[Any]] = [Doc(client_id=client) for client in (1, 2, 3)]
    for who, what, root, key, value in edits:
        entries = docs[who].get(root, type=Map)
        if what == "set":
            entries[key] = value
        elif what == "delete":
            entries.pop(key, None)
        else:
            docs[who].apply_update(docs[(who + 1) % 3].get_update())
    for other in docs[1:]:
        docs[0].apply_update(other.get_update())
    found = read_maps(docs[0].get_update())
    for root in ROOTS:
        wanted = dict(docs[0].get(root, type=Map).items())
        assert found.get(root, {}) == wanted


def test_head_gives_name_icon_and_highest_epoch(tmp_path: Path) -> None:
    """The current epoch is the highest that any client asked for."""
    file = tmp_path / "head.yjs"
    epochs = {"1": 0.0, "2": 3.0, "3": 2.0, "4": "9", "5": -1.0, "6": 7.5, "7": True}
    file.write_bytes(update(meta={"name": "Études", "icon": "🎹"}, epochs=epochs))
    assert read_head(str(file)) == Head("Études", "🎹", 3)


def test_odd_values_are_nothing(tmp_path: Path) -> None:
    """A name that is a number, an icon that is a map: they count as missing."""
    file = tmp_path / "head.yjs"
    file.write_bytes(update(meta={"name": 5.0, "icon": Map({"type": "emoji"})}))
    assert read_head(str(file)) == Head()


def test_registry_lists_what_is_true(tmp_path: Path) -> None:
    """Only ``true`` means that a workspace exists."""
    file = tmp_path / "registry.yjs"
    file.write_bytes(update(workspaces={"a": True, "b": False, "c": 1.0}))
    assert read_registry(str(file)) == frozenset("a")


def test_registry_that_lost_its_last_workspace_is_empty(tmp_path: Path) -> None:
    """A registry in which everything was deleted is empty; one without any write is unknown."""
    doc: Doc[Any] = Doc(client_id=1)
    doc["workspaces"] = listed = Map({"a": True})
    del listed["a"]
    file = tmp_path / "registry.yjs"
    file.write_bytes(doc.get_update())
    assert read_registry(str(file)) == frozenset()
    file.write_bytes(b"\0\0")
    assert read_registry(str(file)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0",
        b"\0\0\0",
        b"{}",
        bytes(500),
        b"SQLite format 3\0",
        update(meta={"name": "cut"})[:-3],
        update(meta={"name": "more"}) + b"more",
        b"\xff" * 40,
    ],
    ids=range(9),  # client ids are random, and test workers compare names
)
def test_odd_files_are_empty_heads(data: bytes, tmp_path: Path) -> None:
    """Any file named head.yjs or registry.yjs gives a result."""
    file = tmp_path / "head.yjs"
    file.write_bytes(data)
    assert read_head(str(file)) == Head()
    assert read_registry(str(file)) is None


def test_missing_files_and_folders_are_empty_heads(tmp_path: Path) -> None:
    """As are missing files and folders of that name."""
    assert read_head(str(tmp_path / "head.yjs")) == Head()
    assert read_head(str(tmp_path)) == Head()


def test_hostile_nesting_ends_nothing(tmp_path: Path) -> None:
    """A value nested a hundred thousand levels deep, which crashes the decoder, is not a name."""
    levels = 100_000
    item = b"\x28\x01\x04meta\x04name\x01" + b"\x75\x01" * levels + b"\x7e"
    file = tmp_path / "head.yjs"
    file.write_bytes(b"\x01\x01\x07\x00" + item + b"\x00")
    assert read_head(str(file)) == Head()


def test_circle_of_origins_ends(tmp_path: Path) -> None:
    """Two items that each have the other one as their origin are in no root."""
    first = b"\xa8\x07\x01\x01\x7e"  # behind 7:1
    second = b"\xa8\x07\x00\x01\x7e"  # behind 7:0
    file = tmp_path / "head.yjs"
    file.write_bytes(b"\x01\x02\x07\x00" + first + second + b"\x00")
    assert read_head(str(file)) == Head()
