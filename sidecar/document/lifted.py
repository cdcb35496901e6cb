"""What the decoder cannot give in time, or at all, read in another way.

Children of XML that are no XML, and the elements of long arrays: ``yjs.lift`` makes roots of them,
and what an observed root holds comes out in one pass. That costs another decode and a look at
every struct, so it is done at most once, and only when something asks. Numbers that the decoder
misreads (``yjs.json_numbers``) only take a look at every struct.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from sidecar.document.extension import Array, Doc, Transaction, XmlElement, XmlFragment
from sidecar.model import LONG_ARRAY

_WORTH_IT = 32
"""Array steps by index that cost as much as one byte of the document costs to be lifted."""

Children = tuple[list[Any], Transaction]
"""Children or elements, and the transaction that they are read with."""


class Lifting:
    """The children of one document's odd types, found when they are asked for.

    Attributes:
        bare_fragments: How many XML fragments were met that have no XML in them. Yjs 14 writes
            nearly everything as one, with entries that the decoder shows to nobody.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Prepare; ``read`` gives the update that the decoder was given."""
        self.bare_fragments = 0
        self._read = read
        self._found: _Found | None = None
        self._budget: int | None = None
        self._has_long: bool | None = None
        self._misread: dict[float, float] | None = None

    def exact(self, value: float) -> float:
        """Give a number in the JSON of an embed or a format as it was written."""
        from sidecar.yjs import json_numbers  # noqa: PLC0415 - seldom needed

        if self._misread is None and not json_numbers.is_extreme(value):
            if self._has_long is None:
                self._has_long = json_numbers.may_be_misread(self._read())
            if not self._has_long:
                return value
        if self._misread is None:
            self._misread = json_numbers.misread(self._read())
        return self._misread.get(value, value)

    def of_xml(self, node: XmlElement | XmlFragment, *, is_whole: bool) -> Children | None:
        """Give all children of an XML node, None when the decoder tells them.

        Args:
            node: One whose children the decoder does not tell, or that has none.
            is_whole: It has none; where it was lifted from they were taken out of it.
        """
        if is_whole and self._found is None:
            return None
        found = self._lifted()
        name = found.by_hash.get(hash(node))
        return None if name is None else (found.children[name], found.txn)

    def of_array(self, array: Array, txn: Transaction, size: int) -> Children | None:
        """Give the elements of an array, None when they are sooner read by index."""
        if not size:
            return None
        found = self._found
        if found is not None and txn is found.txn:
            first = array.get(txn, 0)
            elements = found.children.get(first) if isinstance(first, str) else None
            return None if elements is None or size > 1 else (elements, found.txn)
        if size < LONG_ARRAY or (found is None and not self._is_worth_it(size)):
            return None
        found = self._lifted()
        name = found.array_of(_id_of(array.sticky_index(txn, 0, 0).to_json_string()))
        return None if name is None else (found.children[name], found.txn)

    def _is_worth_it(self, size: int) -> bool:
        if self._budget is None:
            self._budget = len(self._read()) * _WORTH_IT
        self._budget -= size * size
        return self._budget < 0

    def _lifted(self) -> "_Found":
        if self._found is None:
            self._found = _lifted(self._read())
        return self._found


class _Found(msgspec.Struct, frozen=True):
    """What was lifted.

    Attributes:
        children: By the names of their roots.
        by_hash: Names of roots by the hash that the XML node has in any document.
        array_of: Gives the name of the root for the id of an element.
        txn: Reads the children.
        doc: Holds them.
    """

    children: dict[str, list[Any]]
    by_hash: dict[int, str]
    array_of: Callable[[tuple[int, int]], str | None]
    txn: Transaction
    doc: Doc


_offered: ContextVar[Lifting | None] = ContextVar("lifting", default=None)


@contextmanager
def lifting(read: Callable[[], bytes]) -> Generator[None]:
    """Offer a document's update to the walks in this context.

    Args:
        read: Gives the update that the decoder was given.
    """
    token = _offered.set(Lifting(read))
    try:
        yield
    finally:
        _offered.reset(token)


def offered() -> Lifting | None:
    """Give what ``lifting`` offers, None outside of it."""
    return _offered.get()


def count_bare_fragments() -> int:
    """Give how many XML fragments without XML were met so far."""
    lifting = offered()
    return lifting.bare_fragments if lifting else 0


def _lifted(data: bytes) -> _Found:
    from sidecar.yjs.lift import lift  # noqa: PLC0415 - seldom needed

    lifted = lift(data)
    doc = Doc(None, True, None)  # noqa: FBT003 - skip_gc
    children: dict[str, list[Any]] = {name: [] for name in lifted.roots}
    txn = doc.create_transaction()
    subscriptions = [
        doc.get_or_insert_array(txn, name).observe(_catch(children, name)) for name in children
    ]
    txn.commit()
    txn.drop()
    txn = doc.create_transaction()
    doc.apply_update(txn, lifted.update)
    txn.commit()
    txn.drop()
    for subscription in subscriptions:
        subscription.drop()
    return _Found(
        children=children,
        by_hash=_hashes(lifted.xml),
        array_of=lifted.array_of,
        txn=doc.create_transaction(),
        doc=doc,
    )


def _catch(children: dict[str, list[Any]], name: str) -> Callable[[Any], None]:
    def catch(event: Any) -> None:
        children[name] = [element for change in event.delta for element in change.get("insert", ())]

    return catch


def _hashes(roots: dict[str, tuple[int, int]]) -> dict[int, str]:
    """Give the hash of each XML node that was lifted; it is made of the node's id alone."""
    from sidecar.yjs.lift import xml_of_ids  # noqa: PLC0415 - seldom needed

    doc = Doc(None, True, None)  # noqa: FBT003 - skip_gc
    txn = doc.create_transaction()
    doc.apply_update(txn, xml_of_ids(roots.values()))
    named = {f"{client}:{clock}": name for name, (client, clock) in roots.items()}
    nodes = doc.get_or_insert_xml_fragment(txn, "").children(txn)
    hashes = {hash(node): named[node.tag()] for node in nodes if isinstance(node, XmlElement)}
    txn.commit()
    txn.drop()
    return hashes


def _id_of(position: str) -> tuple[int, int]:
    item = msgspec.json.decode(position)["item"]
    return item["client"], item["clock"]
