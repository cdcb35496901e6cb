"""Roots of no known layout: a table, a group, settings, or a list, by their content."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from sidecar.document.decode import decode
from sidecar.model import Root
from sidecar.reference.document import read_reference
from tests.support.made import content
from tests.support.shown import Rows, document, listed, problems, rows_of, shown


def m(**entries: Any) -> Map[Any]:
    """Return a shared map."""
    return Map(entries)


ZERO = "0" * 10
A, B = {"x": 1.0}, {"x": 2.0}
NINE = {f"r{n}": {"x": float(n)} for n in range(9)}
NINE_ROWS: Rows = {f"r{n}": {"x": n} for n in range(9)}


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({"a": m(x=1.0)}, {"root": {"a": {"x": 1}}}),
        ({"a": A, "b": m(x=2.0)}, {"root": {"a": {"x": 1}, "b": {"x": 2}}}),
        ({"a": A, "b": {}}, {"root": {"a": {"x": 1}, "b": {}}}),
        ({"a": A, "b": Map()}, {"root": {"a": {"x": 1}, "b": {}}}),
        ({"a": Map(), "b": {}}, {"root": {"a": {}, "b": {}}}),
        ({"a": m(x=None)}, {"root": {"a": {}}}),
        ({"a": m(x=m(y=1.0), z=1.0)}, {"root": {"a": {"x": {"y": 1}, "z": 1}}}),
        ({**NINE, "bad": 5.0}, {"root": {**NINE_ROWS, "bad": {"_extra": [5]}}}),
        (
            {**NINE, "empty": {}, "bad": 5.0},
            {"root": {**NINE_ROWS, "empty": {}, "bad": {"_extra": [5]}}},
        ),
    ],
)
def test_a_map_of_rows_is_a_table(root: dict[str, Any], expected: dict[str, Rows]) -> None:
    """If every non-empty value is a row, or nine in ten of eight or more."""
    assert shown(document(root=Map(root))) == expected


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({"a": 1.0, "b": "x"}, {"root": {"a": {"value": 1}, "b": {"value": "x"}}}),
        ({"a": None}, {"root": {"a": {}}}),
        ({"a": A, "b": 5.0}, {"root": {"a": {"value": {"x": 1}}, "b": {"value": 5}}}),
        (
            {**{f"r{n}": A for n in range(6)}, "bad": 5.0},
            {"root": {**{f"r{n}": {"value": {"x": 1}} for n in range(6)}, "bad": {"value": 5}}},
        ),
        ({"a": {"b": {"c": 1.0}}}, {"root": {"a": {"value": {"b": {"c": 1}}}}}),
        ({"a": m(b=1.0), "c": 1.0}, {"root": {"a": {"value": {"b": 1}}, "c": {"value": 1}}}),
        ({"a": Text("words")}, {"root": {"a": {"value": "words"}}}),
        ({"a": Array([A])}, {"root": {"a": {"value": [{"x": 1}]}}}),
    ],
)
def test_any_other_map_is_settings(root: dict[str, Any], expected: dict[str, Rows]) -> None:
    """One row per key, also if a few of its values look like rows; plain objects are not split."""
    assert shown(document(root=Map(root))) == expected


def test_a_group_shows_each_of_its_maps() -> None:
    """As tables, groups and settings; values that are not maps are the group's settings."""
    data = document(
        app=m(
            notes=m(n1=m(title="One"), n2=m(title="Two")),
            config=m(theme="dark", size=12.0),
            empty=Map(),
            deep=m(inner=m(r=m(x=1.0)), list=Array(["a"])),
            version=3.0,
            author=A,
        )
    )
    assert shown(data) == {
        "notes": {"n1": {"title": "One"}, "n2": {"title": "Two"}},
        "config": {"theme": {"value": "dark"}, "size": {"value": 12}},
        "inner": {"r": {"x": 1}},
        "deep": {"list": {"value": ["a"]}},
        "app": {"version": {"value": 3}, "author": {"value": {"x": 1}}},
    }


