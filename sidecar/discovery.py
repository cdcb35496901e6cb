"""Which documents stand below the roots, and which folders tell when that changes.

Knows the host's layout (docs/format.md, Files) and nothing of what is in the files. Every name
comes from listing a folder: nothing from a command or a document is ever joined to a path.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence

import msgspec

from sidecar.errors import UsageError
from sidecar.files import version_of
from sidecar.model import Source

DOCUMENT = "workspace.yjs"
MIRROR = "tables.sqlite"
WORKSPACES = "workspaces"
HEAD = "head.yjs"

EPOCH = re.compile("0|[1-9][0-9]*")
"""The name of an epoch's folder."""
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Found(msgspec.Struct, frozen=True):
    """What one look at the roots found.

    Attributes:
        sources: By document path.
        folders: Those whose entries decide what the next look finds.
        awaited: Paths that do not exist and would be looked at if they did.
        missing: Roots that do not exist.
        denied: Roots that cannot be read, with the reason.
        closed: Folders below them that cannot be read, with the reason.
        linked: Folders that were reached through a link inside their root.
    """

    sources: dict[str, Source] = {}
    folders: dict[str, None] = {}
    awaited: set[str] = set()
    missing: list[str] = []
    denied: dict[str, str] = {}
    closed: dict[str, str] = {}
    linked: list[str] = []


def discover(roots: Sequence[str]) -> Found:
    """Look at every root and list the documents below it.

    Args:
        roots: Absolute paths: app data folders, ``workspaces`` folders, workspaces, epochs or
            documents, in any mixture, nested or not.

    Raises:
        UsageError: Two documents would have one mirror.
    """
    found = Found()
    for root in roots:
        try:
            _look_at(root, found)
        except OSError as error:
            if error.errno in _ABSENT:
                found.missing.append(root)
                _await(root, found)
            else:
                found.denied[root] = error.strerror or str(error)
    if found.linked or len(roots) > 1:
        _drop_twins(found)
    return found


def source_of(document: str) -> Source:
    """Return the source of a document by its path: workspace and epoch as far as they show."""
    folder = os.path.dirname(document)
    if os.path.basename(document) != DOCUMENT:
        return _source(document, folder, None, None)
    if _is_epoch_folder(folder):
        workspace = os.path.basename(os.path.dirname(folder)) or None
        return _source(document, folder, workspace, int(os.path.basename(folder)))
    return _source(document, folder, os.path.basename(folder) or None, None)


def _look_at(root: str, found: Found) -> None:
    if not stat.S_ISDIR(os.stat(root).st_mode):
        found.folders[os.path.dirname(root)] = None
        if version_of(root):
            found.sources[root] = source_of(root)
        return
    boundary = os.path.realpath(root)
    names = os.listdir(root)
    found.folders[root] = None
    if WORKSPACES in names and _is_folder(os.path.join(root, WORKSPACES), boundary):
        _workspaces(os.path.join(root, WORKSPACES), boundary, found)
    elif os.path.basename(root) == WORKSPACES:
        _workspaces(root, boundary, found)
    elif _is_epoch_folder(root) and DOCUMENT in names:
        _document(root, source_of(os.path.join(root, DOCUMENT)), boundary, found)
    elif _is_workspace_folder(root, names):
        _workspace(root, os.path.basename(root), boundary, found)
    else:
        found.awaited.add(os.path.join(root, WORKSPACES))
        _workspaces(root, boundary, found)


def _workspaces(folder: str, boundary: str, found: Found) -> None:
    for path in _folders_in(folder, boundary, found):
        _workspace(path, os.path.basename(path), boundary, found)


def _workspace(folder: str, workspace: str, boundary: str, found: Found) -> None:
    beside = os.path.join(folder, DOCUMENT)
    _document(folder, _source(beside, folder, workspace, None), boundary, found)
    for path in _folders_in(folder, boundary, found):
        name = os.path.basename(path)
        if EPOCH.fullmatch(name):
            found.folders[path] = None
            document = os.path.join(path, DOCUMENT)
            _document(path, _source(document, path, workspace, int(name)), boundary, found)


def _document(folder: str, source: Source, boundary: str, found: Found) -> None:
    found.folders[folder] = None
    try:
        mode = os.lstat(source.document).st_mode
    except OSError:
        return
    if stat.S_ISLNK(mode) and _is_inside(source.document, boundary):
        mode = stat.S_IFREG if version_of(source.document) else mode
    if stat.S_ISREG(mode):
        found.sources.setdefault(source.document, source)


def _folders_in(folder: str, boundary: str, found: Found) -> Iterator[str]:
    """Yield the folders inside one, links last so that a real name wins over a linked one."""
    found.folders[folder] = None
    try:
        with os.scandir(folder) as entries:
            listed = sorted((entry.is_symlink(), entry.path) for entry in entries if _opens(entry))
    except OSError as error:
        if error.errno not in _ABSENT:
            found.closed[folder] = error.strerror or str(error)
        return
    for linked, path in listed:
        if not linked:
            yield path
        elif _is_folder(path, boundary):
            found.linked.append(path)
            yield path


def _opens(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder, or a link that may lead to one."""
    return entry.is_dir(follow_symlinks=False) or entry.is_symlink()


def _is_folder(path: str, boundary: str) -> bool:
    return os.path.isdir(path) and (not os.path.islink(path) or _is_inside(path, boundary))


def _is_inside(path: str, boundary: str) -> bool:
    real = os.path.realpath(path)
    return os.path.commonpath((real, boundary)) == boundary


def _is_epoch_folder(folder: str) -> bool:
    above = os.path.basename(os.path.dirname(folder))
    return bool(EPOCH.fullmatch(os.path.basename(folder))) and above != WORKSPACES


def _is_workspace_folder(folder: str, names: list[str]) -> bool:
    if os.path.basename(os.path.dirname(folder)) == WORKSPACES:
        return True
    return any(name in {DOCUMENT, HEAD} or EPOCH.fullmatch(name) for name in names)


def _source(document: str, folder: str, workspace: str | None, epoch: int | None) -> Source:
    return Source(document, os.path.join(folder, MIRROR), workspace, epoch)


def _await(root: str, found: Found) -> None:
    """Note the nearest folder that exists above a missing root, and what must appear in it."""
    path, above = root, os.path.dirname(root)
    while not os.path.isdir(above) and above != path:
        path, above = above, os.path.dirname(above)
    found.folders[above] = None
    found.awaited.add(path)


def _is_linked(document: str, found: Found) -> bool:
    return any(document.startswith(folder + os.sep) for folder in found.linked)


def _drop_twins(found: Found) -> None:
    """Drop the second name of a document, so that no mirror has two builders.

    Raises:
        UsageError: Two different documents share a folder, and so a mirror.
    """
    owners: dict[str, str] = {}
    for document, source in sorted(
        found.sources.items(), key=lambda item: _is_linked(item[0], found)
    ):
        mirror = os.path.realpath(source.mirror)
        owner = owners.setdefault(mirror, document)
        if owner == document:
            continue
        if os.path.realpath(owner) != os.path.realpath(document):
            message = f"{owner} and {document} would share the mirror {mirror}: give only one"
            raise UsageError(message)
        del found.sources[document]
