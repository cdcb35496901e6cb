"""An update whose long arrays and unusual XML children are moved into roots."""

from typing import Any

import pycrdt
import pytest

from sidecar.model import LONG_ARRAY
from sidecar.yjs.lift import lift, xml_of_ids
from tests.support.made import tables, update

LONG = list(range(LONG_ARRAY))


def split_array() -> bytes:
    """Return a document with a long array that was written from the front."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
    array: pycrdt.Array[Any] = pycrdt.Array()
    short: pycrdt.Array[Any] = pycrdt.Array([1, 2])
    doc["tables"] = pycrdt.Map({"t": pycrdt.Map({"r": pycrdt.Map({"a": array, "b": short})})})
    for number in LONG:
        array.insert(0, number)
    return doc.get_update()


def opened(data: bytes, root: str) -> tuple[pycrdt.Doc[Any], list[Any]]:
    """Apply an update and return the elements of a root array."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    doc.apply_update(data)
    return doc, list(doc.get(root, type=pycrdt.Array))


def test_a_long_array_becomes_a_root() -> None:
    """It is replaced by one text, the name of that root; short arrays are not changed."""
    lifted = lift(split_array())
    (name,) = lifted.roots
    assert lifted.arrays == {name}
    doc, elements = opened(lifted.update, name)
    assert elements == LONG[::-1]
    row = doc.get("tables", type=pycrdt.Map)["t"]["r"]
    assert list(row["a"]) == [name]
    assert list(row["b"]) == [1, 2]


def test_an_array_is_found_by_any_of_its_elements() -> None:
    """By the element that was written first or a later one; elements of other types find none."""
    data = split_array()
    lifted = lift(data)
    (name,) = lifted.roots
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    doc.apply_update(data)
    row = doc.get("tables", type=pycrdt.Map)["t"]["r"]
    for index in (0, 1, LONG_ARRAY - 1):
        item = row["a"].sticky_index(index).to_json()["item"]
        assert lifted.array_of((item["client"], item["clock"])) == name
    item = row["b"].sticky_index(0).to_json()["item"]
    assert lifted.array_of((item["client"], item["clock"])) is None
    assert lifted.array_of((99, 0)) is None


def test_nothing_to_lift() -> None:
    """Then the update is not changed."""
    data = update(tables=tables(t={"r": {"a": 1, "b": [1, 2], "c": pycrdt.XmlFragment()}}))
    lifted = lift(data)
    assert (lifted.update, lifted.roots) == (data, {})


@pytest.mark.parametrize("size", [0, 1, 40])
def test_what_is_no_update_is_refused(size: int) -> None:
    """A cut update raises, as in every reader of structs."""
    with pytest.raises(ValueError, match=r".+"):
        lift(split_array()[:size])


def test_ids_become_xml_elements_with_these_ids() -> None:
    """So that the decoder can compute the hash of an id."""
    ids = [(7, 3), (7, 0), (7, 4), (2**40, 12)]
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    doc.apply_update(xml_of_ids(ids))
    nodes: Any = doc.get("", type=pycrdt.XmlFragment).children
    assert {node.tag for node in nodes} == {f"{client}:{clock}" for client, clock in ids}
    assert len({*map(hash, nodes)}) == len(ids)
