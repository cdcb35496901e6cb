"""The two ways apps lay tables out in a document: ``maps`` and ``keyed_arrays``."""

from collections.abc import Callable
from typing import Any

import msgspec

from sidecar.document.definitions import ROOTS, read_definitions
from sidecar.document.extension import Doc, Map, Transaction
from sidecar.document.values import entries, items, plain
from sidecar.document.walk import Rows, field_names, of_dict, of_map, walk
from sidecar.document.xml import TooDeepError, is_object
from sidecar.model import Layout, Problem, Table, TableDefinition
from sidecar.yjs.encoding import read_varuint

TABLES = "tables"
ARRAY_PREFIX = "table:"
_WIDEST_LENGTH = 2
_MOST_NAMES = 10_000
"""Longer names, and more of them, are read by index: slower, and nothing hostile is gained."""
_ABSENT = object()
_ENTRY_DETAIL = "an entry needs a text `key` and a number `ts`"


class Arrays:
    """The elements of the root arrays ``table:NAME``, caught while the update is applied.

    Reading an array by index costs the square of its length once edits have split it up (20,000
    entries: 1.7 s); its change event gives all elements in one pass (0.005 s). A root can only
    be observed by name before the update is applied, so names are looked for in the bytes, where
    each stands behind its length. Names that are no roots stay empty and do no harm.
    """

    def __init__(self, doc: Doc, data: bytes) -> None:
        self._found: dict[str, list[Any]] = {}
        self._subscriptions: list[Any] = []
        self._observed = _prefixed_strings(data)
        if not self._observed:
            return
        txn = doc.create_transaction()
        for name in self._observed:
            array = doc.get_or_insert_array(txn, name)
            self._subscriptions.append(array.observe(self._catch(name)))
        txn.commit()
        txn.drop()

    def read(self, doc: Doc, txn: Transaction) -> dict[str, list[Any]]:
        """Give the elements of every root array of a table that has any, by table name."""
        for name in doc.roots(txn):
            if name.startswith(ARRAY_PREFIX) and name not in self._observed:
                self._found[name] = items(doc.get_or_insert_array(txn, name), txn)
        return {name[len(ARRAY_PREFIX) :]: found for name, found in self._found.items() if found}

    def _catch(self, name: str) -> Callable[[Any], None]:
        def catch(event: Any) -> None:
            self._found[name] = [
                element for change in event.delta for element in change.get("insert", ())
            ]

        return catch


def read_tables(
    doc: Doc, txn: Transaction, arrays: Arrays
) -> tuple[list[Table], tuple[Problem, ...]]:
    """Find all tables of a document, those of the layout ``maps`` first, sorted by name.

    Returns:
        The tables, and the problems of no single table.
    """
    tables, problems = _maps(doc, txn)
    return [*tables, *_keyed_arrays(doc, txn, arrays)], problems


def layouts(doc: Doc, txn: Transaction, arrays: Arrays) -> tuple[str, ...]:
    """Recognise the layouts of a document from the names of its roots.

    To be asked before ``read_tables``, which makes the roots that it looks into.
    """
    found = ["maps"] if doc.roots(txn).keys() & {TABLES, *ROOTS} else []
    if arrays.read(doc, txn):
        found.append("keyed_arrays")
    return tuple(found)


def _maps(doc: Doc, txn: Transaction) -> tuple[list[Table], tuple[Problem, ...]]:
    definitions, general = read_definitions(doc, txn)
    values = dict(entries(doc.get_or_insert_map(txn, TABLES), txn))
    tables: list[Table] = []
    for name in sorted(definitions.keys() | values.keys()):
        definition, problems = definitions.get(name, (None, ()))
        rows, surplus = _rows(name, values.get(name, _ABSENT), txn)
        if definition is None and not rows.keys and not surplus:
            continue
        table = _Found(name, "maps", rows, (*problems, *surplus), definition)
        tables.append(table.ready(txn))
    return tables, general


def _rows(name: str, value: Any, txn: Transaction) -> tuple[Rows, tuple[Problem, ...]]:
    if isinstance(value, Map):
        return of_map(value, txn), ()
    if is_object(value):
        return of_dict(value), ()
    if value is _ABSENT:
        return of_dict({}), ()
    return of_dict({}), (Problem(name, None, "not_a_table", detail=_shown(value, txn)),)


def _shown(value: Any, txn: Transaction) -> str:
    try:
        return msgspec.json.encode(plain(value, txn), order="sorted").decode()
    except TooDeepError:
        return "nested too deep to be shown"


def _keyed_arrays(doc: Doc, txn: Transaction, arrays: Arrays) -> list[Table]:
    tables: list[Table] = []
    for name, elements in sorted(arrays.read(doc, txn).items()):
        rows, bad = _last_writers(elements, txn)
        problems = (Problem(name, None, "entry", rows=bad, detail=_ENTRY_DETAIL),) if bad else ()
        tables.append(_Found(name, "keyed_arrays", of_dict(rows), problems).ready(txn))
    return tables


def _last_writers(elements: list[Any], txn: Transaction) -> tuple[dict[str, Any], int]:
    """Give for each key the value with the highest ``ts``, the later one on a tie.

    Returns:
        The values by key, and the number of elements that are no entries.
    """
    newest: dict[str, tuple[float, Any]] = {}
    bad = 0
    for element in elements:
        entry = dict(entries(element, txn)) if isinstance(element, Map) else element
        if not _is_entry(entry):
            bad += 1
            continue
        key, ts = entry["key"], entry["ts"]
        if key not in newest or ts >= newest[key][0]:
            newest[key] = (ts, entry.get("val"))
    return {key: value for key, (_, value) in newest.items()}, bad


def _is_entry(entry: Any) -> bool:
    if not is_object(entry) or not isinstance(entry.get("key"), str):
        return False
    ts: Any = entry.get("ts")
    return isinstance(ts, (int, float)) and not isinstance(ts, bool) and ts == ts  # noqa: PLR0124 - NaN


class _Found(msgspec.Struct, frozen=True):
    """One table as it was found, its columns not yet known."""

    name: str
    layout: Layout
    rows: Rows
    problems: tuple[Problem, ...]
    definition: TableDefinition | None = None

    def ready(self, txn: Transaction) -> Table:
        """Find out the columns and make the table ready to be walked."""
        rows, declared = self.rows, self.definition.fields if self.definition else None
        names = field_names(rows, txn) if declared is None else {f.name for f in declared}
        fields = tuple(sorted(names - {"id"}))
        return Table(
            name=self.name,
            layout=self.layout,
            definition=self.definition,
            fields=fields,
            chunks=lambda: walk(rows, fields, txn),
            problems=self.problems,
        )


def _prefixed_strings(data: bytes) -> set[str]:
    """Find the strings of an update that start with ``table:``, by their length prefixes."""
    names: set[str] = set()
    prefix = ARRAY_PREFIX.encode()
    start = -1
    while (start := data.find(prefix, start + 1)) != -1:
        for width in range(1, min(_WIDEST_LENGTH, start) + 1):
            length, end = _length(data, start - width)
            if end == start and length >= len(ARRAY_PREFIX):
                names.add(data[start : start + length].decode("utf-8", "replace"))
        if len(names) > _MOST_NAMES:
            return set()
    return names


def _length(data: bytes, position: int) -> tuple[int, int]:
    try:
        return read_varuint(data, position)
    except ValueError:
        return 0, 0
