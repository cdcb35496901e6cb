"""Prints the problems of a rebuilt mirror, in a few lines below its event."""

from collections.abc import Iterator

from sidecar.commands.event_lines import KIND, hanging
from sidecar.errors import MirrorDamagedError
from sidecar.host.protocol import Event, RebuiltEvent

_MOST = 3
_HEAD = " " * len("12:34:56  ") + f"{'problem':<{KIND}} "


def problem_lines(event: Event, mirror: str, width: int | None = None) -> Iterator[str]:
    """Yield the escaped lines; none if there are no problems.

    Args:
        event: The event.
        mirror: Path of the document's mirror.
        width: Of the terminal, None if stdout is none.
    """
    if not isinstance(event, RebuiltEvent) or not event.problems:
        return
    from sidecar.readers.problems import in_words, read_problems  # SQLite

    try:
        lines = read_problems(mirror)
    except MirrorDamagedError:  # replaced by another process
        return
    for line in lines[:_MOST]:
        yield from hanging(_HEAD, in_words(line)[0], width)
    if len(lines) > _MOST:
        more = f"and {len(lines) - _MOST} more; epicenter-sidecar problems lists all"
        yield from hanging(" " * len(_HEAD), more, width)
