"""CRDT values to cells, and the canary in the extension's private objects."""

import math
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from sidecar.document import extension
from sidecar.document.extension import Map as RawMap
from sidecar.document.extension import Transaction
from sidecar.document.values import cell, column, number, plain
from sidecar.document.xml import TooDeepError
from sidecar.model import JSON_DEPTH
from tests.support.data import SEEDS
from tests.support.made import raw_cells, tables, update

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "text": "grün 🌱",
    "whole": 7.0,
    "half": 0.5,
    "bytes": b"\0\xff",
    "list": [1.0, "a", [None]],
    "object": {"b": 1.0, "a": {"c": []}},
    "ytext": Text("shared"),
    "ymap": Map({"b": Array([1.0]), "a": Text("in")}),
    "yarray": Array([Map({"x": 1.0}), "y"]),
}

SHOWN: dict[str, Any] = {
    "null": None,
    "true": True,
    "text": "grün 🌱",
    "whole": 7,
    "half": 0.5,
    "bytes": b"\0\xff",
    "list": [1, "a", [None]],
    "object": {"a": {"c": []}, "b": 1},
    "ytext": "shared",
    "ymap": {"a": "in", "b": [1]},
    "yarray": [{"x": 1}, "y"],
}

RAW_TYPES: dict[str, type] = {
    "null": type(None),
    "true": bool,
    "text": str,
    "whole": float,
    "half": float,
    "bytes": bytearray,
    "list": list,
    "object": dict,
    "ytext": extension.Text,
    "ymap": extension.Map,
    "yarray": extension.Array,
}


@pytest.fixture(scope="module")
def data() -> bytes:
    """A document with one row that holds one value of each kind."""
    return update(tables=tables(t={"a": VALUES}))


def nest(levels: int) -> list[Any]:
    """Return lists inside each other; ``[]`` is one level."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("name", VALUES)
def test_a_value_becomes_its_cell(data: bytes, name: str) -> None:
    """As docs/format.md has it: JavaScript's numbers, shared types as text or JSON."""
    shown = raw_cells(data, lambda row, txn: cell(row.get(txn, name), txn))
    assert (type(shown), shown) == (type(SHOWN[name]), SHOWN[name])


@pytest.mark.parametrize("name", RAW_TYPES)
def test_the_extension_gives_the_types_that_the_walk_knows(data: bytes, name: str) -> None:
    """The canary: ``Map.get`` is private API, and a new pycrdt may give something else."""
    kind = raw_cells(data, lambda row, txn: type(row.get(txn, name)))
    assert kind is RAW_TYPES[name]


def test_the_extension_has_what_the_walk_calls(data: bytes) -> None:
    """The canary, names and behaviour: keys, len, get of what is not there, items by index."""

    def look(row: RawMap, txn: Transaction) -> None:
        assert sorted(row.keys(txn)) == sorted(VALUES)
        assert row.len(txn) == len(VALUES)
        with pytest.raises(ValueError, match=r".*"):
            row.get(txn, "not there")
        array = row.get(txn, "yarray")
        assert array.len(txn) == 2
        assert array.get(txn, 1) == "y"
        assert row.get(txn, "ytext").get_string(txn) == "shared"

    raw_cells(data, look)


def test_the_document_of_the_extension_has_what_the_decoder_calls(data: bytes) -> None:
    """The canary, of ``Doc``: roots before their types are known, states, events, re-encoding."""
    doc = extension.Doc(None, True, None)
    events: list[bytes] = []
    subscription = doc.observe(lambda event: events.append(event.after_state))
    txn = doc.create_transaction()
    doc.apply_update(txn, data)
    txn.commit()
    txn.drop()
    subscription.drop()
    txn = doc.create_transaction()
    assert list(doc.roots(txn)) == ["tables"]
    assert events == [doc.get_state(txn)]
    assert len(doc.get_update(txn, b"\0")) == len(data)


@pytest.mark.parametrize(
    ("seed", "key", "kind"),
    [
        ("xml", "fragment", extension.XmlFragment),
        ("xml", "text", extension.XmlText),
        ("sub_documents", "page", extension.Doc),
        ("numbers", "big", int),
        ("numbers", "nan", float),
        ("numbers", "wide", float),
    ],
)
def test_the_kinds_that_only_yjs_writes(seed: str, key: str, kind: type) -> None:
    """The canary, with documents by real Yjs: XML, sub-documents, BigInts, every JS number."""
    doc = extension.Doc(None, True, None)
    txn = doc.create_transaction()
    doc.apply_update(txn, (SEEDS / f"{seed}.yjs").read_bytes())
    txn.commit()
    txn.drop()
    txn = doc.create_transaction()
    row = doc.get_or_insert_map(txn, "tables").get(txn, "items").get(txn, "one")
    assert type(row.get(txn, key)) is kind


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7.0, 7),
        (-7.0, -7),
        (0.0, 0),
        (-0.0, 0),
        (0.5, 0.5),
        (2.0**53, 2**53),
        (2.0**53 + 2, 2.0**53 + 2),
        (1e300, 1e300),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
    ],
)
def test_numbers_have_one_form(value: float, expected: float) -> None:
    """Integral and exact: int; everything else stays a float."""
    shown = number(value)
    assert (type(shown), shown) == (type(expected), expected)
    assert math.copysign(1, shown) == math.copysign(1, expected)


