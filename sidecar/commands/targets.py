"""Arguments that name one document, or a moment of one."""

import os
import re

import msgspec

from sidecar.commands.terminal import complain
from sidecar.discovery import DOCUMENT, MIRROR, Found, discover, source_of
from sidecar.errors import RootError, SidecarError, UsageError
from sidecar.files import shown
from sidecar.model import Source
from sidecar.settings import Settings

_MOMENT = re.compile(r"(.+)@([0-9]{1,15})")


def find(settings: Settings) -> Found:
    """Find the documents below the roots, and complain of folders that cannot be read.

    Raises:
        RootError: A root does not exist or cannot be read.
    """
    found = discover(settings.roots)
    for root, reason in found.denied.items():
        message = f"{root} cannot be read: {reason}; check its permissions"
        raise RootError(message)
    for root in found.missing:
        message = f"{root} does not exist; check the path or identifier, or let the app run once"
        raise RootError(message)
    for folder, reason in found.closed.items():
        complain(f"{shown(folder)} cannot be read and is left out: {reason}")
    return found


def in_order(found: Found) -> list[Source]:
    """Return what was found in the order of its paths."""
    return [source for _, source in sorted(found.sources.items())]


def sources_of(settings: Settings) -> list[Source]:
    """Find the documents below the roots; as ``find``, in the order of their paths."""
    return in_order(find(settings))


def one_source(settings: Settings, command: str) -> Source:
    """Return the one document that the roots name; a file need not be called workspace.yjs.

    Raises:
        SidecarError: There is none.
        UsageError: There are more.
        RootError: A root does not exist or cannot be read.
    """
    root = settings.roots[0]
    if len(settings.roots) == 1 and os.path.exists(root) and not os.path.isdir(root):
        return source_of(root)
    sources = sources_of(settings)
    if len(sources) == 1:
        return sources[0]
    places = ", ".join(map(shown, settings.roots))
    if not sources:
        message = f"{command} is for one document, and there is none in {places}"
        raise SidecarError("gone", message)
    first = shown(sources[0].document)
    message = f"{command} is for one document, and {places} has {len(sources)}; name one: {first}"
    raise UsageError(message)


def mirrors_of(settings: Settings) -> list[Source]:
    """Find the mirrors below the roots; a root may also be a mirror itself.

    Raises:
        RootError: A root does not exist or cannot be read.
    """
    from sidecar.mirror.state import is_mirror  # noqa: PLC0415 - SQLite

    named = [root for root in settings.roots if os.path.isfile(root) and is_mirror(root)]
    others = tuple(root for root in settings.roots if root not in named)
    found = [_source_of_mirror(root) for root in named]
    if others:
        found += sources_of(msgspec.structs.replace(settings, roots=others))
    return found


def _source_of_mirror(path: str) -> Source:
    """Return the document beside a mirror; one that stands alone knows where it is from."""
    from sidecar.mirror.state import read_mirror  # noqa: PLC0415 - SQLite

    beside = os.path.join(os.path.dirname(path), DOCUMENT)
    if os.path.basename(path) == MIRROR and os.path.isfile(beside):
        return source_of(beside)
    facts = read_mirror(path).facts
    epoch = facts.get("epoch") or ""
    return Source(path, path, facts.get("workspace"), int(epoch) if epoch.isdecimal() else None)


def moment_of(argument: str) -> tuple[str, int | None]:
    """Part DOC@UNIX_MS into path and moment; a path that exists as it is has no moment."""
    match = _MOMENT.fullmatch(argument)
    if match is None or os.path.lexists(argument):
        return argument, None
    return match[1], int(match[2])


def check_out(out: str) -> str:
    """Return an absolute path that a mirror may be written to.

    Raises:
        UsageError: There is no such folder, or something that is no mirror is there.
    """
    path = os.path.abspath(out)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        message = f"{shown(folder)} is no folder; make it, or name another FILE"
        raise UsageError(message)
    if os.path.lexists(path):
        from sidecar.mirror.state import is_mirror  # noqa: PLC0415 - SQLite

        if not is_mirror(path):
            message = f"{shown(path)} is no mirror and is left alone; name another FILE"
            raise UsageError(message)
    return path


def _elsewhere(sources: list[Source], out: str) -> Source:
    """Return the one document with another place for its mirror.

    Raises:
        UsageError: There are more documents, or nothing may be written there.
    """
    if len(sources) != 1:
        message = f"--out is for one document, and here are {len(sources)}; name one of them"
        raise UsageError(message)
    return msgspec.structs.replace(sources[0], mirror=check_out(out))
