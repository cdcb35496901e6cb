"""Arguments that name one document, or a moment of one."""

import os
import re

import msgspec

from sidecar.commands.sync import sources_of
from sidecar.discovery import DOCUMENT, source_of
from sidecar.errors import UsageError
from sidecar.model import Source
from sidecar.reports import shown
from sidecar.settings import Settings

_MOMENT = re.compile(r"(.+)@([0-9]{1,15})")


def one_source(settings: Settings, command: str) -> Source:
    """Return the one document that the roots name; a file need not be called workspace.yjs.

    Raises:
        UsageError: There is none, or more than one.
        RootError: A root does not exist or cannot be read.
    """
    if len(settings.roots) == 1 and not os.path.isdir(settings.roots[0]):
        return source_of(settings.roots[0])
    sources = sources_of(settings)
    if len(sources) == 1:
        return sources[0]
    places = ", ".join(map(shown, settings.roots))
    if not sources:
        message = f"{command} is for one document, and there is none in {places}"
        raise UsageError(message)
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
    found = [
        msgspec.structs.replace(
            source_of(os.path.join(os.path.dirname(root), DOCUMENT)), mirror=root
        )
        for root in named
    ]
    if others:
        found += sources_of(msgspec.structs.replace(settings, roots=others))
    return found


def moment_of(argument: str) -> tuple[str, int | None]:
    """Part DOC@UNIX_MS into path and moment; a path that exists as it is has no moment."""
    match = _MOMENT.fullmatch(argument)
    if match is None or os.path.lexists(argument):
        return argument, None
    return match[1], int(match[2])


def check_out(out: str) -> str:
    """Return an absolute path that a mirror may be written to.

    Raises:
        UsageError: Something that is no mirror is there.
    """
    from sidecar.mirror.read import is_mirror  # noqa: PLC0415 - SQLite

    path = os.path.abspath(out)
    if os.path.lexists(path) and not is_mirror(path):
        message = f"{shown(path)} is no mirror and is left alone; name another FILE"
        raise UsageError(message)
    return path
