"""The warm road seen from a sync: what it decodes, what it leaves in step, and its check.

A sync that keeps nothing loads nothing of it.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sidecar.document.decode import decode
from sidecar.document.reading import Content
from sidecar.mirror.build import Candidate
from sidecar.mirror.state import MirrorOptions
from sidecar.model import Workspace

if TYPE_CHECKING:
    from sidecar.document.warm import Warm


def keeper(*, min_bytes: int, check: bool) -> "Warm":
    """Give what keeps the document that a process decodes last.

    Args:
        min_bytes: Smaller documents are not kept.
        check: Each document is decoded afresh as well, and both are compared.
    """
    from sidecar.document.warm import Warm  # noqa: PLC0415 - a sync that keeps nothing needs none

    return Warm(min_bytes=min_bytes, check=check)


def preload() -> None:
    """Import what the first edit of a document needs, so that forked children need not."""
    from sidecar.document import warm  # noqa: PLC0415 - see the module
    from sidecar.mirror import patch  # noqa: PLC0415

    del warm, patch


@contextmanager
def decoded(
    content: Content,
    warm: "Warm | None",
    *,
    accept_trailing: bool,
    chosen: MirrorOptions,
    path: str,
) -> Generator[Workspace]:
    """Give a document's workspace: by the warm road if every byte is accounted for, else afresh.

    Args:
        content: What was read.
        warm: What this process keeps; None keeps nothing.
        accept_trailing: As for ``decode``.
        chosen: What the mirror is built with.
        path: Of the document: another one is decoded afresh.

    Raises:
        DocumentUnavailableError: As ``decode``.
        DocumentUnusableError: As ``decode``.
    """
    if warm is None:
        with decode(
            content, accept_trailing=accept_trailing, tables=chosen.tables, columns=chosen.columns
        ) as workspace:
            yield workspace
        return
    with warm.decoded(
        content,
        accept_trailing=accept_trailing,
        tables=chosen.tables,
        columns=chosen.columns,
        path=path,
    ) as workspace:
        if warm.bug is not None:
            _complain(warm.bug)
        yield workspace


def _complain(bug: BaseException) -> None:
    """Write a bug of the warm road to stderr, which is logged; the document is decoded afresh."""
    import traceback  # noqa: PLC0415 - for bugs alone

    traceback.print_exception(bug, file=sys.stderr)


def road_of(warm: "Warm | None") -> str:
    """Tell how the document was read: ``warm``, why it was decoded afresh, or nothing."""
    return "" if warm is None else warm.road


def note_in_step(warm: "Warm | None", digest: str | None) -> None:
    """Note that the mirror in place holds what the kept document does.

    Args:
        warm: What this process keeps.
        digest: Of the bytes that the mirror says it was made of.
    """
    if warm is not None and digest is not None:
        warm.in_step(digest)


def check(
    warm: "Warm | None",
    content: Content,
    candidate: Candidate,
    facts: Mapping[str, str | None],
    chosen: MirrorOptions,
) -> None:
    """Build the mirror from scratch as well, where that is asked for, and compare both.

    Raises:
        WarmRoadError: They differ: a bug of ours.
    """
    if warm is None or not (warm.check and warm.is_road):
        return
    from sidecar.document.warm import WarmRoadError  # noqa: PLC0415 - see the module
    from sidecar.mirror.compare import first_difference  # noqa: PLC0415

    again = Content(content.again(), content.size, content.digest, content.mode)
    with (
        decode(
            again, accept_trailing=True, tables=chosen.tables, columns=chosen.columns
        ) as workspace,
        Candidate(candidate.place, mode=content.mode, table_bytes=content.size) as afresh,
    ):
        afresh.fill(workspace)
        afresh.finish(facts, chosen.fts)
        if found := first_difference(candidate.file.path, afresh.file.path):
            raise WarmRoadError(found)
