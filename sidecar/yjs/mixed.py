"""Types with entries and children in one, as Yjs 14 writes them: found in the structs.

Yjs 14 writes nearly every type as an XML fragment. Of each type the decoder shows what Yjs 13 keeps
in it, and the rest to nobody: of a fragment its children, of a list its elements, of a map entries.
"""

from sidecar.yjs.encoding import read_varuint
from sidecar.yjs.store import Deleted, Items
from sidecar.yjs.update import DELETED, FORMAT, GC, TYPE, Struct, UpdateReader

_ARRAY, _MAP, _FRAGMENT = 0, 1, 4
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
        if _is_hidden(read_varuint(data, holder.at)[0], key):
            found.add(_path(holder, items))
    return found


def _is_hidden(reference: int, key: str | None) -> bool:
    """Tell whether an entry, or a child where there is no key, is shown to nobody in a type."""
    return reference == _MAP if key is None else reference in {_ARRAY, _FRAGMENT}


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
