"""Arguments that name one document, or a moment of one."""

import os
import re

import msgspec

from sidecar.commands.sync import sources_of
from sidecar.discovery import DOCUMENT, MIRROR, source_of
from sidecar.errors import SidecarError, UsageError
from sidecar.model import Source
from sidecar.reports import shown
from sidecar.settings import Settings

_MOMENT = re.compile(r"(.+)@([0-9]{1,15})")


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
    from sidecar.mirror.read import is_mirror  # noqa: PLC0415 - SQLite

    named = [root for root in settings.roots if os.path.isfile(root) and is_mirror(root)]
    others = tuple(root for root in settings.roots if root not in named)
    found = [_source_of_mirror(root) for root in named]
    if others:
        found += sources_of(msgspec.structs.replace(settings, roots=others))
    return found


def _source_of_mirror(path: str) -> Source:
    """Return the document beside a mirror; one that stands alone knows where it is from."""
    from sidecar.mirror.read import read_mirror  # noqa: PLC0415 - SQLite

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
