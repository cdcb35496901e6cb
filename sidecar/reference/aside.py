"""What pycrdt's public API cannot reach in a document, or not in time, read from another one.

Children of XML that are no XML, and elements of long arrays. ``yjs.lift`` writes an update in
which they lie in root arrays, and a root array tells all that it holds in its first change event.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pycrdt

from sidecar.model import LONG_ARRAY
from sidecar.yjs.json_numbers import is_extreme, may_be_misread, misread
from sidecar.yjs.lift import Lifted, lift, xml_of_ids


class Aside:
    """The children and elements that are lifted, which is done when the first of them is asked for.

    Nodes and arrays may be those of any document that was made of the same update.
    """

    def __init__(self, data: bytes) -> None:
        """Prepare; ``data`` is one Yjs V1 update."""
        self._data = data
        self._found: _Found | None = None
        self._misread: dict[float, float] | None = None

    def exact(self, value: float) -> float:
        """Give a number in JSON as it was written; the decoder gets some last digits wrong."""
        if self._misread is None:
            is_odd = is_extreme(value) or may_be_misread(self._data)
            if not is_odd:
                return value
            self._misread = misread(self._data)
        return self._misread.get(value, value)

    def children(self, node: pycrdt.XmlElement | pycrdt.XmlFragment) -> list[Any]:
        """Give the children of an XML node, whatever they are."""
        with node.doc.transaction() as transaction:
            inner: Any = node.integrated
            txn: Any = getattr(transaction, "_txn")  # noqa: B009 - there is no public way
            size, children = inner.len(txn), len(inner.children(txn))  # it stops at what is no XML
        if size == children and (size or self._found is None):
            return list(node.children)
        found = self._lifted()
        name = found.names.get(hash(node))
        return found.children[name] if name else []

    def elements(self, array: pycrdt.Array[Any]) -> list[Any]:
        """Give the elements of an array."""
        size = len(array)
        if self._found is not None and size == 1:
            first: Any = array[0]
            return self._found.children.get(first, [first]) if isinstance(first, str) else [first]
        if size < LONG_ARRAY:
            return [array[index] for index in range(size)]
        place: Any = array.sticky_index(0)
        item = place.to_json()["item"]
        name = self._lifted().lifted.array_of((item["client"], item["clock"]))
        if name is None:
            return [array[index] for index in range(size)]
        return self._lifted().children[name]

    def _lifted(self) -> "_Found":
        if self._found is None:
            self._found = _read(lift(self._data))
        return self._found


class _Found(msgspec.Struct, frozen=True):
    """What was lifted.

    Attributes:
        lifted: Says what it is.
        children: By root.
        names: Root by the hash of an XML node.
        doc: Holds them.
    """

    lifted: Lifted
    children: dict[str, list[Any]]
    names: dict[int, str]
    doc: pycrdt.Doc[Any]


def _read(lifted: Lifted) -> _Found:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    children: dict[str, list[Any]] = {name: [] for name in lifted.roots}
    arrays = {name: doc.get(name, type=pycrdt.Array) for name in children}
    for name, array in arrays.items():
        array.observe(_inserted(children[name]))
    doc.apply_update(lifted.update)
    ids = {f"{client}:{clock}": name for name, (client, clock) in lifted.xml.items()}
    named: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    named.apply_update(xml_of_ids(lifted.xml.values()))
    nodes: Any = named.get("", type=pycrdt.XmlFragment).children
    names = {hash(node): ids[node.tag] for node in nodes}
    return _Found(lifted, children, names, doc)


def _inserted(found: list[Any]) -> Callable[[pycrdt.ArrayEvent], None]:
    def note(event: pycrdt.ArrayEvent) -> None:
        for change in event.delta:  # type: ignore[attr-defined]
            found.extend(change.get("insert", ()))

    return note