def test_a_map_of_maps_of_rows_is_a_group_and_a_map_of_rows_of_maps_is_none() -> None:
    """A map inside a row stays in its cell."""
    data = document(app=m(t=m(r=m(x=m(y=m(z=1.0)), n=1.0))))
    assert shown(data) == {"t": {"r": {"n": 1, "x": {"y": {"z": 1}}}}}


@pytest.mark.parametrize("depth", [600, 3000])
def test_groups_may_nest_deeper_than_python(depth: int) -> None:
    """Each level is a group of one; the innermost map is the row of a table."""
    top: Map[Any] = Map()
    data_root, at = top, top
    from pycrdt import Doc  # noqa: PLC0415 - built level by level

    doc: Doc[Any] = Doc(client_id=1)
    doc["root"] = data_root
    with doc.transaction():
        for level in range(depth):
            at[f"k{level}"] = Map()
            at = at[f"k{level}"]
        at["x"] = 1.0
    assert shown(doc.get_update()) == {f"k{depth - 2}": {f"k{depth - 1}": {"x": 1}}}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (
            [A, m(x=2.0)],
            {"0000000000": {"_position": 0, "x": 1}, "0000000001": {"_position": 1, "x": 2}},
        ),
        ([{"id": "b"}, {"id": "a"}], {"a": {"_position": 1}, "b": {"_position": 0}}),
        (
            ["p", 5.0],
            {
                "0000000000": {"_position": 0, "value": "p"},
                "0000000001": {"_position": 1, "value": 5},
            },
        ),
        ([None], {"0000000000": {"_position": 0}}),
        (
            [{"value": "its own"}, 5.0],
            {
                "0000000000": {"_position": 0, "_extra": {"value": "its own"}},
                "0000000001": {"_position": 1, "value": 5},
            },
        ),
        ([{"value": "its own"}], {"0000000000": {"_position": 0, "value": "its own"}}),
        (
            [{"_position": "first"}],
            {"0000000000": {"_position": 0, "_extra": {"_position": "first"}}},
        ),
        (
            [{"id": "a"}, {"id": "a"}, {"id": 5.0}, {"id": None}],
            {
                "a": {"_position": 0},
                "0000000001": {"_position": 1, "_extra": {"id": "a"}},
                "0000000002": {"_position": 2, "_extra": {"id": 5}},
                "0000000003": {"_position": 3},
            },
        ),
        (
            [{"id": "0000000001"}, {"n": 1.0}, {"id": "0000000001_2"}],
            {
                "0000000001": {"_position": 0},
                "0000000001_2": {"_position": 1, "n": 1},
                "0000000002": {"_position": 2, "_extra": {"id": "0000000001_2"}},
            },
        ),
        ([{"key": "a", "val": {"x": 1.0}}, {"key": "a", "val": {"x": 2.0}}], {"a": {"x": 2}}),
        (
            [
                {"key": "a", "val": {"x": 1.0}, "ts": 2.0},
                {"key": "a", "val": {"x": 2.0}, "ts": 1.0},
            ],
            {"a": {"x": 1}},
        ),
        ([m(key="a", val="dark")], {"a": {"value": "dark"}}),
        (
            [{"key": "a", "val": 1.0, "more": 2.0}],
            {"0000000000": {"_position": 0, "key": "a", "val": 1, "more": 2}},
        ),
        ([{"key": "a"}], {"0000000000": {"_position": 0, "key": "a"}}),
        ([{"key": 1.0, "val": 1.0}], {"0000000000": {"_position": 0, "key": 1, "val": 1}}),
    ],
)
def test_an_array_is_a_table_by_position_id_or_key(elements: list[Any], expected: Rows) -> None:
    """Ids are the elements' own if possible; all elements must be entries for a keyed array."""
    assert shown(document(root=Array(elements))) == {"root": expected}


def test_what_stands_in_the_way_of_our_columns_is_said() -> None:
    """An id that was not used, and a field with a name that we need."""
    data = document(root=Array([{"id": "a"}, {"id": "a", "_position": 7.0}, {"value": 1.0}, "v"]))
    assert problems(data) == [
        ("root", "_position", "name", 1),
        ("root", "id", "id_mismatch", 1),
        ("root", "value", "name", 1),
    ]


