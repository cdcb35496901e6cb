"""The two layouts of tables, and roots that are not tables."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text

from sidecar.document.roots import names_of_arrays
from sidecar.model import Problem, Workspace
from sidecar.yjs.normalize import normalize
from tests.support.data import DOCUMENTS
from tests.support.made import chunks_of, decoded, tables, update

DEFINED = {"tables": {"t": {"fields": {"n": {"type": "integer"}}}}}


def found(data: bytes) -> list[tuple[str, str, bool]]:
    """Return name, layout and whether it is declared of every table."""
    return decoded(data, lambda w: [(t.name, t.layout, t.definition is not None) for t in w.tables])


def layouts(data: bytes) -> tuple[str, ...]:
    """Return the layouts that a document is recognised to have."""
    return decoded(data, lambda workspace: workspace.layouts)


def entry(key: Any, ts: Any, val: Any = None) -> dict[str, Any]:
    """Return one entry of a keyed array."""
    return {"key": key, "ts": ts, "val": val}


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        ({}, ()),
        ({"kv": {"a": 1}}, ("shape",)),
        ({"kv": {"a": 1}, "table__x": [entry("k", 1)]}, ("keyed_arrays",)),
        ({"table__x": [entry("r:a", 1, 5)]}, ("cells",)),
        ({"store": {"t": Map({}), "v": Map({})}}, ("tinybase",)),
        ({"notes": [1], "tables": {"t": Map({"a": 1})}}, ("maps", "shape")),
        ({"tables": {"t": Map({"a": 1})}}, ("maps",)),
        ({"definition": {"tables": {}}}, ("maps",)),
        ({"schema": {"tables": {}}}, ("maps",)),
        ({"table__x": [entry("k", 1)]}, ("keyed_arrays",)),
        ({"table__x": [entry("k", 1)], "tables": {"t": Map({"a": 1})}}, ("maps", "keyed_arrays")),
        ({"tables": {"t": Map({"a": "table:x"})}}, ("maps",)),
    ],
)
def test_layouts_are_told_by_the_roots(roots: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Only exact names and kinds of roots count."""
    assert layouts(update(**roots)) == expected


def test_tables_of_maps() -> None:
    """Defined or with rows, sorted by name; an empty undeclared map is not a table."""
    data = update(definition=DEFINED, tables={**tables(z={"a": {}}, y={"a": {}}), "empty": Map({})})
    assert found(data) == [("t", "maps", True), ("y", "maps", False), ("z", "maps", False)]


@pytest.mark.parametrize(
    ("value", "detail"),
    [("text", '"text"'), (5, "5"), ([1, 2], "[1,2]"), (Array([{"id": "r"}]), '[{"id":"r"}]')],
)
def test_a_table_that_is_no_map(value: Any, detail: str) -> None:
    """It has no rows, and a problem with its kind."""
    data = update(tables={"t": value})
    assert found(data) == [("t", "maps", False)]
    problems = decoded(data, lambda workspace: workspace.tables[0].problems)
    assert problems == (Problem("t", None, "not_a_table", detail=detail),)


def test_a_table_may_be_a_plain_object() -> None:
    """Its values are rows as well."""
    (chunk,) = chunks_of(update(tables={"t": {"b": {"n": 2.0}, "a": {"n": 1.0}}}), "t")
    assert (chunk.ids, chunk.columns) == (["a", "b"], [[1, 2]])


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("a", 1, {"v": 1}), entry("a", 2, {"v": 2})], [2]),
        ([entry("a", 2, {"v": 2}), entry("a", 1, {"v": 1})], [2]),
        ([entry("a", 1, {"v": 1}), entry("a", 1, {"v": 2})], [2]),
        ([entry("a", -1, {"v": 1}), entry("a", -2, {"v": 2})], [1]),
        ([entry("a", 1.5, {"v": 1}), entry("a", 1, {"v": 2})], [1]),
        ([entry("b", 1, {"v": 2}), entry("a", 9, {"v": 1})], [1, 2]),
        ([Map(entry("a", 2, {"v": 1})), entry("a", 1, {"v": 2})], [1]),
    ],
)
def test_the_latest_entry_of_a_key_wins(entries: list[Any], expected: list[int]) -> None:
    """The highest `ts`; on a tie the later entry; entries may be maps."""
    (chunk,) = chunks_of(update(table__x=entries), "x")
    assert chunk.columns == [expected]


def test_entries_that_are_none_are_counted() -> None:
    """Entries without a text key or a number `ts`; the others are still rows."""
    bad = ["text", None, {}, entry(1, 1), entry("k", "1"), entry("k", None)]
    bad += [{"key": "k", "ts": True}, entry("k", float("nan"))]
    data = update(table__x=[*bad, entry("good", 1, {"v": 1})])
    (chunk,) = chunks_of(data, "x")
    (problem,) = decoded(data, lambda workspace: workspace.tables[0].problems)
    assert chunk.ids == ["good"]
    assert (problem.kind, problem.rows, problem.field, problem.row_id) == (
        "entry",
        len(bad),
        None,
        None,
    )


