"""The host protocol as types, and its lines: messages to bytes and back, no I/O.

docs/protocol.md as msgspec types. ``protocol --json-schema`` and ``--typescript`` print these
classes, so this is the only place to change a field.
"""

import json
import re
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from sidecar.errors import Code, ProtocolError
from sidecar.model import RebuiltReason, UnchangedReason
from sidecar.reports import Status

Id = str | int | float
StopReason = Literal["shutdown", "signal", "stdin", "parent", "stdout"]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One line on stdin. Unknown fields are ignored."""

    type: Literal["sync", "status", "ping", "shutdown"]
    id: Id | None = None
    workspace: str | None = None
    epoch: int | None = None
    force: bool = False
    path: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """One line on stdout. ``time`` is set when the event is sent; ``id`` is a command's."""

    v: Literal[1] = 1
    time: str = ""
    id: Id | UnsetType = UNSET


class DocEvent(Event, frozen=True, kw_only=True):
    """An event about one document."""

    workspace: str | None
    epoch: int | None
    path: str


class Started(Event, frozen=True, kw_only=True):
    """The watcher is armed; commands are answered from here on."""

    pid: int
    version: str
    root: list[str]


class Ready(Started, frozen=True, kw_only=True):
    """The first pass over all documents is done."""

    documents: int
    rebuilt: int
    unchanged: int
    failed: int


class RowCounts(msgspec.Struct, frozen=True):
    """How many rows of a table differ from the mirror before it."""

    added: int
    changed: int
    removed: int


class RowIdLists(msgspec.Struct, frozen=True):
    """Ids of those rows, at most 1000 in all three lists; ``truncated`` when there are more."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    truncated: bool


class RebuiltEvent(DocEvent, frozen=True, kw_only=True, tag="rebuilt"):
    """A new mirror is in place: reopen it.

    ``counts`` has one entry for each changed table. It is absent when there was no mirror of this
    format before, and when several events were merged. The same holds for ``row_ids`` (``--rows``).
    """

    reason: RebuiltReason
    changed: list[str]
    removed: list[str]
    rows: int
    problems: int
    regressed: bool
    ms: int
    warm: bool
    counts: dict[str, RowCounts] | UnsetType = UNSET
    row_ids: dict[str, RowIdLists] | UnsetType = UNSET


class UnchangedEvent(DocEvent, frozen=True, kw_only=True, tag="unchanged"):
    """The document was written, and the mirror is still in step."""

    reason: UnchangedReason


class Collapsed(DocEvent, frozen=True, kw_only=True):
    """A mirror with rows is about to be replaced by an empty or an unrelated one."""

    rows_before: int
    kept: str
    rows: int
    why: str


class FailedEvent(Event, frozen=True, kw_only=True, tag="failed"):
    """The old mirror stays, or a command could not be answered."""

    code: Code
    message: str
    retry_ms: int | None
    workspace: str | UnsetType | None = UNSET
    epoch: int | UnsetType | None = UNSET
    path: str | UnsetType = UNSET
    holder_pid: int | UnsetType = UNSET


class Gone(DocEvent, frozen=True, kw_only=True):
    """The document no longer exists; its mirror is kept."""


class Waiting(Event, frozen=True, kw_only=True):
    """A root does not exist yet."""

    root: str


class Pong(Event, frozen=True, kw_only=True):
    """The answer to ``ping``."""


class Synced(Event, frozen=True, kw_only=True):
    """The end of a ``sync`` command, and of the command of that name."""

    rebuilt: int
    unchanged: int
    failed: int


class StatusReport(Event, frozen=True, kw_only=True, tag="status"):
    """The answer to ``status``."""

    documents: list[Status]


class Stopped(Event, frozen=True, kw_only=True):
    """The last line."""

    reason: StopReason


EVENTS = (
    Started,
    Ready,
    RebuiltEvent,
    UnchangedEvent,
    Collapsed,
    FailedEvent,
    Gone,
    Waiting,
    Pong,
    Synced,
    StatusReport,
    Stopped,
)

LONGEST_LINE = 1 << 16
"""Most bytes of a command. Real ones have about 100. A longer line is an error."""

_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


def encode(event: Event) -> bytes:
    """Return one line, ASCII only. Never fails: lone surrogates become U+FFFD."""
    text = json.dumps(msgspec.to_builtins(event), ensure_ascii=False, separators=(",", ":"))
    return (_BEYOND_ASCII.sub(_escape, text) + "\n").encode("ascii")


def decode(line: bytes) -> Command:
    """Read one line of stdin.

    Raises:
        ProtocolError: The line is not a command; the message says why.
    """
    if len(line) > LONGEST_LINE:
        message = f"a line of more than {LONGEST_LINE} bytes is no command"
        raise ProtocolError(message)
    try:
        return msgspec.json.decode(line, type=Command)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"this line is no command: {error}"
        raise ProtocolError(message) from error


def id_of(line: bytes) -> Id | UnsetType:
    """Return the id in a line that is not a command, so that the host can match the error to it."""
    try:
        return msgspec.json.decode(line[: LONGEST_LINE + 1], type=_Identified).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNSET


def merge(earlier: RebuiltEvent, later: RebuiltEvent) -> RebuiltEvent:
    """Merge two rebuilds of one document that the host has not read yet."""
    changed = set(earlier.changed) - set(later.removed) | set(later.changed)
    removed = set(earlier.removed) - set(later.changed) | set(later.removed)
    return msgspec.structs.replace(
        later,
        changed=sorted(changed),
        removed=sorted(removed),
        regressed=earlier.regressed or later.regressed,
        counts=UNSET,
        row_ids=UNSET,
    )


class _Identified(msgspec.Struct):
    id: Id | UnsetType = UNSET


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if "\ud800" <= character <= "\udfff":
        return "\\ufffd"
    return json.dumps(character)[1:-1]
