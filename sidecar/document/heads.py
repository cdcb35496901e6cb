"""What the host says of its workspaces: head.yjs and registry.yjs, read without the decoder.

Both come from peers and may be missing, odd or hostile; whatever they are, the answer is an empty
one. So they are small, and read by ``structs``, which cannot crash, hang or grow.
"""

import math
import os
from typing import Any

import msgspec

from sidecar.document.reading import read_stable
from sidecar.errors import SidecarError
from sidecar.names import HEAD
from sidecar.reports import InspectedHead, InspectedWorkspace
from sidecar.yjs.encoding import is_v2
from sidecar.yjs.store import Deleted, Items
from sidecar.yjs.update import ANY, UpdateReader, scalar

_MOST_BYTES = 1 << 20


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


def inspect_head(data: bytes) -> InspectedHead:
    """Tell all that a head.yjs says.

    Raises:
        ValueError: It is no whole update.
    """
    roots = read_maps(data)
    meta = roots.get("meta", {})
    epochs = {
        client: epoch
        for client, value in sorted(roots.get("epochs", {}).items())
        if (epoch := _epoch(value)) is not None
    }
    name, icon, description = (_text(meta.get(key)) for key in ("name", "icon", "description"))
    return InspectedHead(name, icon, description, epochs, max(epochs.values(), default=None))


def inspect_registry(data: bytes, folder: str) -> tuple[InspectedWorkspace, ...]:
    """List the workspaces of a registry.yjs, with the names that their heads give.

    Args:
        data: The file.
        folder: Where the app keeps workspaces. Ids are only looked up among its entries.

    Raises:
        ValueError: It is no whole update.
    """
    try:
        there = set(os.listdir(folder))
    except OSError:
        there = set[str]()
    listed = sorted(
        id_ for id_, value in read_maps(data).get("workspaces", {}).items() if value is True
    )
    names = {id_: read_head(os.path.join(folder, id_, HEAD)).name for id_ in listed if id_ in there}
    return tuple(InspectedWorkspace(id_, names.get(id_), id_ in there) for id_ in listed)


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
    items = Items(list(reader.structs()))
    deleted = Deleted(reader.deleted())
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


def _read_roots(path: str) -> dict[str, dict[str, Any]]:
    try:
        data = read_stable(path, _MOST_BYTES).data
        return read_maps(_as_v1(data))
    except (SidecarError, ValueError, IndexError):
        return {}


def _as_v1(data: bytes) -> bytes:
    if not is_v2(data):
        return data
    from sidecar.document.opened import v1_update  # noqa: PLC0415 - loads the decoder

    return v1_update(data)[0]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _epoch(value: Any) -> int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    whole = number and math.isfinite(value) and value >= 0 and value == int(value)
    return int(value) if whole else None
