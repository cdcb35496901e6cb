"""Finds the documents below the roots, and the folders to watch for documents that come or go.

Contains the host's folder layout (docs/format.md, Files) and opens no file. Every name comes from
listing a folder: no text from a command or a document is ever joined to a path.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence

import msgspec

from sidecar.errors import UsageError
from sidecar.files import reason_of, version_of
from sidecar.links import is_inside, steps_to
from sidecar.model import Selection, Source
from sidecar.names import (
    DOCUMENT,
    EPOCH,
    HEAD,
    WORKSPACES,
    is_literal,
    matching,
    mirror_of,
    why_no_document,
)

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_ALL = Selection()

Place = tuple[str, int | None]
"""The folder of a workspace, and the epoch if the document is in an epoch's folder."""


class Found(msgspec.Struct, frozen=True):
    """What one look at the roots found.

    Attributes:
        sources: By document path.
        mirrors: Document path by mirror path.
        behind: Path of a link by the path of its target.
        folders: Folders whose entries decide which documents the next look finds.
        steps: Every path component on the way to a root or to the target of a link. When one of
            them is replaced, the next look may find other documents.
        above: The parent folders of those components.
        awaited: Paths that do not exist yet and may become roots or folders of documents.
        missing: Roots that do not exist.
        denied: Roots that cannot be read, with the reason.
        closed: Folders below them that cannot be read, with the reason.
        refused: Files that were given as roots and cannot be documents, with the reason.
        linked: Folders found through a link inside their root.
    """

    sources: dict[str, Source] = {}
    mirrors: dict[str, str] = {}
    behind: dict[str, str] = {}
    folders: dict[str, None] = {}
    steps: set[str] = set()
    above: dict[str, None] = {}
    awaited: set[str] = set()
    missing: list[str] = []
    denied: dict[str, str] = {}
    closed: dict[str, str] = {}
    refused: dict[str, str] = {}
    linked: list[str] = []


def discover(roots: Sequence[str], selection: Selection = _ALL) -> Found:
    """Look at every root and list the documents below it.

    Args:
        roots: Absolute paths: app data folders, ``workspaces`` folders, workspaces, epochs or
            documents, in any mixture, nested or not.
        selection: What counts as a document.

    Raises:
        UsageError: Two documents would have one mirror.
    """
    found = Found()
    for root in roots:
        try:
            _Look(root, selection, found).look()
        except OSError as error:
            if error.errno in _ABSENT:
                found.missing.append(root)
                _await(root, found)
            else:
                found.denied[root] = reason_of(error)
    _drop_twins(found, may_be_twice=bool(found.linked) or len(roots) > 1)
    if selection.into is not None:
        _follow_mirrors(found)
    return found


def source_of(document: str) -> Source:
    """Return the source of a document: workspace and epoch as far as the path contains them."""
    folder, name = os.path.split(document)
    if name != DOCUMENT:
        return Source(document, mirror_of(document), name, None)
    if _is_epoch_folder(folder):
        workspace = os.path.basename(os.path.dirname(folder)) or None
        return Source(document, mirror_of(document), workspace, int(os.path.basename(folder)))
    return Source(document, mirror_of(document), os.path.basename(folder) or None, None)


def place_of(document: str) -> Place:
    """Return the workspace folder and the epoch of a document, from its path."""
    folder = os.path.dirname(document)
    if _is_epoch_folder(folder):
        return os.path.dirname(folder), int(os.path.basename(folder))
    return folder, None


