"""`--tables`: tables are given by patterns, not found by shape."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text

from sidecar.document.patterns import parse_pattern
from sidecar.reference.document import read_reference
from sidecar.reference.shapes import ANY, split
from tests.support.shown import document, listed, problems, shown


def m(**entries: Any) -> Map[Any]:
    """Return a shared map."""
    return Map(entries)


def app() -> bytes:
    """Return a document with something of everything."""
    return document(
        app=Map(
            {
                "notes": m(a=m(x=1.0), b=5.0),
                "empty": Map(),
                "config": m(theme="dark"),
                "v1.0": m(a=m(x=2.0)),
                "version": 3.0,
                "list": Array([m(id="one")]),
            }
        ),
        blocks=m(b1=m(x=1.0)),
        words=Text("hello"),
        tables=m(t=m(r=m(n=1.0))),
        kv=m(theme="dark"),
    )


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("notes", ("notes",)),
        ("a.b.c", ("a", "b", "c")),
        ("a.*", ("a", None)),
        ("*", (None,)),
        (r"a\.b.c", ("a.b", "c")),
        (r"\*", ("*",)),
        ("a*.b", ("a*", "b")),
        ("*a.**", ("*a", "**")),
        (r"a\\.b", ("a\\", "b")),
        ("a..b", ("a", "", "b")),
        ("a.", ("a", "")),
        ("a\\", ("a\\",)),
        ("a\nb.\U0001f600", ("a\nb", "\U0001f600")),
    ],
)
def test_patterns_are_paths(text: str, steps: tuple[str | None, ...]) -> None:
    """The program and the reference split them in the same way."""
    assert parse_pattern(text) == steps
    assert split(text) == tuple(ANY if step is None else step for step in steps)


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["none"], {}),
        (["blocks"], {"blocks": {"b1": {"x": 1}}}),
        (["app.notes"], {"notes": {"a": {"x": 1}, "b": {"_extra": [5]}}}),
        (["app.empty"], {"empty": {}}),
        (["app.nothing", "nowhere"], {"nothing": {}, "nowhere": {}}),
        (["app.config"], {"config": {"theme": {"value": "dark"}}}),
        ([r"app.v1\.0"], {"v1.0": {"a": {"x": 2}}}),
        (["app.list"], {"list": {"one": {"_position": 0}}}),
        (["kv"], {"kv": {"theme": {"value": "dark"}}}),
        (["words"], {"words": {}}),
        (["tables", "tables.t", "table:x"], {}),
        (
            ["*"],
            {"app": {"empty": {}, "notes": {"a": {"x": 1}, "b": 5}}, "blocks": {"b1": {"x": 1}}},
        ),
    ],
)
def test_exactly_what_is_named_is_shown(tables: list[str], expected: dict[str, Any]) -> None:
    """Beside the known layouts, with any content, and empty ones too."""
    found = shown(app(), tables)
    assert found.pop("t") == {"r": {"n": 1}}
    if tables == ["*"]:
        found["app"] = {"empty": found["app"]["empty"], "notes": found["app"]["notes"]}
    assert found == expected


def test_a_star_is_one_step_to_what_can_hold_rows() -> None:
    """Maps and arrays, empty ones too; not the number beside them."""
    assert sorted(shown(app(), ["app.*"])) == ["config", "empty", "list", "notes", "t", "v1.0"]


def test_settings_of_no_known_layout_stay_when_they_are_emptied() -> None:
    """A star names ``kv`` like any root, but beside the known layouts; both roads."""
    doc: Doc[Any] = Doc()
    doc["kv"] = Map({"a": 1.0})
    doc["kv"].clear()
    data = doc.get_update()
    assert shown(data, ["*"]) == {"kv": {}}
    assert [table.name for table in read_reference(data, ["*"])] == ["kv"]


def test_what_can_hold_no_rows_is_said() -> None:
    """The table exists, as requested, with a problem."""
    assert problems(app(), ["app.version", "words"]) == [
        ("version", None, "not_a_table", 0),
        ("words", None, "not_a_table", 0),
    ]


def test_auto_is_the_guess() -> None:
    """``auto`` and no option find tables by shape."""
    assert shown(app(), ["auto"]) == shown(app())


def test_roots_that_are_not_named_are_listed_only() -> None:
    """The known layouts are still shown."""
    found = listed(app(), ["blocks"])
    assert {name: root.layout for name, root in found.items()} == {
        "app": None,
        "blocks": "shape",
        "kv": None,
        "tables": "maps",
        "words": None,
    }


@pytest.mark.parametrize(
    "tables",
    [["none"], ["*"], ["app.*"], ["app.notes", "app.*"], ["nowhere"], ["kv"], ["words", "blocks"]],
)
def test_both_roads_name_the_same_tables(tables: list[str]) -> None:
    """The reference finds what the mirror shows."""
    told = {table.name: len(list(table.rows())) for table in read_reference(app(), tables)}
    assert told == {name: len(rows) for name, rows in shown(app(), tables).items()}
