"""From the bytes of an update to a Workspace, and the proof that all bytes were read."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from sidecar.document.decode import decode
from sidecar.document.opened import open_document
from sidecar.errors import SidecarError
from sidecar.model import Workspace
from sidecar.yjs.encoding import decode_state_vector
from sidecar.yjs.store import end_of_update
from tests.support.data import DOCUMENTS, SEEDS
from tests.support.made import content, decoded, tables, update

RICH = (
    *("edits", "keyed", "lists", "nested", "numbers", "rich_text", "sub_documents"),
    *("writers", "xml"),
)
GOOD = [*sorted(DOCUMENTS.glob("*.yjs")), *(SEEDS / f"{name}.yjs" for name in RICH)]


def problems(workspace: Workspace) -> list[str]:
    """Return the kinds of a workspace's own problems."""
    return [problem.kind for problem in workspace.problems]


def refused(data: bytes, *, accept_trailing: bool = False) -> str:
    """Return the code with which bytes are refused."""
    with pytest.raises(SidecarError) as caught:
        decoded(data, problems, accept_trailing=accept_trailing)
    return caught.value.code


def document() -> bytes:
    """Return a small document."""
    return update(tables=tables(t={"a": {"n": 1, "s": "x"}}))


def test_what_a_workspace_is_made_of() -> None:
    """Layouts, tables, the state vector, and no problems."""
    with decode(content(document()), accept_trailing=False) as workspace:
        assert workspace.layouts == ("maps",)
        assert [table.name for table in workspace.tables] == ["t"]
        assert workspace.state_vector == {1: 4}
        assert workspace.problems == ()


def test_an_empty_document_is_one() -> None:
    """A document of two bytes, as a host writes it after a failed load."""
    assert decoded(b"\0\0", lambda w: (w.layouts, w.tables, w.state_vector)) == ((), (), {})


def test_nothing_of_the_process_is_changed_for_good() -> None:
    """Garbage collection and the recursion limit are as before, also after a failure."""
    before = (gc.isenabled(), sys.getrecursionlimit())
    decoded(document(), problems)
    assert refused(document()[:-1]) == "undecodable"
    assert (gc.isenabled(), sys.getrecursionlimit()) == before


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda data: data[:-1], "undecodable"),
        (lambda data: data[: len(data) // 2], "undecodable"),
        (lambda data: data[:-1] + b"\1", "undecodable"),
        (lambda _: b"hello, world", "undecodable"),
        (lambda data: data + b"\0", "torn"),
        (lambda data: data + bytes(100), "torn"),
        (lambda data: data[:-20] + bytes(20), "torn"),
        (lambda data: data + b"stale", "torn"),
        (lambda data: bytes(len(data)), "torn"),
        (lambda data: b"SQLite format 3\0" + data, "foreign"),
        (lambda _: (SEEDS / "version_2.yjs").read_bytes()[:-3], "v2"),
        (lambda _: (SEEDS / "later.yjs").read_bytes(), "undecodable"),
        (lambda _: (SEEDS / "pending.yjs").read_bytes(), "undecodable"),
        (lambda _: (SEEDS / "found_gap.yjs").read_bytes(), "undecodable"),
    ],
)
def test_what_is_no_whole_update_is_refused(damage: Callable[[bytes], bytes], code: str) -> None:
    """Cut, zeroed, too long, foreign, of another version, or with missing parts."""
    data = damage(document())
    found = refused(data)
    assert found == code or {found, code} == {"torn", "undecodable"}


def test_the_stale_end_of_a_longer_update_is_passed_over() -> None:
    """When the file has rested, as Yjs does; never with a tail of zeros, which may hide a cut."""
    data = document()
    assert decoded(data + b"stale", problems, accept_trailing=True) == ["unaccounted"]
    assert refused(data + bytes(10), accept_trailing=True) == "torn"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_documents_of_yjs_are_taken_at_once(path: Path) -> None:
    """At once and without problems, also with BigInts and sub-documents."""
    data = path.read_bytes()
    assert decoded(data, problems) == []
    assert end_of_update(data) == len(data)


def test_structs_that_the_decoder_joins_are_no_reason_to_doubt_emoji() -> None:
    """Yjs does not always join what was typed in one go; such a document can be kept warm."""
    typed = [b"\x04\1\1t\5" + "🌱x".encode(), b"\x84\1\2\1y", b"\x84\1\3\1z"]
    data = bytes([1, 3, 1, 0]) + b"".join(typed) + b"\0"
    opened = open_document(content(data), accept_trailing=False)
    assert opened.update is None


def test_the_walk_ends_with_the_context() -> None:
    """Rows can be read any number of times while the document is open."""
    with decode(content(document()), accept_trailing=False) as workspace:
        (table,) = workspace.tables
        assert list(table.blocks()) == list(table.blocks())


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\0", {}), (b"\1\5\7", {5: 7}), (b"\2\x80\1\7\0\1", {128: 7, 0: 1})],
)
def test_state_vectors(data: bytes, expected: dict[int, int]) -> None:
    """Client and clock, as Yjs encodes them."""
    assert decode_state_vector(data) == expected


def test_a_text_root_called_like_a_keyed_array_is_a_text() -> None:
    """Also in a small file, which is looked at for what two sessions of one client tangle."""
    doc: Doc[Any] = Doc(client_id=5)
    doc["table:notes"] = Text("words")
    doc["other"] = Map({"a": 1})
    roots = decoded(doc.get_update(), lambda w: {r.name: (r.kind, r.text) for r in w.roots})
    assert roots["table:notes"] == ("text", "words")
