"""The warm road seen from a sync: what it leaves in step, and the check that it does the same."""

from collections.abc import Mapping

from sidecar.document.decode import decode
from sidecar.document.reading import Content
from sidecar.document.warm import Warm, WarmRoadError
from sidecar.mirror.build import Candidate
from sidecar.mirror.compare import first_difference
from sidecar.mirror.state import MirrorOptions

__all__ = ["Warm", "check", "note_in_step"]


def note_in_step(warm: Warm | None, digest: str | None) -> None:
    """Note that the mirror in place holds what the kept document does.

    Args:
        warm: What this process keeps.
        digest: Of the bytes that the mirror says it was made of.
    """
    if warm is not None and digest is not None:
        warm.in_step(digest)


def check(
    warm: Warm | None,
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
    again = Content(content.again(), content.size, content.digest, content.mode)
    with (
        decode(again, accept_trailing=True, tables=chosen.tables) as workspace,
        Candidate(candidate.place, mode=content.mode, table_bytes=content.size) as afresh,
    ):
        afresh.fill(workspace)
        afresh.finish(facts, chosen.fts)
        if found := first_difference(candidate.file.path, afresh.file.path):
            raise WarmRoadError(found)
