"""Which documents and mirrors a command means: the one place that answers this.

A command that works on everything takes ``find`` or ``sources_of``; one that looks at a single
document ``one_source``; one that reads mirrors ``chosen``, which keeps to the current epochs of
living workspaces. ``--workspace``, ``--epoch`` and ``--all-epochs`` are honoured by all of them.
"""

import os
import shlex
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
    """The documents that a command means, and what it passes over.

    Attributes:
        targets: In the order of their paths.
        older: How many documents lie in epochs that are not current and are passed over.
        deleted: How many lie in deleted workspaces and are passed over.
        closed: Folders that cannot be read, with the reason; each was complained of.
    """

    targets: tuple[Target, ...]
    older: int
    deleted: int
    closed: dict[str, str]


def find(settings: Settings) -> Found:
    """Find the documents that are meant, in all epochs, and complain of closed folders.

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
    """Return what was found in the order of its paths."""
    return [source for _, source in sorted(found.sources.items())]


def sources_of(settings: Settings) -> list[Source]:
    """Find the documents that are meant; as ``find``, in the order of their paths."""
    return in_order(find(settings))


def targets_of(settings: Settings) -> list[Target]:
    """Find the documents that are meant, in all epochs, with what their host says of them."""
    return [target_of(source) for source in sources_of(settings)]


def one_source(settings: Settings, command: str) -> Source:
    """Return the one document that is meant: of a workspace, the one of its current epoch.

    A file that is named need not be called workspace.yjs, nor have a dot in its name.

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
    """Return the folder that links may not leave: the root in which a document was found."""
    roots = [root for root in settings.roots if source.document.startswith(root + os.sep)]
    return max(roots, key=len, default=os.path.dirname(source.document))


def mirrors_of(settings: Settings) -> list[Source]:
    """Find all mirrors below the roots, of every epoch; a root may also be a mirror itself.

    Raises:
        RootError: A root does not exist or cannot be read.
    """
    named, others = _part_mirrors(settings)
    return [_source_of_mirror(root) for root in named] + (sources_of(others) if others else [])


def command_line(words: str, settings: Settings) -> str:
    """Return a command on the roots of this one, as it can be pasted into a shell."""
    paths = " ".join(shlex.quote(shown(root)) for root in settings.roots)
    return f"epicenter-sidecar {words} {paths}"


def chosen(settings: Settings, *, every: bool = False) -> Chosen:
    """Find the mirrors that a reading command means; a root may also be a mirror itself.

    Those are the mirrors of current epochs of living workspaces. What is named stays: a mirror, a
    document, an epoch's or a deleted workspace's own folder, ``--workspace``, ``--epoch``.
    The mirrors may be missing.

    Args:
        settings: The roots, and what of them is meant.
        every: Take older epochs and deleted workspaces too.

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
    """Find where mirrors are, for who removes them.

    Returns:
        Document by mirror, of what is meant, whether the mirror is there or not; and the folders
        in which mirrors may be whose documents are gone: those below roots that are meant whole.

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
    """Return settings whose ``workspace`` is an id, and say what may not be as it was meant.

    A root that does not exist, or has no documents, is waited for; so similar names are only
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
    """Say that there are no documents, and what is near."""
    from sidecar.commands.near import nothing_here  # only after a mistake

    complain(nothing_here(settings.roots, settings.selection))


def _narrow(found: Found, settings: Settings) -> None:
    """Keep the workspace and the epoch that are asked for.

    Raises:
        UsageError: The workspace's name is that of several.
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
    """Tell whether a root or an option points at the workspace of a document itself."""
    folder = place_of(target.source.document)[0]
    return settings.workspace is not None or any(
        root == folder or root.startswith(folder + os.sep) for root in settings.roots
    )


def _part_mirrors(settings: Settings) -> tuple[list[str], Settings | None]:
    """Part roots that are mirrors themselves from the others."""
    from sidecar.mirror.header import is_mirror

    named = [root for root in settings.roots if os.path.isfile(root) and is_mirror(root)]
    others = tuple(root for root in settings.roots if root not in named)
    return named, replace(settings, roots=others) if others else None


def _source_of_mirror(path: str) -> Source:
    """Return the document beside a mirror; one that stands alone knows where it is from."""
    from sidecar.mirror.state import read_mirror  # SQLite

    beside = document_of(path)
    if is_mirror_name(os.path.basename(path)) and os.path.isfile(beside):
        return replace(source_of(beside), mirror=path)
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
