"""Events as lines of text, for people."""

from collections.abc import Callable
from typing import Any

from sidecar.commands.terminal import escape, plural
from sidecar.files import shown
from sidecar.host import protocol
from sidecar.host.protocol import Event

_COLORS = {"rebuilt": "32", "failed": "31", "collapsed": "33", "gone": "33", "waiting": "33"}


def line_of(event: Event, *, color: bool = False) -> str:
    """Return an event as one line for people, escaped."""
    kind = str(event.__struct_config__.tag)
    line = f"{kind:<10} {escape(_TEXTS[type(event)](event))}".rstrip()
    code = _COLORS.get(kind)
    return f"\x1b[{code}m{line}\x1b[0m" if color and code else line


def _name(event: protocol.DocEvent | protocol.FailedEvent) -> str:
    """Return workspace and epoch where there are any, the path otherwise."""
    if isinstance(event.workspace, str):
        return event.workspace + (f"/{event.epoch}" if isinstance(event.epoch, int) else "")
    return shown(event.path) if isinstance(event.path, str) else ""


def _rebuilt(event: protocol.RebuiltEvent) -> str:
    parts = [event.reason, plural(event.rows, "row")]
    if event.problems:
        parts.append(plural(event.problems, "problem"))
    if event.changed:
        parts.append("changed " + ", ".join(event.changed))
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
        f"{_name(event)}  {plural(event.rows_before, 'row')} kept in {event.kept}"
    ),
    protocol.FailedEvent: _failed,
    protocol.Gone: lambda event: f"{_name(event)}  its mirror is left alone",
    protocol.Waiting: lambda event: f"{event.root} is not there yet",
    protocol.Pong: lambda _: "",
    protocol.Synced: _counts,
    protocol.StatusReport: lambda event: plural(len(event.documents), "document"),
    protocol.Stopped: lambda event: event.reason,
}
