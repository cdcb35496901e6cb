"""What the host says of its workspaces: head.yjs and registry.yjs, read without the decoder.

Both come from peers and may be missing, odd or hostile; whatever they are, the answer is an empty
one. So they are small, and read by ``structs``, which cannot crash, hang or grow.
"""

import math
from bisect import bisect_right
from typing import Any

import msgspec

from sidecar.document.reading import is_v2, read_stable
from sidecar.document.structs import ANY, Id, Ranges, Struct, UpdateReader, scalar
from sidecar.errors import SidecarError

_MOST_BYTES = 1 << 20

Place = tuple[str | Id | None, str | None]
"""Parent, the name of a root or the id of a type, and key."""

_NOWHERE: Place = (None, None)


class Head(msgspec.Struct, frozen=True):
    """What head.yjs says of a workspace; None for what it does not.

    Attributes:
        name: For people.
        icon: As the app has it.
        epoch: The current one: the highest that any client asked for.
    """

    name: str | None = None
    icon: str | None = None
    epoch: int | None = None


def read_head(path: str) -> Head:
    """Read a workspace's head.yjs. Nothing is raised."""
    roots = _read_roots(path)
    meta, epochs = roots.get("meta", {}), roots.get("epochs", {})
    wanted = [epoch for value in epochs.values() if (epoch := _epoch(value)) is not None]
    return Head(_text(meta.get("name")), _text(meta.get("icon")), max(wanted, default=None))


def read_registry(path: str) -> frozenset[str] | None:
    """Read the ids of the workspaces that are not deleted from registry.yjs. Nothing is raised.

    Returns:
        None when the file says nothing: it is missing or odd, or nobody ever wrote to it, which
        is what some hosts leave after a failed load.
    """
    roots = _read_roots(path)
    if not roots:
        return None
    listed = roots.get("workspaces", {})
    return frozenset(workspace for workspace, value in listed.items() if value is True)


def read_maps(data: bytes) -> dict[str, dict[str, Any]]:
    """Read the root maps of a whole update, without what nests in them.

    Args:
        data: A Yjs V1 update that holds the whole state of its document.

    Returns:
        Root name -> key -> None, bool, int, float or str. Roots that were written to are there,
        even if nothing is left in them.

    Raises:
        ValueError: It is no such update.
    """
    reader = UpdateReader(data)
    items = _Items(list(reader.structs()))
    deleted = _Deleted(reader.deleted())
    if reader.at != len(data):
        message = "there is more behind the update"
        raise ValueError(message)
    roots: dict[str, dict[str, Any]] = {}
    for item in items.sorted:
        parent, key = items.place(item)
        if isinstance(parent, str) and key is not None:
            entries = roots.setdefault(parent, {})
            if (item.client, item.clock) not in deleted:
                entries[key] = scalar(data, item.at) if item.kind == ANY else None
    return roots


class _Items:
    """The structs of an update, to be found by the ids of their elements."""

    def __init__(self, found: list[Struct]) -> None:
        self.sorted = sorted(found, key=_id)
        self._ids = [_id(item) for item in self.sorted]
        self._places: dict[Id, Place] = {}

    def place(self, item: Struct) -> Place:
        """Give parent and key of an item; one that was written behind another has that one's."""
        path: list[Id] = []
        at: Struct | None = item
        place: Place = _NOWHERE
        while at is not None and at.parent is None:
            if _id(at) in self._places:
                place = self._places[_id(at)]
                break
            path.append(_id(at))
            self._places[_id(at)] = _NOWHERE  # until it is known, and for good in a circle
            at = self._holding(at.origin)
        else:
            place = (at.parent, at.key) if at else _NOWHERE
        self._places.update(dict.fromkeys(path, place))
        return place

    def _holding(self, wanted: Id | None) -> Struct | None:
        if wanted is None:
            return None
        index = bisect_right(self._ids, wanted) - 1
        item = self.sorted[index] if index >= 0 else None
        inside = item and item.client == wanted[0] and wanted[1] < item.clock + item.length
        return item if inside else None


class _Deleted:
    """A delete set, to be asked."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = {client: sorted(found) for client, found in ranges.items()}

    def __contains__(self, wanted: Id) -> bool:
        """Tell whether an element was deleted."""
        found = self._ranges.get(wanted[0], [])
        index = bisect_right(found, (wanted[1], math.inf)) - 1
        return index >= 0 and wanted[1] < sum(found[index])


def _id(item: Struct) -> Id:
    return item.client, item.clock


def _read_roots(path: str) -> dict[str, dict[str, Any]]:
    try:
        data = read_stable(path, _MOST_BYTES).data
        return {} if is_v2(data) else read_maps(data)
    except (SidecarError, ValueError, IndexError):
        return {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _epoch(value: Any) -> int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    whole = number and math.isfinite(value) and value >= 0 and value == int(value)
    return int(value) if whole else None