def test_letters_beside_entries_are_counted_as_javascript_counts_them() -> None:
    """Somebody opened the root as a text; the decoder's event passes over words of emoji."""
    doc: Doc[Any] = Doc(client_id=9)
    doc.get("table:t", type=Text).insert(0, "🌱🌱")
    doc.apply_update(update(table__t=[entry("k", 1, {"n": 1})]))
    (table,) = decoded(doc.get_update(), lambda w: list(w.tables))
    (problem,) = table.problems
    assert (problem.kind, problem.rows) == ("entry", 4)


def test_an_entry_without_a_value_is_a_row_that_is_none() -> None:
    """Its key and `ts` are valid, so it is a row."""
    (chunk,) = chunks_of(update(table__x=[{"key": "a", "ts": 1}]), "x")
    assert (chunk.ids, chunk.extras) == (["a"], [[None]])


def test_entries_keep_their_order_through_edits() -> None:
    """Inserted in the middle, deleted, pushed in several transactions: the order is that of Yjs."""
    doc: Doc[Any] = Doc(client_id=1)
    doc["table:x"] = array = Array([entry(f"k{n}", 1, {"v": n}) for n in range(5)])
    array.insert(2, entry("k0", 1, {"v": "later"}))
    del array[4]
    array.append(entry("k9", 1, {"v": 9}))
    (chunk,) = chunks_of(doc.get_update(), "x")
    assert dict(zip(chunk.ids, chunk.columns[0], strict=True)) == {
        "k0": "later",
        "k1": 1,
        "k2": 2,
        "k4": 4,
        "k9": 9,
    }


@pytest.mark.parametrize("length", [1, 121, 122, 200, 20_000])
def test_names_of_arrays_may_be_of_any_length(length: int) -> None:
    """For any number of bytes of the encoded length."""
    name = "n" * length
    doc: Doc[Any] = Doc(client_id=1)
    doc[f"table:{name}"] = Array([entry("a", 1, {"v": 1})])
    (chunk,) = chunks_of(doc.get_update(), name)
    assert chunk.ids == ["a"]


def test_many_arrays_and_many_names_that_are_none() -> None:
    """With more texts that look like root names than the search allows, all are still read."""
    texts = {f"r{n}": {"t": f"table:{n}"} for n in range(10_050)}
    data = update(table__x=[entry("a", 1, {"v": 1})], tables=tables(t=texts))
    (chunk,) = chunks_of(data, "x")
    assert chunk.ids == ["a"]
    assert layouts(data) == ("maps", "keyed_arrays")


def test_one_name_in_both_layouts() -> None:
    """Two tables; the definition goes with the map's."""
    data = update(
        definition=DEFINED, tables=tables(t={"a": {"n": 1}}), table__t=[entry("a", 1, {})]
    )
    assert found(data) == [("t", "maps", True), ("t", "keyed_arrays", False)]


def test_a_document_by_yjs_has_both_in_order() -> None:
    """As the committed corpus has them."""

    def look(workspace: Workspace) -> list[str]:
        return [table.name for table in workspace.tables]

    data = (DOCUMENTS / "keyed_arrays.yjs").read_bytes()
    assert decoded(data, look) == ["tasks", "ties"]


@pytest.mark.parametrize("client", [0x1_8765_4321, 2**32 - 1, 0x8765_4321, 0x3FF_FFFF_FFFF])
def test_a_text_like_the_name_of_an_array_is_no_root(client: int) -> None:
    """Keys and texts stand behind ids, whose bytes may look like the marks of a root."""
    doc: Doc[Any] = Doc(client_id=client)
    text = Text("x")
    doc["tables"] = Map({"t": Map({"table:x": 1}), "u": Map({"table:y": 2, "z": text})})
    doc["note"] = note = Text("ab")
    note.insert(1, "table:a")
    note.format(2, 3, {"table:b": True})
    text.insert(1, "table:c")
    found = decoded(doc.get_update(), lambda w: [root.name for root in w.roots])
    assert found == ["note", "tables"]


def test_an_update_that_was_made_plain_has_no_such_texts() -> None:
    """All of its structs have one short client id, by which they cannot be told."""
    doc: Doc[Any] = Doc(client_id=7)
    doc["m"] = Map({"inner": Map({"text": Text("table:a"), "table:b": 1})})
    doc["n"] = Map({"text": Text("table:a")})
    assert names_of_arrays(normalize(doc.get_update()).update) == set()


@pytest.mark.parametrize("client", [1, 9, 2**32 - 1, 0x1_8765_4321, 0x401_2345])
def test_the_name_of_an_array_is_found_wherever_it_stands(client: int) -> None:
    """So that its elements are caught while the update is applied."""
    doc: Doc[Any] = Doc(client_id=client)
    doc["table:first"] = Array([1])
    doc["tables"] = Map({"t": Map({"a": "text \u00c4\u00c4"})})
    doc["table:last"] = Array([2])
    assert names_of_arrays(doc.get_update()) == {"table:first", "table:last"}
