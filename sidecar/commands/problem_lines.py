"""Prints the problems of a rebuilt mirror, in a few lines below its event."""

from collections.abc import Iterator

from sidecar.commands.terminal import escape
from sidecar.errors import MirrorDamagedError
from sidecar.host.protocol import Event, RebuiltEvent

_MOST = 3
_INDENT = " " * len("12:34:56  ")


def problem_lines(event: Event, mirror: str) -> Iterator[str]:
    """Yield the escaped lines; none if there are no problems.

    Args:
        event: The event.
        mirror: Path of the document's mirror.
    """
    if not isinstance(event, RebuiltEvent) or not event.problems:
        return
    from sidecar.readers.problems import in_words, read_problems  # SQLite

    try:
        lines = read_problems(mirror)
    except MirrorDamagedError:  # replaced by another process
        return
    for line in lines[:_MOST]:
        yield escape(f"{_INDENT}problem    {in_words(line)[0]}")
    if len(lines) > _MOST:
        more = f"and {len(lines) - _MOST} more; epicenter-sidecar problems lists all"
        yield f"{_INDENT}           {more}"
