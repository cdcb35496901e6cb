"""Strategies for documents: tables, rows and cells of all kinds, edited by several clients."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from tests.support.examples import examples

SETTINGS = examples(
    int(os.environ.get("FIDELITY_EXAMPLES", "300")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Ten minutes, from the project's folder: ``FIDELITY_EXAMPLES=26000 .venv/bin/python -m pytest
--timeout 0 --hypothesis-profile many -k shown_as_read tests/fidelity``.
"""

CLIENTS = 3
TYPES = (
    *("id", "text", "ytext", "richtext", "integer", "real", "boolean", "date", "select"),
    *("tags", "json", "currency"),
)
_NAMES = ("a", "b", "ü", 'q"uote', "two words", "", "NULL", "rowid", "__proto__", "🦜")
_BENT = ("A", "ID", "_extra", "_Extra", "nul\0", "nul\ufffd", "a_2", "_mirror", "sqlite_x")
_KEYS = ("r1", "r2", "r3", "", "nul\0", "Ä", "it's", "R1")
_TABLES = ("t", "T", 'table "u"', "sqlite_x", "_mirror", "k")
_NUMBERLIKE = ("007", "1e3", " 7 ", "0x10", "-0", "1_0", "7.", ".5", "5e", "+1", "9" * 25, "1e999")

Edit = tuple[Any, ...]
"""A client, one of the functions below, and its arguments."""

Spec = tuple[str, Any]
"""How a cell is made: a word and plain data, so that each use makes its own shared type."""


class Crowd:
    """Several clients, each with a document of its own, who exchange updates now and then."""

    def __init__(self) -> None:
        self.docs: list[Doc[Any]] = [Doc(client_id=index + 1) for index in range(CLIENTS)]

    def play(self, script: Sequence[Edit]) -> None:
        """Carry out edits in their order, each by its client."""
        for client, action, *arguments in script:
            action(self, self.docs[client], *arguments)

    def merged(self, order: Sequence[int]) -> bytes:
        """Give the update of a new document that took everyone's state in the given order."""
        doc: Doc[Any] = Doc(client_id=99)
        for client in order:
            doc.apply_update(self.docs[client].get_update())
        return doc.get_update()


def make(spec: Spec) -> Any:
    """Make the value of a cell."""
    kind, data = spec
    makers: dict[str, Callable[[Any], Any]] = {
        "plain": lambda value: value,
        "text": Text,
        "array": Array,
        "map": Map,
        "nested": lambda text: Array([Map({"text": Text(text), "list": Array([1.0])}), text]),
    }
    return makers[kind](data)


def table_of(doc: Doc[Any], name: str) -> Any:
    """Give a table's map, made anew where there is none."""
    tables = doc.get("tables", type=Map)
    if not isinstance(tables.get(name), Map):
        tables[name] = Map({})
    return tables[name]


def set_row(_crowd: Crowd, doc: Doc[Any], table: str, key: str, row: dict[str, Spec]) -> None:
    """Write a whole row as a shared map."""
    table_of(doc, table)[key] = Map({field: make(spec) for field, spec in row.items()})


def set_plain_row(_crowd: Crowd, doc: Doc[Any], table: str, key: str, row: Any) -> None:
    """Write a whole row as plain JSON, which may be no object."""
    table_of(doc, table)[key] = row


def set_cell(_crowd: Crowd, doc: Doc[Any], table: str, key: str, field: str, spec: Spec) -> None:
    """Write one cell of a row that is a shared map; others get such a row first."""
    rows = table_of(doc, table)
    if not isinstance(rows.get(key), Map):
        rows[key] = Map({"id": key})
    rows[key][field] = make(spec)


def delete(_crowd: Crowd, doc: Doc[Any], *path: str) -> None:
    """Delete the table, row or cell at a path, if it is there."""
    place: Any = doc.get("tables", type=Map)
    *way, last = path
    for step in way:
        place = place.get(step) if isinstance(place, Map) else None
    if isinstance(place, Map) and last in place:
        del place[last]


