"""Content that needs a second decode: unusual XML children, long arrays."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, XmlElement, XmlFragment, XmlText

from sidecar.document import lifted
from sidecar.document.lifted import lifting, offered
from sidecar.document.values import cell
from sidecar.document.xml import HiddenError
from sidecar.model import LONG_ARRAY
from tests.support.data import REPORTS
from tests.support.made import chunks_of, raw_cells, tables, update

ODD = (REPORTS / "xml_content_dropped_text_in_element.yjs").read_bytes()


def from_the_front(size: int, **others: Any) -> bytes:
    """Return a document with an array of numbers in tables.t.a.list, each in its own struct."""
    doc: Doc[Any] = Doc(client_id=1)
    array: Array[Any] = Array()
    doc["tables"] = Map({"t": Map({"a": Map({"list": array, **others})})})
    for number in range(size):
        array.insert(0, number)
    return doc.get_update()


def test_the_hash_of_a_node_is_that_of_its_id() -> None:
    """The canary: nodes are found by it in another document, which a new pycrdt may change."""
    page = XmlFragment([XmlElement("p"), XmlText("q")])
    data = update(tables=tables(t={"a": {"x": page}}))

    def hashes(row: Any, txn: Any) -> list[int]:
        fragment = row.get(txn, "x")
        return [hash(fragment), *map(hash, fragment.children(txn))]

    first, second = raw_cells(data, hashes), raw_cells(data, hashes)
    assert first == second
    assert len(set(first)) == 3


def test_an_odd_child_is_told_only_where_the_update_is_offered() -> None:
    """Otherwise the cell is a problem, and never an incomplete text."""
    (chunk,) = chunks_of(ODD, "pages")
    assert chunk.columns == [["<p>plain text</p>"]]
    assert chunk.problems == []
    assert offered() is None


def test_what_cannot_be_told_is_a_problem_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind is ``unreadable``; the row is kept."""
    monkeypatch.setattr("sidecar.document.xml.offered", lambda: None)
    (chunk,) = chunks_of(ODD, "pages")
    assert chunk.columns == [[None]]
    (problem,) = chunk.problems
    assert (problem.row_id, problem.field, problem.kind) == ("p1", "body", "unreadable")
    assert problem.detail == str(HiddenError())


@pytest.mark.parametrize("size", [1, LONG_ARRAY - 1, LONG_ARRAY, 3 * LONG_ARRAY, 3_000])
def test_an_array_is_its_elements(size: int) -> None:
    """By index or lifted, with any length; another cell of the row keeps its value."""
    (chunk,) = chunks_of(from_the_front(size, other=Array([1, "x"])), "t")
    assert chunk.columns == [[list(range(size - 1, -1, -1))], [[1, "x"]]]


def test_arrays_in_a_lifted_array() -> None:
    """Long ones are lifted as well, short ones read where they are."""
    doc: Doc[Any] = Doc(client_id=1)
    outer: Array[Any] = Array()
    doc["tables"] = Map({"t": Map({"a": Map({"list": outer})})})
    for number in range(1_000):
        outer.insert(0, Array([number]))
    long: Array[Any] = Array()
    outer.insert(0, long)
    for number in range(LONG_ARRAY):
        long.insert(0, number)
    outer.insert(1, Array([]))
    (chunk,) = chunks_of(doc.get_update(), "t")
    expected = [list(range(LONG_ARRAY - 1, -1, -1)), [], *([n] for n in range(999, -1, -1))]
    assert chunk.columns == [[expected]]


def test_short_arrays_are_read_by_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second decode takes longer."""
    monkeypatch.setattr(lifted, "_lifted", lambda _: pytest.fail("it was not worth it"))
    (chunk,) = chunks_of(from_the_front(100), "t")
    assert chunk.columns == [[list(range(99, -1, -1))]]


def test_a_document_is_lifted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For any number of cells."""
    asked: list[int] = []
    real = lifted._lifted  # noqa: SLF001 - counted

    def count(data: bytes) -> Any:
        asked.append(len(data))
        return real(data)

    monkeypatch.setattr(lifted, "_lifted", count)
    doc: Doc[Any] = Doc(client_id=1)
    arrays: list[Array[Any]] = [Array() for _ in range(3)]
    rows = {f"r{n}": Map({"list": array}) for n, array in enumerate(arrays)}
    doc["tables"] = Map({"t": Map(rows)})
    for array in arrays:
        for number in range(1_000):
            array.insert(0, number)
    (chunk,) = chunks_of(doc.get_update(), "t")
    assert chunk.columns == [[list(range(999, -1, -1))] * 3]
    assert len(asked) == 1


def test_lifting_ends_with_its_context() -> None:
    """And gives the elements while it lasts."""
    data = from_the_front(2_000)

    def look(row: Any, txn: Any) -> Any:
        with lifting(lambda: data):
            assert offered() is not None
            return cell(row.get(txn, "list"), txn)

    assert raw_cells(data, look) == list(range(1_999, -1, -1))
    assert offered() is None


def test_numbers_in_formats_and_embeds_are_as_written() -> None:
    """The decoder reads 100 in the first; what JavaScript keeps under ``__proto__`` is lost."""
    text, element = XmlText(), XmlElement("p", {"__proto__": "x", "a": "1"})
    data = update(tables=tables(t={"a": {"x": XmlFragment([text, element])}}))
    doc: Doc[Any] = Doc()
    doc.apply_update(data)
    found = doc.get("tables", type=Map)["t"]["a"]["x"].children[0]
    found.insert(0, "wide", {"size": {"width": 100.00000000000001}, "__proto__": True})
    found.insert_embed(4, [2.5e-200, 33.333333333333336])
    (chunk,) = chunks_of(doc.get_update(), "t")
    size = '<size width="100.00000000000001">'
    printed = f"{size}wide</size>{size}2.5e-200,33.333333333333336</size>"
    assert chunk.columns == [[f'{printed}<p a="1"></p>']]
