"""Tables of a document that stays in memory: which rows an update changed, and those rows again.

What an update changed is heard from the decoder's events. Their paths begin with the table and the
row, however deep in a row the change is.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import Any

from sidecar.document.entries import key_of, may_be_row, read_entries
from sidecar.document.extension import Map, Transaction
from sidecar.document.found import with_kept
from sidecar.document.walk import RawRows, field_names, of_dict, of_map
from sidecar.document.xml import is_object
from sidecar.model import Table

_NO_ROWS = RawRows(keys=(), fetch=lambda _: None)


class LiveTable(ABC):
    """One table.

    Attributes:
        edited: Keys of rows that changed, appeared or went and are in no mirror yet.
    """

    def __init__(self) -> None:
        """Begin with nothing changed."""
        self.edited: set[str] = set()
        self._heard: set[str] = set()
        """Keys of rows of the last update."""
        self._witnesses: dict[str, str] = {}
        """Of each field a row that has it."""

    @property
    def is_heard(self) -> bool:
        """Tell whether the last update changed rows."""
        return bool(self._heard)

    @abstractmethod
    def rows(self, txn: Transaction) -> RawRows:
        """Give all rows."""

    @abstractmethod
    def rows_of(self, keys: Collection[str], txn: Transaction) -> RawRows:
        """Give the rows of some keys that are there."""

    def change(self, keys: Iterable[str]) -> None:
        """Note rows that an update changed."""
        found = [*keys]
        self._heard.update(found)
        self.edited.update(found)

    def fields(self, table: Table, txn: Transaction) -> tuple[str, ...]:
        """Tell which fields the table has after the last update.

        Those of a table that nobody declared are those that some row has. A row is remembered for
        each, so that all rows are looked at only when such a row has lost its field.
        """
        heard, self._heard = self._heard, set()
        if table.declared is not None or not heard:
            return table.fields
        witnesses = {name: key for name, key in self._witnesses.items() if key not in heard}
        changed = self.rows_of(heard, txn)
        for key in changed.keys:
            witnesses.update(dict.fromkeys(_names(changed, key, txn), key))
        missing = {*table.fields} - witnesses.keys()
        if missing:
            everything = self.rows(txn)
            for key in everything.keys:
                names = _names(everything, key, txn)
                witnesses.update(dict.fromkeys(names, key))
                missing -= names
                if not missing:
                    break
        self._witnesses = witnesses
        kept = table.fields if table.stated else ()
        return tuple(sorted(with_kept(witnesses.keys(), kept) - {"id"}))


def _names(rows: RawRows, key: str, txn: Transaction) -> set[str]:
    return field_names(RawRows(keys=(key,), fetch=rows.fetch), txn)


class LiveMap(LiveTable):
    """A table of the layout ``maps``: an entry of the root map ``tables``, a map or plain JSON."""

    def __init__(self, root: Map, name: str) -> None:
        """Take the table of that name."""
        super().__init__()
        self._root = root
        self._name = name

    def rows(self, txn: Transaction) -> RawRows:
        """Give all rows."""
        value = self._value(txn)
        if isinstance(value, Map):
            return of_map(value, txn)
        return of_dict(value) if is_object(value) else _NO_ROWS

    def rows_of(self, keys: Collection[str], txn: Transaction) -> RawRows:
        """Give the rows of some keys that are there."""
        value = self._value(txn)
        if isinstance(value, Map):
            return of_map(value, txn, sorted(key for key in keys if value.has(txn, key)))
        return of_dict({key: value[key] for key in keys if key in value}) if value else _NO_ROWS

    def is_empty(self, txn: Transaction) -> bool:
        """Tell whether there is no row."""
        value = self._value(txn)
        return not (value.len(txn) if isinstance(value, Map) else value)

    def _value(self, txn: Transaction) -> Any:
        try:
            return self._root.get(txn, self._name)
        except ValueError:
            return None


class LiveArray(LiveTable):
    """A table of the layout ``keyed_arrays``: a root array of entries.

    Attributes:
        elements: All of them.
        is_restructured: Something happened that only a reading of the whole table shows.
    """

    def __init__(self, elements: list[Any], txn: Transaction) -> None:
        """Begin with what was caught when the document was decoded."""
        super().__init__()
        self.elements = [*elements]
        self.is_restructured = False
        self._keys = [key_of(element, txn) for element in elements]
        self._is_plain = all(may_be_row(element, txn) for element in elements)
        self._events: list[tuple[list[Any], list[dict[str, Any]] | None]] = []
        self._places: dict[str | None, list[int]] = {}
        """Of each key the elements that have it; empty until they are asked for."""

    def hear(self, events: list[Any]) -> None:
        """Take the decoder's events of one update."""
        for event in events:
            self._events.append((event.path, getattr(event, "delta", None)))

    def settle(self, txn: Transaction) -> None:
        """Bring the elements up to date with the events."""
        events, self._events = self._events, []
        self._places.clear()
        changed: set[str | None] = set()
        inserted: list[Any] = []
        was_empty = not self.elements
        for path, delta in events:
            if path:
                continue
            if delta is None:  # entries of a map in the same root
                self.is_restructured = True
                return
            inserted += self._splice(delta, changed, txn)
        places: set[int] = {path[0] for path, _ in events if path}
        for at in places:
            changed.add(self._keys[at])
            self._keys[at] = key_of(self.elements[at], txn)
            changed.add(self._keys[at])
            inserted.append(self.elements[at])
        is_plain = self._is_plain and all(may_be_row(element, txn) for element in inserted)
        if events and (None in changed or not is_plain or was_empty or not self.elements):
            self.is_restructured = True
        self.change(key for key in changed if key is not None)

    def _splice(
        self, delta: list[dict[str, Any]], changed: set[str | None], txn: Transaction
    ) -> list[Any]:
        at = 0
        inserted: list[Any] = []
        for change in delta:
            if "retain" in change:
                at += change["retain"]
            elif "delete" in change:
                end = at + change["delete"]
                changed.update(self._keys[at:end])
                del self._keys[at:end], self.elements[at:end]
            else:
                elements = change["insert"]
                keys = [key_of(element, txn) for element in elements]
                changed.update(keys)
                self._keys[at:at], self.elements[at:at] = keys, elements
                inserted += elements
                at += len(elements)
        return inserted

    def rows(self, txn: Transaction) -> RawRows:
        """Give all rows."""
        return of_dict(read_entries(self.elements, txn).rows)

    def rows_of(self, keys: Collection[str], txn: Transaction) -> RawRows:
        """Give the rows of some keys that are there."""
        if not self._places:
            for at, key in enumerate(self._keys):
                self._places.setdefault(key, []).append(at)
        places = sorted(at for key in {*keys} for at in self._places.get(key, ()))
        return of_dict(read_entries([self.elements[at] for at in places], txn).rows)