def define(
    _crowd: Crowd, doc: Doc[Any], root: str, table: str, fields: dict[str, dict[str, Any]]
) -> None:
    """Define a table, as plain JSON below a shared map."""
    definitions = doc.get(root, type=Map)
    if "tables" not in definitions:
        definitions["tables"] = Map({})
    definitions["tables"][table] = {"name": table, "fields": fields}


def define_badly(_crowd: Crowd, doc: Doc[Any], table: str, definition: Any) -> None:
    """Put anything in the place of a definition."""
    define(_crowd, doc, "definition", table, {})
    doc.get("definition", type=Map)["tables"][table] = definition


def set_table(_crowd: Crowd, doc: Doc[Any], table: str, value: Any) -> None:
    """Put plain JSON in the place of a table, which may be no object."""
    doc.get("tables", type=Map)[table] = value


def undefine(_crowd: Crowd, doc: Doc[Any], table: str) -> None:
    """Take a definition away."""
    tables = doc.get("definition", type=Map).get("tables")
    if tables is not None and table in tables:
        del tables[table]


def add_entry(_crowd: Crowd, doc: Doc[Any], name: str, entry: Any) -> None:
    """Append to a keyed array."""
    doc.get(f"table:{name}", type=Array).append(entry)


def merge(crowd: Crowd, doc: Doc[Any], other: int) -> None:
    """Take in everything another client has."""
    doc.apply_update(crowd.docs[other].get_update())


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(_NUMBERLIKE)
_numbers = (
    st.integers(-(2**53), 2**53).map(float)
    | st.floats()
    | st.sampled_from([0.0, -0.0, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63), 1e300, 5e-324])
)
_leaves = st.none() | st.booleans() | _numbers | texts
plain = st.recursive(
    _leaves | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
cells: st.SearchStrategy[Spec] = (
    st.tuples(st.just("plain"), plain)
    | st.tuples(st.just("text"), texts)
    | st.tuples(st.just("array"), st.lists(plain, max_size=3))
    | st.tuples(st.just("map"), st.dictionaries(texts, plain, max_size=3))
    | st.tuples(st.just("nested"), texts)
)
_fields = st.dictionaries(
    st.sampled_from((*_NAMES, *_BENT)),
    st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional={"nullable": st.booleans()}),
    max_size=5,
)
_bad_definitions = st.fixed_dictionaries(
    {}, optional={"name": plain, "fields": st.dictionaries(st.sampled_from(_NAMES), plain) | plain}
)
rows = st.dictionaries(st.sampled_from((*_NAMES, *_BENT, "id")), cells, max_size=4)
_table, _key, _name = (
    st.sampled_from(_TABLES),
    st.sampled_from(_KEYS),
    st.sampled_from((*_NAMES, *_BENT)),
)
_client = st.integers(0, CLIENTS - 1)
_entry = st.fixed_dictionaries(
    {}, optional={"key": _key, "val": plain, "ts": st.integers(0, 3) | st.floats() | texts}
)
edits: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(_client, st.just(set_row), _table, _key, rows)
    | st.tuples(_client, st.just(set_plain_row), _table, _key, plain)
    | st.tuples(_client, st.just(set_cell), _table, _key, _name, cells)
    | st.tuples(_client, st.just(delete), _table, _key, _name)
    | st.tuples(_client, st.just(delete), _table, _key)
    | st.tuples(_client, st.just(delete), _table)
    | st.tuples(
        _client, st.just(define), st.sampled_from(["definition", "schema"]), _table, _fields
    )
    | st.tuples(_client, st.just(define_badly), _table, plain | _bad_definitions)
    | st.tuples(_client, st.just(set_table), _table, plain)
    | st.tuples(_client, st.just(undefine), _table)
    | st.tuples(_client, st.just(add_entry), st.sampled_from(["k", "keyed 2"]), plain | _entry)
    | st.tuples(_client, st.just(merge), _client),
    max_size=25,
)
