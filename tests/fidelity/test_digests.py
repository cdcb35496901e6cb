"""The digest of a table depends on every cell, field and definition, and on nothing else."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pycrdt import Doc, Map

from tests.fidelity.expect.compare import read
from tests.fidelity.expect.shapes import Expected
from tests.support.fresh_desk import FreshDesk
from tests.support.generated import SETTINGS, plain
from tests.support.mirrors import open_mirror

Content = dict[str, dict[str, Any]]
"""Rows by key: fields and plain values."""

_FIELDS = ("a", "b", "c")
_DEFINITION = {
    "name": "T",
    "fields": {
        "id": {"type": "id"},
        **{name: {"type": "json", "nullable": True} for name in _FIELDS},
    },
}
contents = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    st.dictionaries(st.sampled_from(_FIELDS), plain, max_size=3),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> FreshDesk:
    """One place for document and mirror, used again and again."""
    return FreshDesk(tmp_path_factory.mktemp("desk"))


def document(content: Content, definition: Any = _DEFINITION, *, backwards: bool = False) -> bytes:
    """Write a document of one table ``t``, and a table ``other`` that stays as it is."""
    doc: Doc[Any] = Doc()
    tables = doc.get("tables", type=Map)
    tables["other"] = Map({"r1": Map({"x": 1.0})})
    tables["t"] = Map({})
    step = -1 if backwards else 1
    for key in list(content)[::step]:
        tables["t"][key] = Map({field: content[key][field] for field in list(content[key])[::step]})
    if definition is not None:
        doc.get("definition", type=Map)["tables"] = Map({"t": definition})
    return doc.get_update()


def tables_of(desk: FreshDesk, update: bytes) -> Expected:
    """Read the tables and problems of a document's mirror."""
    with open_mirror(desk.mirror(update)) as connection:
        return read(connection)


@SETTINGS
@given(content=contents)
def test_order_of_writing_does_not_matter(desk: FreshDesk, content: Content) -> None:
    """Rows and fields written in another order, by another client, give equal digests."""
    assert desk.digests(document(content)) == desk.digests(document(content, backwards=True))


@SETTINGS
@given(content=contents, data=st.data())
def test_every_cell_matters(desk: FreshDesk, content: Content, data: st.DataObject) -> None:
    """One cell with another value changes its table's digest, and no other table's."""
    key = data.draw(st.sampled_from(sorted(content)))
    field, value = data.draw(st.sampled_from(_FIELDS)), data.draw(plain)
    changed = {**content, key: {**content[key], field: value}}
    before, after = document(content), document(changed)
    assume(tables_of(desk, before) != tables_of(desk, after))
    was, now = desk.digests(before), desk.digests(after)
    assert was["t"] != now["t"]
    assert was["other"] == now["other"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, True),
        (0.0, False),
        (0.0, ""),
        (None, ""),
        (None, False),
        ("1", 1.0),
        ([], {}),
        ([1.0], ["1"]),
        ([[], []], [[[]]]),
        ("AQID", b"\1\2\3"),
        ("true", True),
        ("[1]", [1.0]),
        ({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 1.0}),
        ("é", "e\u0301"),
        (1e300, float("inf")),
        (2.0**53, 2.0**53 + 2),
        ("a\0", "a"),
    ],
)
@pytest.mark.parametrize("definition", [_DEFINITION, None], ids=["declared", "undeclared"])
def test_values_that_look_alike_are_told_apart(
    desk: FreshDesk, one: object, other: object, definition: object
) -> None:
    """Two values that some encoding would take for one give two digests."""
    digests = [
        desk.digests(document({"r1": {"a": value, "b": "x"}}, definition))["t"]
        for value in (one, other)
    ]
    assert digests[0] != digests[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"r1": {"a": "x"}}, {"r1": {"b": "x"}}),
        ({"r1": {"a": "x"}, "r2": {"a": "y"}}, {"r1": {"a": "y"}, "r2": {"a": "x"}}),
        ({"r1": {"a": "x"}}, {"r2": {"a": "x"}}),
        ({"r1": {"a": "xy", "b": ""}}, {"r1": {"a": "x", "b": "y"}}),
        ({"r1": {"a": "x"}}, {"r1": {"a": "x"}, "r2": {}}),
        ({"r1": {"a": "x"}}, {"r1": {"a": "x", "undeclared": None}}),
        ({"r1": {"a": "x"}}, {"r1": {"a": "x", "id": "other"}}),
        ({"r1": {}}, {"r1": []}),
        ({str(n): {} for n in range(1000)}, {str(n): {} for n in range(1001)}),
    ],
)
def test_places_are_told_apart(desk: FreshDesk, one: Content, other: Content) -> None:
    """The same values in another row, field or number of rows give another digest."""
    digests = [desk.digests(_with_rows(content))["t"] for content in (one, other)]
    assert digests[0] != digests[1]


def _with_rows(content: dict[str, Any]) -> bytes:
    """As ``document``, with rows that may be no objects, written as plain JSON."""
    doc: Doc[Any] = Doc()
    doc.get("tables", type=Map)["t"] = Map(content)
    doc.get("definition", type=Map)["tables"] = Map({"t": _DEFINITION})
    return doc.get_update()


@pytest.mark.parametrize(
    "changed",
    [
        None,
        {**_DEFINITION, "name": "Another"},
        {**_DEFINITION, "icon": "📝"},
        {"name": "T", "fields": {"a": {"type": "json", "nullable": True}}},
        {"name": "T", "fields": {**_DEFINITION["fields"], "a": {"type": "text"}}},  # type: ignore[dict-item]
        {
            "name": "T",
            "fields": {
                **_DEFINITION["fields"],  # type: ignore[dict-item]
                "a": {"type": "json", "nullable": True, "options": ["x"]},
            },
        },
    ],
)
def test_definition_matters_even_without_rows(desk: FreshDesk, changed: object) -> None:
    """A definition that changed, alone, changes the digest of its table."""
    content = {"r1": {"a": "x"}}
    was, now = (desk.digests(document(content, it)) for it in (_DEFINITION, changed))
    assert was["t"] != now["t"]
    assert was["other"] == now["other"]
