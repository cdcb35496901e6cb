"""An update in which chosen types are emptied, and what they held lies in roots of its own.

The decoder has no linear way to read a long array that edits have split, and none at all to the
children of an XML element that are no XML. What an observed root holds it tells in one pass, with
the kind of everything, and a root can only be observed by its name, before the update is applied.
So the first struct of each sequence, which names the type it lies in, is made to name a root.
Bytes in, bytes out.
"""

from collections.abc import Iterable

import msgspec

from sidecar.model import LONG_ARRAY
from sidecar.yjs.encoding import read_varuint, write_bytes, write_varuint
from sidecar.yjs.store import Items
from sidecar.yjs.update import DELETED, GC, SKIP, TYPE, Id, Struct, UpdateReader

_ARRAY, _ELEMENT, _FRAGMENT, _XML_TEXT = 0, 3, 4, 6
_XML = (_ELEMENT, _FRAGMENT, _XML_TEXT)
_WITH_CHILDREN = (_ELEMENT, _FRAGMENT)
_WITHOUT_CONTENT = (GC, DELETED)
_INFO_ANY, _INFO_TYPE = 8, 7
_NO_ROOT, _ROOT = b"\0", b"\1"
_ANY_TEXT = 119
_PREFIX = "\0lifted "


class Lifted(msgspec.Struct, frozen=True):
    """What was lifted, and where to.

    Attributes:
        update: The update with the sequences in their roots. Each lifted array holds one text,
            the name of the root that its elements lie in.
        roots: Name of each root -> the type that its children were lifted from.
        arrays: Those of ``roots`` that were arrays.
        items: Where every struct belongs.
        items: Where every struct belongs.
    """

    update: bytes
    roots: dict[str, Id]
    arrays: frozenset[str]
    items: Items

    @property
    def xml(self) -> dict[str, Id]:
        """Those of ``roots`` that were no arrays."""
        return {name: i for name, i in self.roots.items() if name not in self.arrays}

    def array_of(self, element: Id) -> str | None:
        """Name the root in which the elements of an array lie.

        Args:
            element: The id of any of its elements.
        """
        item = self.items.holding(element)
        parent = self.items.place(item)[0] if item else None
        name = _name(parent) if isinstance(parent, tuple) else None
        return name if name in self.arrays else None


def lift(data: bytes) -> Lifted:
    """Lift the children of XML that the decoder does not tell, and the elements of long arrays.

    Raises:
        ValueError: It is no whole update.
    """
    found, starts = _read(data)
    items = Items(found)
    types = {(i.client, i.clock): _type_of(i, data) for i in found if i.kind == TYPE}
    lengths: dict[Id, int] = {}
    odd: set[Id] = set()
    for item in found:
        parent, key = items.place(item)
        if not isinstance(parent, tuple) or key is not None or item.kind in _WITHOUT_CONTENT:
            continue
        if types.get(parent) == _ARRAY:
            lengths[parent] = lengths.get(parent, 0) + 1
        elif types.get(parent) in _WITH_CHILDREN and _is_odd_child(item, types):
            odd.add(parent)
    arrays = {parent for parent, length in lengths.items() if length >= LONG_ARRAY}
    chosen = {_name(type_id): type_id for type_id in odd | arrays}
    return Lifted(
        update=_marked(_moved(data, starts, found, odd | arrays), arrays, found),
        roots=chosen,
        arrays=frozenset(map(_name, arrays)),
        items=items,
    )


def xml_of_ids(ids: Iterable[Id]) -> bytes:
    """Write an update with an XML element of each id, called ``client:clock``, in the root ""."""
    clients: dict[int, list[int]] = {}
    for client, clock in sorted(ids):
        clients.setdefault(client, []).append(clock)
    sections = [_elements(client, clocks) for client, clocks in clients.items()]
    return write_varuint(len(sections)) + b"".join(sections) + b"\0"


def _read(data: bytes) -> tuple[list[Struct], dict[Id, int]]:
    """Read all structs, and where those begin that name the type they lie in."""
    reader = UpdateReader(data)
    found: list[Struct] = []
    starts: dict[Id, int] = {}
    for client, structs in reader.sections():
        start = reader.at
        for item, end in structs:
            if item.kind != SKIP:
                found.append(item)
            if isinstance(item.parent, tuple):
                starts[client, item.clock] = start
            start = end
    return found, starts


def _is_odd_child(item: Struct, types: dict[Id, int]) -> bool:
    return item.kind != TYPE or types[item.client, item.clock] not in _XML


def _moved(data: bytes, starts: dict[Id, int], found: Iterable[Struct], chosen: set[Id]) -> bytes:
    """Have the first structs of the chosen types name their root."""
    pieces: list[bytes] = []
    done = 0
    for item in sorted(found, key=lambda item: item.at):
        if isinstance(item.parent, tuple) and item.parent in chosen and item.key is None:
            start = starts[item.client, item.clock]
            pieces += (data[done : start + 1], _ROOT, _text(_name(item.parent)))
            done = item.at
    return b"".join((*pieces, data[done:]))


def _marked(data: bytes, arrays: set[Id], found: Iterable[Struct]) -> bytes:
    """Put into each of these arrays the name of the root that its elements lie in."""
    if not arrays:
        return data
    sections, at = read_varuint(data, 0)
    client = max(item.client for item in found) + 1
    written = [
        write_varuint(sections + 1),
        write_varuint(len(arrays)),
        write_varuint(client),
        b"\0",
    ]
    for array in sorted(arrays):
        place = _NO_ROOT + write_varuint(array[0]) + write_varuint(array[1])
        text = bytes((_ANY_TEXT,)) + _text(_name(array))
        written += (bytes((_INFO_ANY,)), place, write_varuint(1), text)
    return b"".join((*written, data[at:]))


def _elements(client: int, clocks: list[int]) -> bytes:
    structs: list[bytes] = []
    reached = 0
    for clock in clocks:
        if clock > reached:
            structs.append(b"\0" + write_varuint(clock - reached))  # collected, whatever it was
        name = _text(f"{client}:{clock}")
        structs.append(bytes((_INFO_TYPE,)) + _ROOT + _text("") + bytes((_ELEMENT,)) + name)
        reached = clock + 1
    return write_varuint(len(structs)) + write_varuint(client) + b"\0" + b"".join(structs)


def _type_of(item: Struct, data: bytes) -> int:
    return read_varuint(data, item.at)[0]


def _name(type_id: Id) -> str:
    return f"{_PREFIX}{type_id[0]}:{type_id[1]}"


def _text(text: str) -> bytes:
    return write_bytes(text.encode())
