"""Mirrors that another process has put in place of ours: reported to the host, and kept."""

from msgspec.structs import replace

from sidecar.mirror.state import Mirror
from sidecar.model import Changes, Memory, Outcome, Rebuilt, Source, Unchanged

LEFT_ALONE = (
    "another process keeps this mirror with other options, or in another format; it stays so "
    "until the document changes"
)


def seen(
    mirror: Mirror, source: Source, memory: Memory, unchanged: Unchanged, *, note: str = ""
) -> Outcome:
    """Return the outcome of a sync that built no mirror.

    Args:
        mirror: The mirror in place.
        source: Its document.
        memory: Contains the version that this process left in place.
        unchanged: The outcome if the mirror is still that version.
        note: Why it is not rebuilt, for people; empty where there is nothing to explain.

    Returns:
        ``unchanged``, or ``Rebuilt`` with reason ``elsewhere`` where another process has replaced
        the mirror: a reader that has the old one open must reopen it.
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
    """Return whether a mirror with other options is kept.

    This process replaces it once for each version of the document, not more often: the other
    process would put its own back at once, and so on for ever. A mirror that was built from other
    bytes is out of date, and is rebuilt.

    Args:
        mirror: The mirror in place.
        digest: Digest of the document's bytes.
        memory: Contains the digest for which this process has replaced the mirror.
    """
    return digest == memory.insisted and mirror.source_digest in {None, digest}


def _is_same(mirror: Mirror, memory: Memory) -> bool:
    """Compare versions without ctime, which a new hard link changes too."""
    if mirror.version is None or memory.left is None:
        return mirror.version == memory.left
    return mirror.version[:-1] == memory.left[:-1]