def test_nan_stays_nan() -> None:
    """The mirror converts it to NULL."""
    assert math.isnan(number(math.nan))


def test_a_column_with_nan_keeps_its_other_numbers(data: bytes) -> None:
    """One NaN among whole numbers: those are integers all the same."""

    def look(_row: RawMap, txn: Transaction) -> list[Any]:
        return column([1.0, math.nan, 2.0], txn, lambda _, error: pytest.fail(str(error)))

    first, middle, last = raw_cells(data, look)
    assert (type(first), first, type(last), last) == (int, 1, int, 2)
    assert math.isnan(middle)


COLUMNS: list[list[Any]] = [
    [],
    ["a", None, True],
    [1.0, 0.5, None, -0.0, math.inf, 2.0**60],
    [1.0, -0.0, 2.0**53, -(2.0**53)],
    [1.0, 2.0**53 + 2],
    [1.0, -(2.0**53) - 2],
    [1.0, 0.5],
    [0.5, 1.0],
    [1.0, math.inf],
    [-math.inf, 1.0],
    [["a", None], []],
    [["a"], [1.0], [["b"]]],
    [1.0, "a", b"\0", [1.0], {"b": 1.0}],
    [7, -(2**63), 2**63],
]


@pytest.mark.parametrize("values", COLUMNS, ids=range(len(COLUMNS)))
def test_a_column_is_its_cells(data: bytes, values: list[Any]) -> None:
    """The fast paths for common columns return the same as ``cell``."""

    def look(_row: RawMap, txn: Transaction) -> tuple[list[Any], list[Any]]:
        def never(index: int, _: TooDeepError) -> None:
            pytest.fail(f"{index} is not too deep")

        return column(values, txn, never), [cell(value, txn) for value in values]

    fast, slow = raw_cells(data, look)
    assert [(type(a), a) for a in fast] == [(type(b), b) for b in slow]


def test_the_depth_that_is_shown_and_the_one_that_is_not(data: bytes) -> None:
    """The limit counts lists and maps; beyond it the cell is None, and its index is returned."""

    def look(_row: RawMap, txn: Transaction) -> tuple[list[Any], list[int]]:
        deep: list[int] = []
        values = ["x", nest(20), nest(JSON_DEPTH + 1), {"a": nest(JSON_DEPTH)}]
        return column(values, txn, lambda index, _: deep.append(index)), deep

    cells, deep = raw_cells(data, look)
    assert cells == ["x", nest(20), None, None]
    assert deep == [2, 3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (7.0, 7),
        (b"\0\xff", "AP8="),
        ([math.nan, b"x", {"k": -math.inf}], [None, "eA==", {"k": None}]),
        (2**63, float(2**63)),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_plain_is_what_json_can_say(data: bytes, value: Any, expected: Any) -> None:
    """NaN and infinities null, bytes as base64, integers within int64."""
    assert raw_cells(data, lambda _row, txn: plain(value, txn)) == expected


def test_too_deep_is_raised_from_plain(data: bytes) -> None:
    """Callers decide what to show instead."""
    with pytest.raises(TooDeepError):
        raw_cells(data, lambda _row, txn: plain(nest(JSON_DEPTH + 1), txn))


@pytest.mark.parametrize("levels", [JSON_DEPTH - 1, JSON_DEPTH])
def test_the_depth_of_xml(levels: int) -> None:
    """One element less than the limit is shown, with any remaining C stack."""
    doc: Doc[Any] = Doc(client_id=1)
    node: Any = XmlFragment()
    doc["tables"] = Map({"t": Map({"a": Map({"page": node})})})
    for _ in range(levels):
        node = node.children.append(XmlElement("p"))

    def show() -> Any:
        return raw_cells(doc.get_update(), lambda row, txn: cell(row.get(txn, "page"), txn))

    if levels < JSON_DEPTH:
        assert show() == "<p>" * levels + "</p>" * levels
    else:
        with pytest.raises(TooDeepError):
            show()


def test_xml_is_printed_as_yjs_prints_it() -> None:
    """Tags in lower case, attributes and formats sorted, nothing escaped, embeds left out."""
    doc: Doc[Any] = Doc(client_id=1)
    text = XmlText("a < b")
    fragment = XmlFragment([XmlElement("P", {"z": "1", "a": "2"}, [text]), XmlElement("br")])
    doc["tables"] = Map({"t": Map({"a": Map({"page": fragment})})})
    text.format(0, 1, {"i": True, "b": {"y": "2", "x": "1"}})
    shown = raw_cells(doc.get_update(), lambda row, txn: cell(row.get(txn, "page"), txn))
    assert shown == '<p a="2" z="1"><b x="1" y="2"><i>a</i></b> < b</p><br></br>'
