"""Rows to blocks: each row is visited once, in id order, and turned into columns of cells."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sidecar.document.extension import (
    Array,
    Map,
    Transaction,
    XmlElement,
    XmlFragment,
    XmlText,
)
from sidecar.document.lifted import count_bare_fragments
from sidecar.document.values import cell, column, plain
from sidecar.document.xml import TooDeepError, is_object
from sidecar.javascript import dump_json
from sidecar.model import ROWS_PER_BLOCK, Block, Cell, RowProblem

BARE_FRAGMENT = "bare_fragment"
"""Noted of an XML fragment without XML in it, for ``unreadable`` to look into; never shown."""
_HOLDERS = (Array, Map, XmlElement, XmlFragment, XmlText)
"""What may be a fragment, or have one in it."""
_UNREADABLE = object()
_DETAIL = 200
_GROUP = 50
"""Rows read column by column at a time: few enough to stay in the processor's cache."""


class RawRows(msgspec.Struct, frozen=True):
    """The rows of one table, not yet looked at.

    Attributes:
        keys: The row keys, sorted.
        fetch: Gives the raw row of a key: a CRDT map, a dict, an ``Element``, or anything else.
        fields: Names of the rows' fields where they are known; None where they must be collected.
    """

    keys: Sequence[str]
    fetch: Callable[[str], Any]
    fields: frozenset[str] | None = None


class Element(msgspec.Struct, frozen=True):
    """A row that has cells of ours beside its fields.

    Attributes:
        fields: As the document has them.
        ours: Cells that we add; they win over fields of the same name.
    """

    fields: dict[str, Any]
    ours: dict[str, Any]


def field_names(rows: RawRows, txn: Transaction) -> set[str]:
    """Collect the names of all fields that any row has, ``id`` among them."""
    if rows.fields is not None:
        return set(rows.fields)
    names: set[str] = set()
    for key in rows.keys:
        row = rows.fetch(key)
        if type(row) is Map:
            names.update(row.keys(txn))
        elif is_object(row):
            names.update(row)
        elif type(row) is Element:
            names.update(row.fields)
    return names


def walk(rows: RawRows, fields: Sequence[str], txn: Transaction) -> Iterator[Block]:
    """Walk all rows, ``ROWS_PER_BLOCK`` at a time.

    Args:
        rows: The rows.
        fields: The fields that get a column, without ``id``; everything else goes to extras.
        txn: The transaction of the walk.
    """
    for start in range(0, len(rows.keys), ROWS_PER_BLOCK):
        yield _Walk(fields, txn).block(rows.keys[start : start + ROWS_PER_BLOCK], rows.fetch)


def pick(rows: RawRows, fields: Sequence[str], txn: Transaction) -> Block:
    """Walk a few rows into one block."""
    return _Walk(fields, txn).block(rows.keys, rows.fetch)


