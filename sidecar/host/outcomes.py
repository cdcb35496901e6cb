"""Converts outcomes to events of the protocol. Pure."""

from msgspec import UNSET

from sidecar.errors import Code
from sidecar.files import FileVersion, shown
from sidecar.host import protocol
from sidecar.host.protocol import Event
from sidecar.model import Failed, Outcome, Rebuilt, Source, Unchanged
from sidecar.reports import Status, doc_fields

_NS_PER_MS = 1_000_000


def events_of(source: Source, outcome: Outcome, retry_ms: int | None = None) -> list[Event]:
    """Return the events for the outcome of a sync, in order."""
    doc = doc_fields(source)
    if isinstance(outcome, Unchanged):
        return [protocol.UnchangedEvent(**doc, reason=outcome.reason)]
    if isinstance(outcome, Failed):
        if outcome.effect == "gone":
            return [protocol.Gone(**doc)]
        return [
            protocol.FailedEvent(
                **doc, code=outcome.code, message=outcome.message, retry_ms=retry_ms
            )
        ]
    return [*_collapse(source, outcome), _rebuilt(source, outcome)]


def unreadable(
    source: Source, code: Code, document: FileVersion | None, mirror: FileVersion | None
) -> Status:
    """Return the status of a document when the process that read it has ended.

    Args:
        source: The document.
        code: How the process ended.
        document: The document's file, None when it does not exist.
        mirror: The mirror's file, None when it does not exist.
    """
    return Status(
        **doc_fields(source),
        mirror=shown(source.mirror),
        state="unreadable",
        code=code,
        name=None,
        icon=None,
        current=False,
        deleted=False,
        tables=0,
        rows=0,
        problems=0,
        whole=False,
        warm=False,
        bytes=mirror.size if mirror else 0,
        mirror_mtime_ms=mirror.mtime_ns // _NS_PER_MS if mirror else None,
        document_mtime_ms=document.mtime_ns // _NS_PER_MS if document else 0,
        why=None,
    )


def _collapse(source: Source, outcome: Rebuilt) -> list[Event]:
    if outcome.collapse is None:
        return []
    kept = outcome.collapse
    return [
        protocol.Collapsed(
            **doc_fields(source),
            rows_before=kept.rows_before,
            kept=shown(kept.kept),
            rows=kept.rows,
            why=kept.why,
        )
    ]


def _rebuilt(source: Source, outcome: Rebuilt) -> Event:
    changes = outcome.rows_changed or {}
    ids = {
        table: protocol.RowIdLists(
            list(one.ids.added), list(one.ids.changed), list(one.ids.removed), one.ids.truncated
        )
        for table, one in changes.items()
        if one.ids is not None
    }
    counts = {
        table: protocol.RowCounts(one.added, one.changed, one.removed)
        for table, one in changes.items()
    }
    return protocol.RebuiltEvent(
        **doc_fields(source),
        reason=outcome.reason,
        changed=list(outcome.changes.changed),
        removed=list(outcome.changes.removed),
        rows=outcome.rows,
        problems=outcome.problems,
        regressed=outcome.regressed,
        ms=outcome.ms,
        warm=outcome.warm,
        counts=UNSET if outcome.rows_changed is None else counts,
        row_ids=UNSET if outcome.rows_changed is None or len(ids) < len(counts) else ids,
    )
