"""Text for people. Nothing that documents hold reaches a terminal unescaped."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sidecar.reports import shown
from sidecar.service import protocol
from sidecar.service.protocol import Event

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, and invisible ones that turn or hide what stands around them."""
_COLORS = {"rebuilt": "32", "failed": "31", "collapsed": "33", "gone": "33", "waiting": "33"}


def escape(text: str) -> str:
    """Return text in which whatever could steer a terminal is written as an escape sequence."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def complain(message: str) -> None:
    """Write one line to stderr."""
    _write(sys.stderr, f"epicenter-sidecar: {escape(message)}\n")


def complain_of_nothing(roots: Sequence[str]) -> None:
    """Say that there are no documents, and what a PATH should be."""
    complain(
        f"no documents in {', '.join(map(shown, roots))}; give the app's data folder, its "
        "workspaces folder, a workspace, an epoch or a document"
    )


def say(line: str) -> None:
    """Write one line, already escaped, to stdout."""
    _write(sys.stdout, line + "\n")


def has_color() -> bool:
    """Tell whether stdout is a terminal that takes colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and _is_capable()


def line_of(event: Event, *, color: bool = False) -> str:
    """Return an event as one line for people, escaped."""
    kind = str(event.__struct_config__.tag)
    line = f"{kind:<10} {escape(_TEXTS[type(event)](event))}".rstrip()
    code = _COLORS.get(kind)
    return f"\x1b[{code}m{line}\x1b[0m" if color and code else line


def _name(event: protocol.DocEvent | protocol.Failed) -> str:
    """Return workspace and epoch where there are any, the path otherwise."""
    if isinstance(event.workspace, str):
        return event.workspace + (f"/{event.epoch}" if isinstance(event.epoch, int) else "")
    return shown(event.path) if isinstance(event.path, str) else ""


def _rebuilt(event: protocol.Rebuilt) -> str:
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


def plural(count: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _is_capable() -> bool:
    return os.environ.get("TERM") != "dumb"


def _write(stream: "object", text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe)  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]


def _failed(event: protocol.Failed) -> str:
    again = "" if event.retry_ms is None else f"; next try in {event.retry_ms / 1000:g} s"
    return f"{_name(event)}  {event.code}: {event.message}{again}".strip()


def _counts(event: protocol.Ready | protocol.Synced) -> str:
    return f"{event.rebuilt} rebuilt, {event.unchanged} unchanged, {event.failed} failed"


_TEXTS: dict[type[Event], Callable[[Any], str]] = {
    protocol.Started: lambda event: f"process {event.pid} follows {', '.join(event.root)}",
    protocol.Ready: lambda event: f"{plural(event.documents, 'document')}: {_counts(event)}",
    protocol.Rebuilt: lambda event: f"{_name(event)}  {_rebuilt(event)}",
    protocol.Unchanged: lambda event: f"{_name(event)}  equal {event.reason}",
    protocol.Collapsed: lambda event: (
        f"{_name(event)}  {plural(event.rows_before, 'row')} kept in {event.kept}"
    ),
    protocol.Failed: _failed,
    protocol.Gone: lambda event: f"{_name(event)}  its mirror is left alone",
    protocol.Waiting: lambda event: f"{event.root} is not there yet",
    protocol.Pong: lambda _: "",
    protocol.Synced: _counts,
    protocol.StatusReport: lambda event: plural(len(event.documents), "document"),
    protocol.Stopped: lambda event: event.reason,
}
