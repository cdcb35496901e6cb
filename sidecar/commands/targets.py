"""Decides which documents and mirrors a command uses.

Commands for all documents call ``find`` or ``sources_of``; those for a single document
``one_source``; those that read mirrors ``chosen``, which returns only current epochs of workspaces
that are not deleted. All apply ``--workspace``, ``--epoch`` and ``--all-epochs``.
"""

import os
from typing import NamedTuple

from msgspec.structs import replace

from sidecar.commands.terminal import complain
from sidecar.commands.workspaces import Target, current_of, target_of, too_many, workspace_id
from sidecar.discovery import Found, discover, is_chosen, place_of, source_of
from sidecar.errors import RootError, SidecarError, UsageError
from sidecar.files import shown
from sidecar.model import Source
from sidecar.names import document_of, is_mirror_name
from sidecar.settings import Settings


class Chosen(NamedTuple):
    """The documents that a command uses, and what it leaves out.

    Attributes:
        targets: In the order of their paths.
        older: Number of documents left out because their epoch is not current.
        deleted: Number of documents left out because their workspace is deleted.
        closed: Folders that cannot be read, with the reason; each was already reported.
    """

    targets: tuple[Target, ...]
    older: int
    deleted: int
    closed: dict[str, str]


def find(settings: Settings) -> Found:
    """Return the selected documents, of all epochs, and report folders that cannot be read.

    Raises:
        RootError: A root does not exist or cannot be read.
        UsageError: A root is a file that is no document, or a workspace's name is not unique.
        SidecarError: There is no such workspace or epoch.
    """
    found = discover(settings.roots, replace(settings.selection, workspace=None, epoch=None))
    for root, reason in found.denied.items():
        message = f"{shown(root)} cannot be read: {reason}"
        raise RootError(message)
    for root in found.missing:
        raise RootError(_absence(root))
    for root, reason in found.refused.items():
        raise UsageError(_refusal(root, reason))
    for folder, reason in found.closed.items():
        complain(f"{shown(folder)} cannot be read and is left out: {reason}")
    _narrow(found, settings)
    return found


def in_order(found: Found) -> list[Source]:
    """Return the documents in the order of their paths."""
    return [source for _, source in sorted(found.sources.items())]


def sources_of(settings: Settings) -> list[Source]:
    """Return the documents that ``find`` returns, in the order of their paths."""
    return in_order(find(settings))


def targets_of(settings: Settings) -> list[Target]:
    """Return the selected documents, of all epochs, with the host's data about them."""
    return [target_of(source) for source in sources_of(settings)]


def one_source(settings: Settings, command: str) -> Source:
    """Return the single selected document; for a workspace, that of its current epoch.

    A file that is given by its path may have any name, also one without a dot.

    Raises:
        SidecarError: There is none.
        UsageError: There are more.
        RootError: A root does not exist or cannot be read.
    """
    root = settings.roots[0]
    if len(settings.roots) == 1 and os.path.exists(root) and not os.path.isdir(root):
        return source_of(root)
    every = targets_of(settings)
    targets = every if settings.epoch is not None else current_of(every)
    if len(targets) == 1:
        return targets[0].source
    places = ", ".join(map(shown, settings.roots))
    if not targets:
        message = f"{command} is for one document, and there is none in {places}"
        raise SidecarError("gone", message)
    raise UsageError(too_many(command, places, targets))


def boundary_of(settings: Settings, source: Source) -> str:
    """Return the root in which a document was found: links that lead out of it are not followed."""
    roots = [root for root in settings.roots if source.document.startswith(root + os.sep)]
    return max(roots, key=len, default=os.path.dirname(source.document))


def mirrors_of(settings: Settings) -> list[Source]:
    """Return all mirrors below the roots, of every epoch; a root may also be a mirror itself.

    Raises:
        RootError: A root does not exist or cannot be read.
    """
    named, others = _part_mirrors(settings)
    return [_source_of_mirror(root) for root in named] + (sources_of(others) if others else [])


def command_line(words: str, settings: Settings) -> str:
    """Return a command on the roots of this one, as it can be pasted into a shell."""
    import shlex  # for advice alone

    paths = " ".join(shlex.quote(shown(root)) for root in settings.roots)
    return f"epicenter-sidecar {words} {paths}"


def chosen(settings: Settings, *, every: bool = False) -> Chosen:
    """Return the mirrors that a reading command uses; a root may also be a mirror itself.

    Those are the mirrors of current epochs of workspaces that are not deleted, and whatever is
    given explicitly: a mirror, a document, an epoch's folder, a deleted workspace's folder,
    ``--workspace``, ``--epoch``. The mirrors may be missing.

    Args:
        settings: The roots and the selection.
        every: Include older epochs and deleted workspaces.

    Raises:
        RootError: A root does not exist or cannot be read.
        UsageError: A workspace's name is not unique.
        SidecarError: There is no such workspace or epoch.
    """
    named, others = _part_mirrors(settings)
    targets = [target_of(_source_of_mirror(root)) for root in named]
    if not others:
        return Chosen(tuple(targets), 0, 0, {})
    found = find(others)
    below = [target_of(source) for source in in_order(found)]
    living = [one for one in below if every or not one.standing.deleted or _is_named(one, others)]
    current = (
        living if every or others.all_epochs or others.epoch is not None else current_of(living)
    )
    return Chosen(
        targets=(*targets, *current),
        older=len(living) - len(current),
        deleted=len(below) - len(living),
        closed=found.closed,
    )


