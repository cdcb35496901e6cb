"""Types with entries and children in one, as Yjs 14 writes them: found in the structs.

Yjs 14 writes nearly every type as an XML fragment. Of each type the decoder shows what Yjs 13 keeps
in it, and the rest to nobody: of a fragment XML nodes, of an array its elements, of a map entries.
"""

from sidecar.yjs.encoding import read_varuint
from sidecar.yjs.store import Deleted, Items
from sidecar.yjs.update import (
    ANY,
    BINARY,
    DELETED,
    DOC,
    FORMAT,
    GC,
    JSON,
    STRING,
    TYPE,
    Struct,
    UpdateReader,
)

_ARRAY, _MAP, _ELEMENT, _FRAGMENT = 0, 1, 3, 4
_VALUES = frozenset((ANY, BINARY, DOC, JSON, STRING))
_NOTHING = frozenset((GC, DELETED, FORMAT))

Path = tuple[str | None, ...]
"""From a root's name: keys of maps, None for an element of a list."""


def hidden_types(data: bytes) -> set[Path]:
    """Find the types of an update that hold what the decoder shows to nobody.

    Raises:
        ValueError: The update makes no sense.
    """
    reader = UpdateReader(data)
    items = Items(reader.structs())
    deleted = Deleted(reader.deleted())
    found: set[Path] = set()
    for item in items.sorted:
        if item.kind in _NOTHING or (item.client, item.clock) in deleted:
            continue
        parent, key = items.place(item)
        holder = items.holding(parent) if isinstance(parent, tuple) else None
        if holder is None or holder.kind != TYPE or (holder.client, holder.clock) in deleted:
            continue
        if _is_hidden(read_varuint(data, holder.at)[0], item, key):
            found.add(_path(holder, items))
    return found


def _is_hidden(reference: int, item: Struct, key: str | None) -> bool:
    """Tell whether something in a type of a kind is shown to nobody."""
    if key is not None:
        return reference in {_ARRAY, _FRAGMENT}
    return reference == _MAP or (reference in {_ELEMENT, _FRAGMENT} and item.kind in _VALUES)


def _path(holder: Struct, items: Items) -> Path:
    steps: list[str | None] = []
    at: Struct | None = holder
    while at is not None:
        parent, key = items.place(at)
        steps.append(key)
        if isinstance(parent, str):
            steps.append(parent)
        at = items.holding(parent) if isinstance(parent, tuple) else None
        if len(steps) > _DEEPEST:
            break
    return tuple(reversed(steps))


_DEEPEST = 1000