def test_texts_stand_with_the_roots() -> None:
    """They have no rows."""
    page = XmlFragment([XmlElement("p", {}, [XmlText("words")])])
    data = document(note=Text("a \U0001f600 b"), page=page)
    assert shown(data) == {}
    assert listed(data) == {
        "note": Root("note", "text", "shape", 0, "a \U0001f600 b"),
        "page": Root("page", "xml", "shape", 0, "<p>words</p>"),
    }


def test_every_root_is_listed() -> None:
    """With its kind and its tables; the kind of an emptied root is unknown."""
    emptied = Map({"a": 1.0})
    from pycrdt import Doc  # noqa: PLC0415 - edited after it was made

    doc: Doc[Any] = Doc(client_id=1)
    doc["emptied"] = emptied
    doc["tables"] = Map({"t": Map({"a": {"n": 1.0}})})
    doc["kv"] = Map({"theme": "dark"})
    doc["table:x"] = Array([{"key": "a", "val": {}, "ts": 1.0}])
    doc["list"] = Array([1.0, 2.0])
    del emptied["a"]
    assert listed(doc.get_update()) == {
        "emptied": Root("emptied", "unknown", None, 0),
        "kv": Root("kv", "map", None, 1),
        "list": Root("list", "array", "shape", 2),
        "table:x": Root("table:x", "array", "keyed_arrays", 1),
        "tables": Root("tables", "map", "maps", 1),
    }


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        ({"tables": Array([A])}, ["tables"]),
        ({"schema": Map({"version": 3.0})}, ["schema"]),
        ({"definition": Array([A])}, ["definition"]),
        ({"table__x": Map({"a": 1.0})}, ["table:x"]),
        ({"kv": Map({"a": 1.0})}, ["kv"]),
        ({"kv": Map({"a": 1.0}), "other": Map({"a": 1.0})}, ["kv", "other"]),
        ({"kv": Map({"a": 1.0}), "tables": Map({"t": A})}, ["t"]),
        ({"schema": Map({"version": 3.0}), "tables": Map({"t": A})}, ["t"]),
    ],
)
def test_a_name_alone_makes_no_layout(roots: dict[str, Any], expected: list[str]) -> None:
    """A root of a known name and another kind is read by its shape, so that nothing is lost."""
    assert sorted(shown(document(**roots))) == expected


def test_two_tables_of_one_name_take_their_paths() -> None:
    """Both of them; the others keep the last name of theirs."""
    data = document(left=m(notes=m(a=m(x=1.0)), tags=m(a=m(x=1.0))), right=m(notes=m(b=m(x=2.0))))
    assert sorted(shown(data)) == ["left.notes", "right.notes", "tags"]


def test_a_root_with_entries_and_elements_shows_both() -> None:
    """As after two versions of an app with different types; neither half is lost."""
    from pycrdt import Doc  # noqa: PLC0415 - two documents, merged

    one: Doc[Any] = Doc(client_id=1)
    two: Doc[Any] = Doc(client_id=2)
    one["root"], two["root"] = Map({"a": 1.0}), Array(["x"])
    one.apply_update(two.get_update())
    from sidecar.document.decode import decode  # noqa: PLC0415
    from tests.support.made import content  # noqa: PLC0415
    from tests.support.shown import rows_of  # noqa: PLC0415

    with decode(content(one.get_update()), accept_trailing=False) as workspace:
        assert [rows_of(table) for table in workspace.tables] == [
            {"a": {"value": 1}},
            {"0000000000": {"_position": 0, "value": "x"}},
        ]


def test_the_store_of_tinybase_is_known() -> None:
    """Its tables by their names, however few rows they have, and its values as settings."""
    data = document(
        store=m(t=m(pets=m(fido=m(species="dog")), odd=m(r=m(x=m(y=1.0)))), v=m(open=True))
    )
    assert shown(data) == {
        "odd": {"r": {"x": {"y": 1}}},
        "pets": {"fido": {"species": "dog"}},
        "v": {"open": {"value": True}},
    }
    assert listed(data)["store"].layout == "tinybase"


