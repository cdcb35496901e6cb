"""Checks the path of ``--out``."""

import os
from collections.abc import Sequence

from msgspec.structs import replace

from sidecar.errors import UsageError
from sidecar.files import shown
from sidecar.model import Source


def check_out(out: str) -> str:
    """Return the absolute path if a mirror may be written there.

    Raises:
        UsageError: Its folder does not exist, or the file there is not a mirror.
    """
    path = os.path.abspath(out)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        message = f"{shown(folder)} is no folder; make it, or name another FILE"
        raise UsageError(message)
    if os.path.lexists(path):
        from sidecar.mirror.header import is_mirror

        if not is_mirror(path):
            message = f"{shown(path)} is no mirror and is left alone; name another FILE"
            raise UsageError(message)
    return path


def elsewhere(sources: Sequence[Source], out: str) -> Source:
    """Return the only document with another path for its mirror.

    Raises:
        UsageError: There are more documents, or the path may not be written.
    """
    if len(sources) != 1:
        message = f"--out is for one document, and here are {len(sources)}; name one of them"
        raise UsageError(message)
    return replace(sources[0], mirror=check_out(out))
