"""Documents for commands that look and never build: a patient read, and digests."""

import time

from sidecar.digests import TableDigest
from sidecar.document.decode import decode
from sidecar.document.reading import Content, Expected, read_stable
from sidecar.errors import DocumentUnavailableError
from sidecar.mirror.catalog import problems_of
from sidecar.mirror.schema import plan

_WAITS_S = (0.02, 0.05, 0.1, 0.25)
"""Hosts truncate and rewrite in place; most are done within these."""


def read_settled(path: str, max_bytes: int, expected: Expected | None = None) -> Content:
    """Read a document, with some patience for an app that is writing it just now.

    Args:
        path: The document.
        max_bytes: Larger files are refused.
        expected: As for ``read_stable``.

    Raises:
        DocumentUnavailableError: As ``read_stable``, also after the last try.
        DocumentUnusableError: As ``read_stable``.
    """
    for wait_s in _WAITS_S:
        try:
            return read_stable(path, max_bytes, expected)
        except DocumentUnavailableError as error:
            if error.code not in {"empty", "torn"}:
                raise
        time.sleep(wait_s)
    return read_stable(path, max_bytes, expected)


def digests_of(content: Content) -> tuple[dict[str, str], dict[str, str]]:
    """Decode a document and digest its tables, by their names in a mirror.

    Returns:
        The digests, and the fact that lists its problems.

    Raises:
        SidecarError: It cannot be decoded.
    """
    digests: dict[str, str] = {}
    with decode(content, tolerate=True) as workspace:
        problems = problems_of(workspace)
        for schema in plan(workspace.tables):
            digest = TableDigest(schema.table)
            for chunk in schema.table.chunks():
                digest.update(chunk)
            digests[schema.name] = digest.hexdigest()
    return digests, problems
