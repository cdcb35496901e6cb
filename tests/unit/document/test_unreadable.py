"""Types of Yjs 14 with both entries and children: only unreadable content is a problem."""

from pathlib import Path

import pytest
from pycrdt import Array, Doc, Map, Text, XmlFragment, XmlText

from sidecar.model import Rebuilt
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from sidecar.yjs.mixed import hidden_types
from tests.support.data import DATA
from tests.support.desk import Desk
from tests.support.made import chunks_of
from tests.support.mirrors import query, read_problems

UPGRADED = (DATA / "yjs14" / "upgraded.yjs").read_bytes()
"""A document of Yjs 13 in which Yjs 14 added a row."""


def test_a_row_that_the_decoder_shows_to_nobody_is_written_up() -> None:
    """Only the row that Yjs 14 made; the others have no problem."""
    assert hidden_types(UPGRADED) == {("tables", "notes", "new0")}
    (chunk,) = chunks_of(UPGRADED, "notes")
    found = [(p.row_id, p.field) for p in chunk.problems if p.kind == "unreadable"]
    assert found == [("new0", None)]


def test_the_document_is_not_whole(tmp_path: Path) -> None:
    """``equal`` only covers what was compared."""
    desk = Desk(tmp_path / "w" / "0")
    desk.document.write_bytes(UPGRADED)
    assert isinstance(sync(desk.source, desk.options, rested=True), Rebuilt)
    told = verify(desk.source, desk.options)
    assert (told.result, told.whole, told.unread) == ("equal", False, 1)


def test_an_empty_fragment_is_nothing_to_speak_of() -> None:
    """An empty rich text, and one with text; as cells and as rows."""
    doc: Doc[Map[object]] = Doc()
    tables = doc.get("tables", type=Map)
    row = Map({"id": "a", "empty": XmlFragment(), "full": XmlFragment([XmlText("x")])})
    tables["t"] = Map({"a": row, "b": XmlFragment()})
    data = doc.get_update()
    assert hidden_types(data) == set()
    (chunk,) = chunks_of(data, "t")
    assert [p.kind for p in chunk.problems] == ["not_a_row"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("array", {("todos", "value", 3, "0000000000")}),
        ("keyed", {("notes", None, 1, None)}),
        ("xml", {(None, None, 0, None)}),
        ("settings", {("g", "value", 1, "a")}),
        ("cells", {("t", "list", 1, "r2"), ("t", "map", 1, "r2")}),
        ("shown", set[object]()),
    ],
)
def test_whatever_is_hidden_is_written_up_where_it_is(
    name: str, told: set[object], tmp_path: Path
) -> None:
    """Elements, entries, XML in a root, types beside text, and types deep inside a cell.

    ``shown`` has text, numbers and an element with attributes, all of which is shown.
    """
    desk = Desk(tmp_path / "w" / "0")
    desk.document.write_bytes((DATA / "yjs14" / f"{name}.yjs").read_bytes())
    assert isinstance(sync(desk.source, desk.options, rested=True), Rebuilt)
    found = {
        (table, field, rows, row_id)
        for table, field, kind, rows, row_id in read_problems(desk.mirror)
        if kind == "unreadable"
    }
    assert found == told
    seen = verify(desk.source, desk.options)
    assert (seen.result, seen.whole) == ("equal", not told)


def test_fragments_in_an_array_are_its_elements(tmp_path: Path) -> None:
    """An XML fragment holds no other one, so a root with fragments in it is an array of them."""
    doc: Doc[Array[object]] = Doc()
    pages = doc.get("pages", type=Array)
    pages.extend([XmlFragment([XmlText("one")]), XmlFragment([XmlText("two")])])
    desk = Desk(tmp_path / "w" / "0")
    desk.document.write_bytes(doc.get_update())
    assert isinstance(sync(desk.source, desk.options, rested=True), Rebuilt)
    rows = query(desk.mirror, "SELECT _position, value FROM pages")
    assert rows == [(0, "one"), (1, "two")]
    assert verify(desk.source, desk.options).result == "equal"


def test_a_fragment_in_a_text_is_shown_beside_its_letters(tmp_path: Path) -> None:
    """As every other shared type in a root that has letters; `verify` knows it."""
    doc: Doc[Array[object]] = Doc()
    doc.get("note", type=Array).append(XmlFragment([XmlText("one")]))
    letters: Doc[Text] = Doc()
    letters.get("note", type=Text).insert(0, "words")
    doc.apply_update(letters.get_update())
    desk = Desk(tmp_path / "w" / "0")
    desk.document.write_bytes(doc.get_update())
    assert isinstance(sync(desk.source, desk.options, rested=True), Rebuilt)
    assert query(desk.mirror, "SELECT value FROM note") == [("one",)]
    assert verify(desk.source, desk.options).result == "equal"