class _Walk:
    """The walk over one block."""

    def __init__(self, fields: Sequence[str], txn: Transaction) -> None:
        self.txn = txn
        self.fields = fields
        self.names = ("id", *fields)
        self.extras: list[Cell] = []
        self.problems: list[RowProblem] = []

    def block(self, ids: Sequence[str], fetch: Callable[[str], Any]) -> Block:
        raw: list[list[Any]] = [[] for _ in self.names]
        for start in range(0, len(ids), _GROUP):
            group = ids[start : start + _GROUP]
            rows = [fetch(row_id) for row_id in group]
            found = self._uniform(rows) or self._mixed(group, rows)
            for whole, part in zip(raw, found, strict=True):
                whole.extend(part)
        own_ids, *columns = raw
        if own_ids != ids:
            self._mismatches(ids, own_ids)
        return Block(
            ids=list(ids),
            columns=[
                self._column(ids, field, values)
                for field, values in zip(self.fields, columns, strict=True)
            ],
            extras=self.extras,
            problems=self.problems,
        )

    def _uniform(self, rows: Sequence[Any]) -> list[list[Any]] | None:
        """Give the raw columns of rows that all have exactly the expected fields, else None.

        They are the rule. A row is read by name, and its length proves that there is nothing else.
        """
        txn = self.txn
        if set(map(type, rows)) != {Map} or {row.len(txn) for row in rows} != {len(self.names)}:
            return None
        gets = [row.get for row in rows]
        try:
            columns = [[get(txn, name) for get in gets] for name in self.names]
        except ValueError:
            return None  # a name is not there, so another one is
        self.extras += [None] * len(rows)
        return columns

    def _mixed(self, ids: Sequence[str], rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
        raw = [self._row(row_id, row) for row_id, row in zip(ids, rows, strict=True)]
        return zip(*raw, strict=True)

    def _row(self, row_id: str, row: Any) -> Sequence[Any]:
        """Give the raw values of ``names``, in their order, and note the rest in extras."""
        if type(row) is not Map:
            return self._plain_row(row_id, row)
        get, txn, surplus = row.get, self.txn, len(self.names) - row.len(self.txn)
        try:
            if surplus == 0:
                cells = [get(txn, name) for name in self.names]
                self.extras.append(None)
                return cells
            if surplus == 1:
                cells = [row_id, *[get(txn, name) for name in self.fields]]
                self.extras.append(None)
                return cells
        except ValueError:
            pass  # a name is not there, so another one is: look at the names themselves
        return self._sparse_row(row_id, self._found(row))

    def _found(self, row: Map) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in row.keys(self.txn):
            try:
                found[name] = row.get(self.txn, name)
            except ValueError:
                found[name] = _UNREADABLE
        return found

    def _plain_row(self, row_id: str, row: Any) -> Sequence[Any]:
        if is_object(row):
            return self._sparse_row(row_id, dict(row))
        if type(row) is Element:
            return self._element(row_id, row)
        bare = count_bare_fragments()
        value, error = self._plain(row)
        self.extras.append([value])
        self._note(row_id, None, "not_a_row", value)
        if count_bare_fragments() > bare:
            self.problems.append(RowProblem(row_id, None, BARE_FRAGMENT))
        if error:
            self._unshown(row_id, None, error)
        return [row_id, *[None] * len(self.fields)]

    def _element(self, row_id: str, row: Element) -> Sequence[Any]:
        found = {name: value for name, value in row.fields.items() if name not in row.ours}
        cells = self._sparse_row(row_id, {**found, **row.ours})
        for name in sorted(row.fields.keys() & row.ours):
            self._extra(len(self.extras) - 1, row_id, name, row.fields[name])
            self._note(row_id, name, "name", self._plain(row.fields[name])[0])
        return cells

    def _sparse_row(self, row_id: str, found: dict[str, Any]) -> Sequence[Any]:
        for name in [name for name, value in found.items() if value is _UNREADABLE]:
            found[name] = None
            self._note(row_id, name, "unreadable", None)
        cells = [found.pop("id", row_id), *[found.pop(name, None) for name in self.fields]]
        self.extras.append(None)
        for name, value in sorted(found.items()):
            self._extra(len(self.extras) - 1, row_id, name, value)
        return cells

    def _extra(self, index: int, row_id: str, name: str, value: Any) -> None:
        bare = count_bare_fragments()
        shown, error = self._plain(value)
        if count_bare_fragments() > bare:
            self.problems.append(RowProblem(row_id, name, BARE_FRAGMENT))
        if error:
            self._unshown(row_id, name, error)
        extra = self.extras[index]
        if extra is None:
            extra = self.extras[index] = {}
        extra[name] = shown

    def _mismatches(self, ids: Sequence[str], own_ids: Sequence[Any]) -> None:
        for index, (row_id, own) in enumerate(zip(ids, own_ids, strict=True)):
            if own is None or own == row_id:
                continue
            shown = self._plain(own)[0]
            if shown != row_id:
                self._extra(index, row_id, "id", own)
                self._note(row_id, "id", "id_mismatch", shown)

    def _column(self, ids: Sequence[str], field: str, values: Sequence[Any]) -> list[Cell]:
        def unshown(index: int, error: TooDeepError) -> None:
            self._unshown(ids[index], field, error)

        bare = count_bare_fragments()
        shown = column(values, self.txn, unshown)
        if count_bare_fragments() > bare:
            self.problems += [
                RowProblem(ids[index], field, BARE_FRAGMENT)
                for index, value in enumerate(values)
                if isinstance(value, _HOLDERS)
            ]
        return shown

    def _plain(self, value: Any) -> tuple[Cell, TooDeepError | None]:
        try:
            shown = cell(value, self.txn)
            return (plain(value, self.txn) if isinstance(shown, (float, bytes)) else shown), None
        except TooDeepError as error:
            return None, error

    def _unshown(self, row_id: str, field: str | None, error: TooDeepError) -> None:
        self.problems.append(RowProblem(row_id, field, error.kind, str(error)))

    def _note(self, row_id: str, field: str | None, kind: str, value: Cell) -> None:
        self.problems.append(RowProblem(row_id, field, kind, _detail(kind, value)))


def _detail(kind: str, value: Cell) -> str | None:
    if kind == "unreadable":
        return "the document names the field and does not hold it"
    text = dump_json(value)
    return text if len(text) <= _DETAIL else text[:_DETAIL] + "…"


def of_dict(rows: Mapping[str, Any]) -> RawRows:
    """Make the rows of a table that is held as plain entries."""
    return RawRows(keys=sorted(rows), fetch=rows.__getitem__)


def of_map(table: Map, txn: Transaction, keys: Sequence[str] | None = None) -> RawRows:
    """Make the rows of a table that is a CRDT map, all or those of some sorted keys."""
    get = table.get

    def fetch(key: str) -> Any:
        try:
            return get(txn, key)
        except ValueError:
            return None

    return RawRows(keys=sorted(table.keys(txn)) if keys is None else keys, fetch=fetch)