def test_a_map_with_more_than_that_is_no_store() -> None:
    """Exactly `t` and `v`, both maps."""
    data = document(store=m(t=m(r=m(x=1.0)), v=Map(), more=1.0))
    assert sorted(shown(data)) == ["store", "t"]


def test_elements_beside_the_tables_are_shown() -> None:
    """If the root `tables` was also opened as an array."""
    from pycrdt import Doc  # noqa: PLC0415 - two documents, merged

    one: Doc[Any] = Doc(client_id=1)
    two: Doc[Any] = Doc(client_id=2)
    one["tables"], two["tables"] = Map({"t": m(r=m(x=1.0))}), Array(["kept"])
    one.apply_update(two.get_update())
    assert shown(one.get_update()) == {
        "t": {"r": {"x": 1}},
        "tables": {"0000000000": {"_position": 0, "value": "kept"}},
    }


def mixed(*roots: Any) -> bytes:
    """Return a document in which these shared types, each of its own writer, are one root ``x``."""
    doc: Doc[Any] = Doc()
    for client, root in enumerate(roots, 1):
        writer: Doc[Any] = Doc(client_id=client)
        writer["x"] = root
        doc.apply_update(writer.get_update())
    return doc.get_update()


@pytest.mark.parametrize(
    ("roots", "kind", "text", "rows"),
    [
        (
            [Text("h🌱i"), Array([{"a": 1.0}, 5.0])],
            "text",
            "h🌱i",
            [{"0000000000": {"_position": 0, "a": 1}, "0000000001": {"_position": 1, "value": 5}}],
        ),
        (
            [Text("hi"), Array([Map({"id": "m", "q": 1.0})])],
            "text",
            "hi",
            [{"m": {"_position": 0, "q": 1}}],
        ),
        ([Text("hi"), Array([{"key": "k", "val": {"n": 1.0}}])], "text", "hi", [{"k": {"n": 1}}]),
        (
            [Text("hi"), Array([b"\x01"])],
            "text",
            "hi",
            [{ZERO: {"_position": 0, "value": b"\x01"}}],
        ),
        (
            [Text("hi"), Array([1.0]), Map({"k": True})],
            "map",
            "hi",
            [{"k": {"value": True}}, {ZERO: {"_position": 0, "value": 1}}],
        ),
        (
            [Text("hi"), XmlFragment([XmlElement("p")])],
            "text",
            "hi",
            [{ZERO: {"_position": 0, "value": "<p></p>"}}],
        ),
        (
            [XmlFragment([XmlElement("p")]), Map({"k": True})],
            "map",
            "<p></p>",
            [{"k": {"value": True}}],
        ),
        (
            [XmlFragment([XmlElement("p")]), Array([{"id": "a"}])],
            "array",
            None,
            [{ZERO: {"_position": 0, "value": "<p></p>"}, "a": {"_position": 1}}],
        ),
        ([Text("hi"), Map({"k": True})], "map", "hi", [{"k": {"value": True}}]),
        ([Text("hi"), Text("ho")], "text", "hiho", []),
    ],
)
def test_a_root_that_was_opened_in_two_ways_shows_both(
    roots: list[Any], kind: str, text: str | None, rows: list[dict[str, Any]]
) -> None:
    """Letters are in the text, and whatever no text shows is in a table; on both roads."""
    data = mixed(*roots)
    with decode(content(data), accept_trailing=False) as workspace:
        (root,) = workspace.roots
        assert (root.kind, root.text, workspace.problems) == (kind, text, ())
        assert [rows_of(table) for table in workspace.tables] == rows
    assert [len(list(table.rows())) for table in read_reference(data)] == list(map(len, rows))


def test_strings_among_letters_are_a_problem() -> None:
    """The decoder gives both alike; all else is shown, and the mirror is not whole."""
    data = mixed(Array(["a", "long", 1.0]), Text("words"))
    with decode(content(data), accept_trailing=False) as workspace:
        assert [rows_of(table) for table in workspace.tables] == [
            {ZERO: {"_position": 0, "value": 1}}
        ]
        (problem,) = workspace.problems
        assert problem.kind == "unreadable"
        assert (
            problem.detail == "in the root x: strings of an array among the letters of a text (2)"
        )
