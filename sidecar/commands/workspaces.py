"""Finds workspaces by id or name, and their current epochs, from the host's files."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sidecar.discovery import place_of
from sidecar.errors import SidecarError, UsageError
from sidecar.files import shown
from sidecar.model import Source

if TYPE_CHECKING:
    from sidecar.document.standing import Standing

_MOST_NAMED = 5
"""Most workspaces or documents in one message."""


class Target(NamedTuple):
    """One selected document.

    Attributes:
        source: The document and its mirror. For a mirror without a document, both paths are the
            mirror's.
        standing: The workspace's name and icon, whether it is deleted, and whether this epoch is
            current.
    """

    source: Source
    standing: "Standing"


def target_of(source: Source) -> Target:
    """Read the host's data about a document."""
    from sidecar.document.standing import standing_of  # only for commands that use names

    return Target(source, standing_of(source))


def workspace_id(name: str, sources: Iterable[Source]) -> str:
    """Return the id of a workspace by its id or name; workspaces that are not deleted come first.

    Raises:
        UsageError: Several workspaces have this name.
        SidecarError: There is none.
    """
    known: dict[str, Standing] = {}
    for source in sources:
        folder = os.path.basename(place_of(source.document)[0])
        known.setdefault(folder, target_of(source).standing)
    if name in known:
        return name
    wanted = name.strip().casefold()
    same = {id_: one for id_, one in known.items() if (one.name or "").strip().casefold() == wanted}
    same = {id_: one for id_, one in same.items() if not one.deleted} or same
    if len(same) == 1:
        return next(iter(same))
    if same:
        message = f"{len(same)} workspaces are called {name}; give one of these ids: {_few(same)}"
        raise UsageError(message)
    from sidecar.commands.near import did_you_mean  # only after a mistake

    names = [text for id_, one in known.items() for text in (one.name, id_) if text]
    raise SidecarError("gone", f"there is no workspace {name}{did_you_mean(name, names)}")


def current_of(targets: Sequence[Target]) -> list[Target]:
    """Return the current epoch of each workspace; if that has no document, the highest one."""
    highest: dict[str, int] = {}
    has_current: set[str] = set()
    for target in targets:
        folder, epoch = place_of(target.source.document)
        if epoch is not None:
            highest[folder] = max(epoch, highest.get(folder, epoch))
        if target.standing.current:
            has_current.add(folder)
    return [target for target in targets if _is_current(target, highest, has_current)]


def _is_current(target: Target, highest: dict[str, int], has_current: set[str]) -> bool:
    folder, epoch = place_of(target.source.document)
    return target.standing.current if folder in has_current else epoch == highest.get(folder)


def too_many(command: str, places: str, targets: Sequence[Target]) -> str:
    """Return a message that a command is for one document, and how to choose it."""
    text = f"{command} is for one document, and {places} has {len(targets)}"
    workspaces = {
        os.path.basename(place_of(one.source.document)[0]): one.standing for one in targets
    }
    if len(workspaces) == len(targets):
        return f"{text}; choose one by --workspace: {_few(workspaces)}"
    paths = [shown(one.source.document) for one in targets]
    return f"{text}; name one: {', '.join(paths[:_MOST_NAMED])}"


def _few(workspaces: "dict[str, Standing]") -> str:
    """Return some workspaces as text, by name and id."""
    named = [f"{one.name} ({id_})" if one.name else id_ for id_, one in workspaces.items()]
    more = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
