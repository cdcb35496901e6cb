"""What the host says of the workspace that a document belongs to, without reading the document."""

import os
from functools import lru_cache

import msgspec

from sidecar.discovery import place_of
from sidecar.document.heads import read_head, read_registry
from sidecar.files import FileVersion, version_of
from sidecar.model import Source
from sidecar.names import DOCUMENT, EPOCH, HEAD, REGISTRY


class Standing(msgspec.Struct, frozen=True):
    """How a document stands among those of its app.

    Attributes:
        name: The workspace's, from head.yjs; None when that says nothing usable.
        icon: As ``name``.
        current: Whether this is the workspace's current epoch.
        deleted: Whether registry.yjs no longer lists the workspace.
    """

    name: str | None
    icon: str | None
    current: bool
    deleted: bool


def standing_of(source: Source) -> Standing:
    """Look up how a document stands. Nothing is raised."""
    folder, epoch = place_of(source.document)
    head = read_head(os.path.join(folder, HEAD))
    current = epoch is None or epoch == (_highest(folder) if head.epoch is None else head.epoch)
    registry = os.path.join(os.path.dirname(os.path.dirname(folder)), REGISTRY)
    return Standing(head.name, head.icon, current, _is_deleted(os.path.basename(folder), registry))


def _highest(folder: str) -> int | None:
    """Find the highest epoch that has a document, for workspaces whose head does not say."""
    try:
        names = [name for name in os.listdir(folder) if EPOCH.fullmatch(name)]
    except OSError:
        return None
    epochs = [int(name) for name in names if os.path.exists(os.path.join(folder, name, DOCUMENT))]
    return max(epochs, default=None)


def _is_deleted(workspace: str, registry: str) -> bool:
    """Tell whether the registry knows of workspaces, and not of this one."""
    listed = _listed(registry, version_of(registry))
    return listed is not None and workspace not in listed


@lru_cache(maxsize=4)
def _listed(registry: str, _version: FileVersion | None) -> frozenset[str] | None:
    """Read a registry once for all its workspaces."""
    return read_registry(registry)
