"""Documents for commands that look and never build: a settled read, and is it in the mirror?"""

import time

from sidecar.digests import TableDigest
from sidecar.document.decode import decode
from sidecar.document.reading import Content, read_stable
from sidecar.errors import DocumentUnavailableError
from sidecar.mirror.read import Mirror
from sidecar.mirror.schema import plan

_WAITS_S = (0.02, 0.05, 0.1, 0.25)
"""Hosts truncate and rewrite in place; most are done within these."""


def read_settled(path: str, max_bytes: int) -> Content:
    """Read a document, with some patience for an app that is writing it just now.

    Raises:
        DocumentUnavailableError: As ``read_stable``, also after the last try.
        DocumentUnusableError: As ``read_stable``.
    """
    for wait_s in _WAITS_S:
        try:
            return read_stable(path, max_bytes)
        except DocumentUnavailableError as error:
            if error.code not in {"empty", "torn"}:
                raise
        time.sleep(wait_s)
    return read_stable(path, max_bytes)


def has_same_content(content: Content, mirror: Mirror) -> bool:
    """Tell whether a mirror was built from this content, by bytes or by digests of its tables.

    Raises:
        SidecarError: The document cannot be decoded.
    """
    if content.digest == mirror.source_digest:
        return True
    with decode(content, tolerate=True) as workspace:
        digests: dict[str, str] = {}
        for schema in plan(workspace.tables):
            digest = TableDigest(schema.table)
            for chunk in schema.table.chunks():
                digest.update(chunk)
            digests[schema.name] = digest.hexdigest()
        workspace.settle()
    return digests == mirror.digests
