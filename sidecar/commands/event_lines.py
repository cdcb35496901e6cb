"""Events as lines of text, for people."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sidecar.commands.layout import shorten
from sidecar.commands.terminal import folded, plural
from sidecar.files import shown
from sidecar.host import protocol
from sidecar.host.protocol import Event

KIND = 10
"""Width of the kinds of events."""
_LONGEST_ID = 16
"""Letters of an id: with it a usual line fits into 80 columns."""
_STYLE = re.compile(r"\x1b\[\d*m")
_COLORS = {"rebuilt": "32", "failed": "31", "collapsed": "35", "gone": "35", "waiting": "35"}

_REASONS = {
    "missing": "built",
    "damaged": "the mirror was damaged",
    "foreign": "another file was in its place",
    "options": "other options",
    "format": "the mirror was of another version",
    "elsewhere": "by another process",
}
"""Texts for the reasons of a rebuild; a reason that is not here is printed as it is."""


def lines_of(
    event: Event, *, color: bool = False, mirror: str | None = None, width: int | None = None
) -> list[str]:
    """Return an event as text for people, escaped: one line, on a narrow terminal several.

    Args:
        event: The event; if it has a time, the text begins with it.
        color: Whether the terminal shows colours; only the kind of the event has one.
        mirror: Path of a new mirror, to print.
        width: Of the terminal; None if stdout is none, and then nothing is folded.
    """
    kind = str(event.__struct_config__.tag)
    text = _TEXTS[type(event)](event) + (f"; in {mirror}" if mirror else "")
    code = _COLORS.get(kind) if color else None
    painted = f"\x1b[{code}m{kind}\x1b[0m" if code else kind
    return hanging(
        f"{_clock(event.time)}{painted:<{KIND + len(painted) - len(kind)}} ", text, width
    )


def hanging(head: str, text: str, width: int | None) -> list[str]:
    """Return a text behind its head, later lines below its first; the text is not yet escaped."""
    indent = len(_STYLE.sub("", head))
    first, *rest = folded(text, indent, width)
    return [f"{head}{first}".rstrip(), *(" " * indent + line for line in rest)]


def is_wrong(event: Event) -> bool:
    """Return whether an event is printed with ``--quiet`` too."""
    return isinstance(event, (protocol.FailedEvent, protocol.Collapsed))


def _clock(time: str) -> str:
    """Return the local time of day of an event and two spaces; empty where it has no time."""
    if not time:
        return ""
    return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}  "


def _name(event: protocol.DocEvent | protocol.FailedEvent) -> str:
    """Return workspace and epoch where there are any, the path otherwise."""
    if isinstance(event.workspace, str):
        workspace = shorten(event.workspace, _LONGEST_ID, in_middle=True)
        return workspace + (f"/{event.epoch}" if isinstance(event.epoch, int) else "")
    return shown(event.path) if isinstance(event.path, str) else ""


def _rebuilt(event: protocol.RebuiltEvent) -> str:
    parts = [] if event.reason == "changed" else [_REASONS.get(event.reason, event.reason)]
    if event.changed:
        changed = ", ".join(event.changed)
        parts.append(changed if event.reason == "missing" else f"changed {changed}")
    parts.append(plural(event.rows, "row"))
    if event.problems:
        parts.append(plural(event.problems, "problem"))
    if event.removed:
        parts.append("removed " + ", ".join(event.removed))
    if event.regressed:
        parts.append("an older state")
    return "; ".join([*parts, f"{event.ms} ms"])


def _failed(event: protocol.FailedEvent) -> str:
    again = "" if event.retry_ms is None else f"; next try in {event.retry_ms / 1000:g} s"
    return f"{_name(event)}  {event.code}: {event.message}{again}".strip()


def _counts(event: protocol.Ready | protocol.Synced) -> str:
    return f"{event.rebuilt} rebuilt, {event.unchanged} unchanged, {event.failed} failed"


_TEXTS: dict[type[Event], Callable[[Any], str]] = {
    protocol.Started: lambda event: f"process {event.pid} follows {', '.join(event.root)}",
    protocol.Ready: lambda event: f"{plural(event.documents, 'document')}: {_counts(event)}",
    protocol.RebuiltEvent: lambda event: f"{_name(event)}  {_rebuilt(event)}",
    protocol.UnchangedEvent: lambda event: f"{_name(event)}  equal {event.reason}",
    protocol.Collapsed: lambda event: (
        f"{_name(event)}  {event.why}; {plural(event.rows_before, 'row')} kept in {event.kept}"
    ),
    protocol.FailedEvent: _failed,
    protocol.Gone: lambda event: f"{_name(event)}  its mirror is kept",
    protocol.Waiting: lambda event: f"{event.root} does not exist yet",
    protocol.Pong: lambda _: "",
    protocol.Synced: _counts,
    protocol.StatusReport: lambda event: plural(len(event.documents), "document"),
    protocol.Stopped: lambda event: event.reason,
}