def find_mirrors(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Return the mirrors that ``clean`` may remove.

    Returns:
        The document by its mirror, which may be missing; and the folders that may also have
        mirrors without documents: those below roots without a selection.

    Raises:
        RootError: A root does not exist or cannot be read.
        UsageError: A root is a file that is no document, or a workspace's name is not unique.
        SidecarError: There is no such workspace or epoch.
    """
    named, others = _part_mirrors(settings)
    mirrors = {path: document_of(path) for path in named}
    if not others:
        return mirrors, []
    found = find(others)
    mirrors |= {source.mirror: source.document for source in found.sources.values()}
    if (others.workspace, others.epoch, others.into) != (None, None, None):
        return mirrors, []
    tops = [root for root in others.roots if os.path.isdir(root)]
    folders = [
        folder
        for folder in found.folders
        if any(folder == top or folder.startswith(top + os.sep) for top in tops)
    ]
    return mirrors, folders


def to_be_watched(settings: Settings) -> Settings:
    """Return settings whose ``workspace`` is an id, and print what may be a mistake.

    ``watch`` waits for a root that does not exist or has no documents, so similar names are only
    suggested.

    Raises:
        UsageError: A root is a file that is no document, or a workspace's name is not unique.
        SidecarError: There is no such workspace.
    """
    found = discover(settings.roots, replace(settings.selection, workspace=None, epoch=None))
    for root, reason in found.refused.items():
        raise UsageError(_refusal(root, reason))
    from sidecar.commands.near import near_path, nothing_here  # seldom needed

    for root in found.missing:
        complain(f"{shown(root)} does not exist yet; {near_path(root)}it is waited for")
    if settings.workspace is not None:
        settings = replace(settings, workspace=workspace_id(settings.workspace, in_order(found)))
    elif not found.sources and not found.missing and not found.denied:
        complain(f"{nothing_here(settings.roots, settings.selection)}; they are waited for")
    return settings


def complain_of_nothing(settings: Settings) -> None:
    """Report that there are no documents, with suggestions."""
    from sidecar.commands.near import nothing_here  # only after a mistake

    complain(nothing_here(settings.roots, settings.selection))


def _narrow(found: Found, settings: Settings) -> None:
    """Remove the documents that are not in the selected workspace and epoch.

    Raises:
        UsageError: Several workspaces have this name.
        SidecarError: There is no such workspace or epoch.
    """
    if settings.workspace is not None:
        workspace = workspace_id(settings.workspace, in_order(found))
        settings = replace(settings, workspace=workspace)
    epochs = {place_of(document)[1] for document in found.sources}
    for document, source in [*found.sources.items()]:
        if not is_chosen(source, settings.selection):
            del found.sources[document]
    if settings.epoch is not None and not found.sources:
        known = ", ".join(str(epoch) for epoch in sorted(epochs - {None})) or "none"  # type: ignore[type-var]
        message = f"there is no epoch {settings.epoch} here; the epochs are: {known}"
        raise SidecarError("gone", message)


def _is_named(target: Target, settings: Settings) -> bool:
    """Return whether a root or an option names the workspace of a document explicitly."""
    folder = place_of(target.source.document)[0]
    return settings.workspace is not None or any(
        root == folder or root.startswith(folder + os.sep) for root in settings.roots
    )


def _part_mirrors(settings: Settings) -> tuple[list[str], Settings | None]:
    """Return the roots that are mirrors, and settings with the other roots."""
    from sidecar.mirror.header import is_mirror

    named = [root for root in settings.roots if os.path.isfile(root) and is_mirror(root)]
    others = tuple(root for root in settings.roots if root not in named)
    return named, replace(settings, roots=others) if others else None


def _source_of_mirror(path: str) -> Source:
    """Return the document beside a mirror; without one, the data from the mirror's catalog."""
    beside = document_of(path)
    if is_mirror_name(os.path.basename(path)) and os.path.isfile(beside):
        return replace(source_of(beside), mirror=path)
    from sidecar.mirror.state import read_mirror  # SQLite, and what it takes to write a mirror

    facts = read_mirror(path).facts
    epoch = facts.get("epoch") or ""
    return Source(path, path, facts.get("workspace"), int(epoch) if epoch.isdecimal() else None)


def _absence(root: str) -> str:
    from sidecar.commands.near import near_path  # only after a mistake

    return (
        f"{shown(root)} does not exist; {near_path(root)}"
        "check the path or identifier, or let the app run once"
    )


def _refusal(root: str, reason: str) -> str:
    text = f"{shown(root)} is no document: {reason}"
    beside = document_of(root)
    if is_mirror_name(os.path.basename(root)) and os.path.isfile(beside):
        return f"{text}; the document beside it is {shown(beside)}"
    return f"{text}; name a document, or its folder"
