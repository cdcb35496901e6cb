"""Field definitions of every shape."""

from typing import Any

import pytest
from pycrdt import Array, Map, Text

from sidecar.document.definitions import KNOWN_TYPES
from sidecar.model import FieldDefinition, Problem, Table, TableDefinition
from tests.support.made import decoded, tables, update


def table(definition: Any, **roots: Any) -> Table:
    """Decode a document whose table t is defined so, under ``definition``."""
    data = update(definition={"tables": Map({"t": definition})}, **roots)
    return decoded(data, lambda w: next(table for table in w.tables if table.name == "t"))


def fields(**declared: Any) -> tuple[FieldDefinition, ...]:
    """Return the fields of a table that declares these."""
    declaration = table({"fields": declared}).declared
    assert declaration is not None
    return declaration


def problems(found: Table) -> list[tuple[str | None, str]]:
    """Return field and kind of each problem of a table."""
    assert all((problem.table, problem.rows) == ("t", 0) for problem in found.problems)
    return [(problem.field, problem.kind) for problem in found.problems]


@pytest.mark.parametrize("kind", KNOWN_TYPES)
@pytest.mark.parametrize("nullable", [True, False, None, "yes"])
def test_every_type_and_its_nullability(kind: str, nullable: Any) -> None:
    """Nullable only with ``true``; rich text always."""
    (field,) = fields(f={"type": kind, "nullable": nullable})
    assert field == FieldDefinition("f", kind, nullable is True or kind == "richtext")


def test_labels_and_options_are_kept() -> None:
    """For people; texts as they are, anything else as JSON."""
    definition = {
        "name": "Things",
        "description": Text("All of them"),
        "icon": None,
        "fields": Map(
            {"f": {"type": "tags", "name": 5, "icon": {"b": 1, "a": 2}, "options": ["x"]}}
        ),
    }
    found = table(Map(definition)).definition
    assert found is not None
    assert (found.label, found.description, found.icon) == ("Things", "All of them", None)
    assert found.fields == (
        FieldDefinition("f", "tags", label="5", icon='{"a":2,"b":1}', options=["x"]),
    )


@pytest.mark.parametrize("depth", range(4))
def test_any_level_may_be_shared_or_plain(depth: int) -> None:
    """Maps down to some level, plain JSON below it: the same definition."""
    levels: Any = {"type": "integer", "nullable": True}
    for level, name in enumerate(("n", "fields", "t", "tables")):
        levels = {name: Map(levels) if 3 - level < depth else levels}
    found = decoded(update(definition=levels), lambda workspace: workspace.tables[0].definition)
    plain = {"fields": {"n": {"type": "integer", "nullable": True}}}
    assert found == TableDefinition((FieldDefinition("n", "integer", nullable=True),), plain)


@pytest.mark.parametrize("wrong", [None, "text", 5, True, ["id"], Array(["x"])])
def test_a_definition_that_is_no_map_is_none(wrong: Any) -> None:
    """A problem, and the columns are those of the rows."""
    found = table(wrong, tables=tables(t={"a": {"x": 1}}))
    assert (found.declared, found.fields) == (None, ("x",))
    assert problems(found) == [(None, "definition")]


@pytest.mark.parametrize("wrong", [None, "text", 5, ["id"]])
def test_fields_that_are_no_map_are_none(wrong: Any) -> None:
    """The labels of the table stay."""
    found = table({"name": "Things", "fields": wrong}, tables=tables(t={"a": {"x": 1}}))
    assert (found.declared, found.fields) == (None, ("x",))
    assert found.definition is not None
    assert found.definition.label == "Things"
    assert problems(found) == [(None, "definition")]


def test_an_empty_definition_says_nothing_and_is_not_wrong() -> None:
    """Hosts write `{}` after a normal create."""
    found = table({}, tables=tables(t={"a": {"x": 1}}))
    assert (found.declared, found.fields, problems(found)) == (None, ("x",), [])


def test_no_fields_are_a_declaration() -> None:
    """All fields of the rows are undeclared then."""
    found = table({"fields": {}}, tables=tables(t={"a": {"x": 1}}))
    assert (found.declared, found.fields, problems(found)) == ((), (), [])


@pytest.mark.parametrize("wrong", [None, "integer", 5, ["integer"]])
def test_a_field_that_is_no_map_is_a_text(wrong: Any) -> None:
    """A problem; the other fields are not affected."""
    found = table({"fields": {"f": wrong, "n": {"type": "integer"}}})
    assert found.declared == (FieldDefinition("f", None), FieldDefinition("n", "integer"))
    assert problems(found) == [("f", "definition")]


@pytest.mark.parametrize("kind", [None, "", "Text", "relation", 5, ["text"], {"a": 1}])
def test_a_type_that_is_unknown(kind: Any) -> None:
    """A problem, for every unknown type."""
    found = table({"fields": {"f": {"type": kind}}})
    (field,) = found.declared or ()
    assert field.type == (kind if isinstance(kind, str) else None)
    assert problems(found) == [("f", "definition")]


def test_the_newer_root_wins() -> None:
    """Tables of both roots; `definition` where both define one."""
    old = {"tables": {"t": {"fields": {"a": {"type": "text"}}}, "u": {"fields": {}}}}
    new = {"tables": {"t": {"fields": {"b": {"type": "text"}}}}}
    found = decoded(
        update(schema=old, definition=new),
        lambda workspace: {table.name: table.fields for table in workspace.tables},
    )
    assert found == {"t": ("b",), "u": ()}


@pytest.mark.parametrize("wrong", ["text", 5, [1], True])
def test_a_root_whose_tables_are_no_map(wrong: Any) -> None:
    """A problem of the document as a whole; the other root still counts."""
    data = update(definition={"tables": wrong}, schema={"tables": {"t": {"fields": {}}}})
    names, told = decoded(data, lambda w: ([table.name for table in w.tables], w.problems))
    assert names == ["t"]
    assert told == (Problem(None, None, "definition", detail="definition.tables is no map"),)


def test_a_definition_that_nests_too_deep_is_none() -> None:
    """As if it were null; nothing is raised."""
    deep: Any = {}
    for _ in range(600):
        deep = {"deep": deep}
    assert problems(table(deep)) == [(None, "definition")]
