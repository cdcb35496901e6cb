"""Mirrors that another process has put in place of ours: reported to the host, and left."""

from msgspec.structs import replace

from sidecar.mirror.state import Mirror
from sidecar.model import Changes, Memory, Outcome, Rebuilt, Source, Unchanged

LEFT_ALONE = (
    "another process keeps this mirror with other options, or in another format; it is left so "
    "until the document changes"
)


def seen(
    mirror: Mirror, source: Source, memory: Memory, unchanged: Unchanged, *, note: str = ""
) -> Outcome:
    """Return how a sync ended that built nothing.

    Args:
        mirror: The mirror that is there.
        source: Where it is.
        memory: Says which one this process left there.
        unchanged: The outcome if it is that one.
        note: Why it is not rebuilt, if that needs saying.

    Returns:
        ``Rebuilt`` with reason ``elsewhere`` where another process has put another one there:
        whoever has the old one open must open it anew.
    """
    if memory.left is None or mirror.version is None or _is_same(mirror, memory):
        return replace(unchanged, mirror=mirror.version)
    from sidecar.mirror.describe import count_problems  # noqa: PLC0415 - seldom needed

    return Rebuilt(
        reason="elsewhere",
        changes=Changes(tuple(sorted(mirror.digests)), ()),
        rows=mirror.rows,
        problems=0 if mirror.fault else count_problems(source.mirror),
        regressed=False,
        ms=0,
        digest=unchanged.digest,
        note=note,
        mirror=mirror.version,
    )


def is_left_alone(mirror: Mirror, digest: str, memory: Memory) -> bool:
    """Tell whether a mirror with other options is left as it is: this process had its turn.

    Once for each version of the document is enough: the other process would put its own back at
    once, and so on for ever. A mirror that says it is of other bytes is behind, and is rebuilt.

    Args:
        mirror: The mirror in place.
        digest: Digest of the document's bytes.
        memory: Says of which bytes this process has built a mirror.
    """
    return digest == memory.insisted and mirror.source_digest in {None, digest}


def _is_same(mirror: Mirror, memory: Memory) -> bool:
    """Compare all but the time of the last change of the file's own properties, as by a link."""
    if mirror.version is None or memory.left is None:
        return mirror.version == memory.left
    return mirror.version[:-1] == memory.left[:-1]
