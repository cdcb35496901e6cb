"""Which mirrors answer: where they are from, how old they are, whether they are in step."""

import os
import stat
from typing import Literal

from sidecar.digests import digest_stream
from sidecar.files import shown
from sidecar.model import Source
from sidecar.reports import DocumentFields, doc_fields

MirrorState = Literal["in_step", "changed", "missing"]


class Queried(DocumentFields, frozen=True, kw_only=True):
    """A document whose mirror was asked, or would have been.

    Attributes:
        name: The workspace's, None when head.yjs says none.
        mirror: Path of the mirror.
        state: ``changed``: the document has other bytes than the mirror was made of; whether they
            mean something else was not compared. ``missing``: there is no mirror to read.
        mirror_mtime_ms: When the mirror was published, Unix milliseconds.
    """

    name: str | None
    mirror: str
    state: MirrorState
    mirror_mtime_ms: int | None


def queried(source: Source, name: str | None, facts: dict[str, str | None] | None) -> Queried:
    """Describe one mirror that was opened, by its document's bytes and its own ``_mirror``.

    Args:
        source: The document and its mirror.
        name: The workspace's.
        facts: The lines of ``_mirror``; None where the mirror cannot be read.
    """
    state: MirrorState = "missing"
    if facts is not None:
        state = "in_step" if _is_of(source.document, facts) else "changed"
    return Queried(
        **doc_fields(source),
        name=name,
        mirror=shown(source.mirror),
        state=state,
        mirror_mtime_ms=published_ms(source.mirror),
    )


def _is_of(document: str, facts: dict[str, str | None]) -> bool:
    """Tell whether a document's bytes are those that a mirror was made of."""
    try:
        seen = os.stat(document)
        if not stat.S_ISREG(seen.st_mode) or str(seen.st_size) != facts.get("source_bytes"):
            return False
        descriptor = os.open(document, os.O_RDONLY | _NO_WAIT)
        with open(descriptor, "rb", buffering=0) as file:
            return digest_stream(file.readinto) == facts.get("source_digest")
    except OSError:
        return False


_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""The file may have become a FIFO since it was looked at."""


def published_ms(mirror: str) -> int | None:
    """Tell when a mirror was published, in Unix milliseconds; None when it is not there."""
    try:
        return os.stat(mirror).st_mtime_ns // 1_000_000
    except OSError:
        return None