class _Look:
    """One look at one root."""

    def __init__(self, root: str, selection: Selection, found: Found) -> None:
        self._root = root
        self._boundary = os.path.realpath(root)
        self._selection = selection
        self._found = found
        self._fixed: list[str] | None = None
        if all(map(is_literal, selection.documents)):
            self._fixed = matching(selection.documents, selection.documents)

    def look(self) -> None:
        root, inner = self._root, os.path.join(self._root, WORKSPACES)
        self._note_steps(root)
        if not stat.S_ISDIR(os.stat(root).st_mode):
            self._file()
            return
        names = os.listdir(root)
        if WORKSPACES in names and self._is_folder(inner):
            self._documents(root, place_of(os.path.join(root, DOCUMENT)))
            self._workspaces(inner)
        elif os.path.basename(root) == WORKSPACES:
            self._documents(root, None)
            self._workspaces(root)
        elif _is_epoch_folder(root) and matching(names, self._selection.documents):
            self._documents(root, place_of(os.path.join(root, DOCUMENT)))
        elif self._is_workspace_folder(names):
            self._workspace(root)
        elif matching(names, self._selection.documents):
            self._documents(root, None)
            self._workspaces(root, only_sure=True)
        else:
            self._found.awaited.add(inner)
            self._workspaces(root)

    def _file(self) -> None:
        folder, name = os.path.split(self._root)
        self._found.folders[folder] = None
        reason = why_no_document(name)
        if reason:
            self._found.refused[self._root] = reason
        elif version_of(self._root):
            self._add(self._root, place_of(self._root), below=folder)

    def _workspaces(self, folder: str, *, only_sure: bool = False) -> None:
        """Look into each folder; with ``only_sure`` only if it has the entries of a workspace."""
        for path in self._folders_in(folder):
            if not only_sure or self._holds_a_workspace(path):
                self._workspace(path)

    def _workspace(self, folder: str) -> None:
        self._documents(folder, (folder, None))
        for path in self._folders_in(folder):
            name = os.path.basename(path)
            if EPOCH.fullmatch(name):
                self._documents(path, (folder, int(name)))

    def _documents(self, folder: str, place: Place | None) -> None:
        """Add the documents of a folder; ``workspace.yjs`` counts only where there is a place."""
        self._found.folders[folder] = None
        try:
            names = self._fixed
            if names is None:
                names = matching(os.listdir(folder), self._selection.documents)
            for name in names:
                if place or name != DOCUMENT:
                    self._document(os.path.join(folder, name), place)
        except OSError as error:
            self._close(folder, error)

    def _document(self, path: str, place: Place | None) -> None:
        try:
            mode = os.lstat(path).st_mode
        except OSError as error:
            if error.errno in _ABSENT:
                return
            raise
        if stat.S_ISLNK(mode):
            if not is_inside(path, self._boundary):
                return
            self._note_steps(path)
            if not version_of(path):
                return
        elif not stat.S_ISREG(mode):
            return
        self._add(path, place, below=self._root)

    def _add(self, path: str, place: Place | None, *, below: str) -> None:
        """Add a document; the relative path of its mirror is counted from ``below``."""
        source = source_of(path)
        if place and os.path.basename(path) == DOCUMENT:
            workspace = os.path.basename(place[0]) or None
            source = msgspec.structs.replace(source, workspace=workspace, epoch=place[1])
        if self._selection.into is not None:
            mirror = os.path.join(self._selection.into, os.path.relpath(source.mirror, below))
            source = msgspec.structs.replace(source, mirror=mirror)
        if is_chosen(source, self._selection):
            self._found.sources.setdefault(path, source)

    def _folders_in(self, folder: str) -> Iterator[str]:
        """Yield the folders inside one, links last so that a real name wins over a linked one."""
        self._found.folders[folder] = None
        try:
            with os.scandir(folder) as entries:
                listed = sorted((one.is_symlink(), one.path) for one in entries if _opens(one))
        except OSError as error:
            self._close(folder, error)
            return
        for is_link, path in listed:
            if is_link:
                if not self._is_folder(path):
                    continue
                self._note_steps(path)
                self._found.linked.append(path)
            yield path

    def _note_steps(self, path: str) -> None:
        """Record the components of a path, so that a replaced one is noticed.

        Those below the root are written with the root as it was given, not with its real path.
        """
        step = path
        for real in steps_to(path):
            step = real
            if real.startswith(self._boundary + os.sep):
                step = self._root + real[len(self._boundary) :]
            self._found.steps.add(step)
            self._found.above[os.path.dirname(step)] = None
        if path != self._root:
            self._found.behind[step] = path

    def _close(self, folder: str, error: OSError) -> None:
        if error.errno not in _ABSENT:
            self._found.closed[folder] = reason_of(error)

    def _is_folder(self, path: str) -> bool:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            self._close(path, error)
            return False
        return is_folder and (not os.path.islink(path) or is_inside(path, self._boundary))

    def _is_workspace_folder(self, names: list[str]) -> bool:
        if os.path.basename(os.path.dirname(self._root)) == WORKSPACES:
            return True
        return _is_workspace(names)

    def _holds_a_workspace(self, folder: str) -> bool:
        try:
            return _is_workspace(os.listdir(folder))
        except OSError as error:
            self._close(folder, error)
            return False


def is_chosen(source: Source, selection: Selection) -> bool:
    """Return whether a document lies in the selected workspace and epoch."""
    if selection.workspace is None and selection.epoch is None:
        return True
    folder, epoch = place_of(source.document)
    ids = {None, source.workspace, os.path.basename(folder)}
    return selection.workspace in ids and selection.epoch in {None, epoch}


def _is_workspace(names: list[str]) -> bool:
    return any(name in {DOCUMENT, HEAD} or EPOCH.fullmatch(name) for name in names)


def _opens(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link that may lead to one."""
    return entry.is_dir(follow_symlinks=False) or entry.is_symlink()


def _is_epoch_folder(folder: str) -> bool:
    above = os.path.basename(os.path.dirname(folder))
    return bool(EPOCH.fullmatch(os.path.basename(folder))) and above != WORKSPACES


def _await(root: str, found: Found) -> None:
    """Record the first missing component of a path, and the folder in which it must appear."""
    path, above = root, os.path.dirname(root)
    while not os.path.isdir(above) and above != path:
        path, above = above, os.path.dirname(above)
    found.folders[above] = None
    found.awaited.add(path)


def _follow_mirrors(found: Found) -> None:
    """Record the folders of mirrors that are elsewhere, so that a deleted mirror is noticed."""
    for folder in sorted({os.path.dirname(mirror) for mirror in found.mirrors} - {*found.folders}):
        for step in steps_to(folder):
            found.steps.add(step)
            found.above[os.path.dirname(step)] = None
        if os.path.isdir(folder):
            found.folders[folder] = None
        else:
            _await(folder, found)


def _drop_twins(found: Found, *, may_be_twice: bool) -> None:
    """Drop the second name of a document, so that no mirror has two builders.

    Raises:
        UsageError: Two different documents would have one mirror.
    """
    linked = tuple(folder + os.sep for folder in found.linked)
    owners: dict[tuple[str, str], str] = {}
    for source in sorted(found.sources.values(), key=lambda one: one.document.startswith(linked)):
        document = source.document
        if may_be_twice:
            folder, name = os.path.split(document)
            if owners.setdefault((os.path.realpath(folder), name), document) != document:
                del found.sources[document]
                continue
        owner = found.mirrors.setdefault(source.mirror, document)
        if owner != document:
            message = (
                f"{owner} and {document} would share the mirror {source.mirror}:"
                " give each root its own --into"
            )
            raise UsageError(message)
