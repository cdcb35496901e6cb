"""Field definitions: what users declared, read with nothing taken for granted."""

from collections.abc import Iterator
from typing import Any

from sidecar.document.extension import Doc, Map, Transaction
from sidecar.document.values import plain
from sidecar.document.xml import TooDeepError, is_object
from sidecar.javascript import dump_json
from sidecar.model import Cell, FieldDefinition, Problem, TableDefinition

ROOTS = ("schema", "definition")
"""Root maps that hold definitions, the one that wins last."""

KNOWN_TYPES = (
    *("id", "text", "ytext", "richtext", "integer", "real"),
    *("boolean", "date", "select", "tags", "json"),
)


Definitions = dict[str, tuple[TableDefinition, tuple[Problem, ...]]]


def read_definitions(doc: Doc, txn: Transaction) -> tuple[Definitions, tuple[Problem, ...]]:
    """Read the definitions of all tables from both roots.

    Any level may be a CRDT map or plain JSON. What is no definition is a problem, and the table
    or field is shown without one; nothing is raised.

    Returns:
        The definitions by table name, and the problems of no single table.
    """
    found: dict[str, Cell] = {}
    problems: list[Problem] = []
    for root in ROOTS:
        tables = _get(doc.get_or_insert_map(txn, root), "tables", txn)
        if tables is None or isinstance(tables, (Map, dict)):
            found.update(_children(tables, txn))
        else:
            detail = f"{root}.tables is no map"
            problems.append(Problem(None, None, "definition", detail=detail))
    return {name: _table(name, raw) for name, raw in found.items()}, tuple(problems)


def _table(name: str, raw: Cell) -> tuple[TableDefinition, tuple[Problem, ...]]:
    problems: list[Problem] = []

    def problem(field: str | None, detail: str) -> None:
        problems.append(Problem(name, field, "definition", detail=detail))

    if not is_object(raw):
        problem(None, f"the definition is {_kind(raw)}, no map")
    declared: dict[str, Cell] = raw if is_object(raw) else {}
    fields: Cell = declared.get("fields")
    if is_object(raw) and raw and not is_object(fields):
        problem(None, f"its fields are {_kind(fields)}, no map")
    known = is_object(fields)
    definition = TableDefinition(
        fields=tuple(_field(key, fields[key], problem) for key in sorted(fields))
        if known
        else None,
        canonical=raw,
        label=_label(declared.get("name")),
        description=_label(declared.get("description")),
        icon=_label(declared.get("icon")),
    )
    return definition, tuple(problems)


def _field(name: str, raw: Cell, problem: Any) -> FieldDefinition:
    if not is_object(raw):
        problem(name, f"the definition is {_kind(raw)}, no map")
        raw = {}
    elif raw.get("type") not in KNOWN_TYPES:
        problem(name, f"the type is {_label(raw.get('type')) or 'missing'}; shown as text")
    declared: dict[str, Cell] = raw
    kind = declared.get("type")
    return FieldDefinition(
        name=name,
        type=kind if isinstance(kind, str) else None,
        nullable=kind == "richtext" or declared.get("nullable") is True,
        label=_label(declared.get("name")),
        description=_label(declared.get("description")),
        icon=_label(declared.get("icon")),
        options=declared.get("options"),
    )


def _children(value: Any, txn: Transaction) -> Iterator[tuple[str, Cell]]:
    """Give the entries of a map or dict as plain JSON; anything else has none."""
    keys = value.keys(txn) if isinstance(value, Map) else value if is_object(value) else ()
    for key in keys:
        try:
            yield key, plain(_get(value, key, txn), txn)
        except TooDeepError:
            yield key, None


def _get(value: Any, key: str, txn: Transaction) -> Any:
    try:
        return value.get(txn, key) if isinstance(value, Map) else value[key]
    except (ValueError, KeyError):
        return None


def _label(value: Cell) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return dump_json(value)


def _kind(value: Cell) -> str:
    if value is None:
        return "null"
    names = ((str, "a text"), (bool, "a boolean"), (list, "a list"), (dict, "a map"))
    return next((name for kind, name in names if isinstance(value, kind)), "a number")
