"""Documents that Yjs cannot write and another peer's library can: made by pycrdt."""

from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Doc, Map, XmlElement, XmlFragment, XmlText

from tests.fidelity.expect.compare import assert_same, read
from tests.fidelity.expect.shapes import Expected, table
from tests.support.fresh_desk import FreshDesk
from tests.support.mirrors import open_mirror

Maker = Callable[[Any], None]
_DEEPER_THAN_YJS = 10_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> FreshDesk:
    """One place for document and mirror, used again and again."""
    return FreshDesk(tmp_path_factory.mktemp("desk"))


def _constructor(tables: Any) -> None:
    tables["t"]["r1"] = Map({"j": {"constructor": 1.0, "toString": None}})


def _deeper(tables: Any) -> None:
    value: list[Any] = []
    for _ in range(_DEEPER_THAN_YJS - 1):
        value = [value]
    tables["t"]["r1"] = Map({"j": value, "a": "kept"})


def _xml(tables: Any) -> None:
    attributes = {name: name.upper() for name in ("z", "y", "x", "w", "v")}
    fragment = XmlFragment([XmlElement("p", attributes, [XmlText("words")]), XmlElement("br")])
    tables["t"]["r1"] = Map({"j": fragment})


def _rows_of_maps_in_plain_table(tables: Any) -> None:
    tables["t"] = {"r1": {"j": {"b": [1.0], "a": None}}, "r2": 7.0}


CASES: dict[str, tuple[Maker, Expected]] = {
    "object_with_constructor": (
        _constructor,
        Expected({"t": table("j TEXT", ("r1", '{"constructor":1,"toString":null}'))}),
    ),
    "deeper_than_yjs_can_write": (
        _deeper,
        Expected(
            {"t": table("a TEXT,j -", ("r1", "kept", None))}, (("t", "j", "too_deep", 1, "r1"),)
        ),
    ),
    "xml_attributes": (
        _xml,
        Expected(
            {
                "t": table(
                    "j TEXT",
                    ("r1", '<p v="V" w="W" x="X" y="Y" z="Z">words</p><br></br>'),
                )
            }
        ),
    ),
    "plain_table": (
        _rows_of_maps_in_plain_table,
        Expected(
            {"t": table("j TEXT", ("r1", '{"a":null,"b":[1]}'), ("r2", None, "7"))},
            (("t", None, "not_a_row", 1, "r2"),),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_document_of_another_library_is_shown(case: str, desk: FreshDesk) -> None:
    """What only other Yjs implementations write follows the same rules."""
    maker, expected = CASES[case]
    doc: Doc[Any] = Doc(client_id=1)
    tables = doc.get("tables", type=Map)
    tables["t"] = Map({})
    maker(tables)
    with open_mirror(desk.mirror(doc.get_update())) as connection:
        assert_same(read(connection), expected)
