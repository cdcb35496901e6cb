"""One pass over one document: read, decode, compare, build, publish."""

import os
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sidecar import __version__
from sidecar.document.reading import Content, Expected, read_stable
from sidecar.errors import (
    DocumentUnavailableError,
    DocumentUnusableError,
    LockedError,
    MirrorReplacedError,
    MirrorUnavailableError,
    RootError,
    SidecarError,
)
from sidecar.files import FileVersion, version_of
from sidecar.javascript import dump_json
from sidecar.locks import lock
from sidecar.mirror.build import Candidate
from sidecar.mirror.catalog import FORMAT, identity, problems_of
from sidecar.mirror.publish import keep_last_good, publish, sweep
from sidecar.mirror.sqlite_files import make_folder
from sidecar.mirror.state import Mirror, MirrorOptions, read_mirror, refuse_foreign
from sidecar.model import (
    Changes,
    Collapse,
    Effect,
    Failed,
    Memory,
    Options,
    Outcome,
    Rebuilt,
    RebuiltReason,
    RowChanges,
    Source,
    Unchanged,
    Workspace,
)
from sidecar.tasks.changes import collapsed, compare, nature_of_collapse, regressed, waits
from sidecar.tasks.elsewhere import LEFT_ALONE, is_left_alone, seen
from sidecar.tasks.habits import habits_of, note_habits
from sidecar.tasks.warmth import check, decoded, note_in_step, road_of

if TYPE_CHECKING:
    from sidecar.document.warm import Warm

_NOTHING = Memory()
_LOCK_WAIT_S = 30.0
"""How long to wait for another process that syncs the same document."""
_MOST_DISTURBANCES = 3
"""How often a sync starts again because a process that shares no lock has replaced the mirror."""


def sync(  # noqa: PLR0913 - by name, each with its default
    source: Source,
    options: Options,
    *,
    force: bool = False,
    rested: bool = False,
    memory: Memory = _NOTHING,
    warm: "Warm | None" = None,
) -> Outcome:
    """Bring one mirror in step with its document. The whole flow, on one screen.

    Args:
        source: The document and its mirror.
        options: What may differ from one sync to the next.
        force: Rebuild even when nothing changed.
        rested: The file was not changed for a while: accept a stale tail (see ``decode``).
        memory: What a watch remembers of earlier syncs.
        warm: The document that this process keeps in memory; None keeps none.

    Returns:
        The outcome; failures raised on purpose are returned as ``Failed``, bugs are raised.
    """
    version = version_of(source.document)
    once = partial(_sync, source, options, force=force, rested=rested, memory=memory, warm=warm)
    try:
        with _document_lock(source, options):
            for _ in range(_MOST_DISTURBANCES):
                with suppress(MirrorReplacedError):
                    return once()
            return once()
    except SidecarError as error:
        return _failed(error, version)


def _sync(  # noqa: PLR0913 - what sync takes
    source: Source,
    options: Options,
    *,
    force: bool,
    rested: bool,
    memory: Memory,
    warm: "Warm | None",
) -> Outcome:
    started = time.monotonic()
    refuse_foreign(source.mirror)
    sweep(source.mirror)
    mirror = read_mirror(source.mirror)
    chosen = habits_of(source, mirror, options)
    reason = "forced" if force else reason_to_rebuild(mirror, chosen)
    stays = reason is None and mirror.says(identity(source))
    digests = (mirror.source_digest, memory.known)
    equal = Expected(mirror.source_bytes, digests) if stays else None
    content = read_stable(source.document, options.max_document_bytes, equal)
    if equal and content.digest in equal.digests:
        return seen(mirror, source, memory, Unchanged("bytes", content.digest))
    if content.digest == memory.refused:
        return Failed("crashed", f"{source.document} has the bytes that failed before", "same")
    if reason in {"options", "format"} and is_left_alone(mirror, content.digest, memory):
        return seen(mirror, source, memory, Unchanged("bytes", content.digest), note=LEFT_ALONE)
    with (
        decoded(
            content, warm, accept_trailing=rested, chosen=chosen, path=source.document
        ) as workspace,
        _candidate(source, content, workspace, mirror, chosen) as candidate,
    ):
        chosen = chosen.holding(workspace.tables)
        roots = candidate.roots if mirror.roots else {}  # a first mirror reports only its tables
        changes = compare(mirror.digests | mirror.roots, candidate.digests | roots)
        if stays and not changes and mirror.says(problems_of(workspace)):
            note_in_step(warm, mirror.source_digest)
            return seen(mirror, source, memory, Unchanged("content", content.digest))
        facts = _facts(source, content, workspace, chosen)
        candidate.finish(facts, chosen.fts)
        check(warm, content, candidate, facts, chosen)
        rows_changed = _rows_changed(source, mirror, candidate, changes, options)
        collapse = None
        if content.digest != mirror.source_digest:  # else only other options were asked for
            collapse = _guard(source, options, mirror, candidate, workspace)
        published = publish(candidate.file, source.mirror, mirror.version, in_place=chosen.in_place)
        note_in_step(warm, content.digest)
        note_habits(source, options, chosen)
        sweep(source.mirror)  # files of a process that was killed during this sync
        return Rebuilt(
            reason=reason or "changed",
            changes=changes,
            rows=candidate.rows,
            problems=len(candidate.problems),
            regressed=regressed(mirror.state_vector, workspace.state_vector),
            ms=round((time.monotonic() - started) * 1000),
            digest=content.digest,
            collapse=collapse,
            rows_changed=rows_changed,
            warm=warm is not None and warm.is_road,
            road=road_of(warm),
            mirror=published,
        )


def clear(source: Source) -> None:
    """Remove the files that a killed sync left beside a mirror."""
    sweep(source.mirror)


def reason_to_rebuild(mirror: Mirror, chosen: MirrorOptions) -> RebuiltReason | None:
    """Return why a mirror must be rebuilt even if its content is equal; None if it need not be."""
    return mirror.fault or ("options" if mirror.options != chosen else None)


def _document_lock(source: Source, options: Options) -> AbstractContextManager[None]:
    deadline = time.monotonic() + _LOCK_WAIT_S
    return lock(
        options.state_folder,
        "document",
        source.document,
        keep_waiting=lambda: time.monotonic() < deadline,
    )


@contextmanager
def _candidate(
    source: Source, content: Content, workspace: Workspace, mirror: Mirror, chosen: MirrorOptions
) -> Generator[Candidate]:
    """Yield a candidate with all rows: a patched copy of the mirror where that is possible."""
    make_folder(os.path.dirname(source.mirror), like=os.path.dirname(source.document))
    if workspace.base is not None:
        from sidecar.mirror.patch import Patch, UnpatchableError, can_patch  # noqa: PLC0415 - late

        if can_patch(mirror, workspace, _facts(source, content, workspace, chosen)):
            patch = Patch(source.mirror, mirror, mode=content.mode)
            with suppress(UnpatchableError), patch:
                patch.fill(workspace)
                yield patch
                return
    table_bytes = content.size // max(1, len(workspace.tables))
    with Candidate(source.mirror, mode=content.mode, table_bytes=table_bytes) as candidate:
        candidate.fill(workspace)
        yield candidate


def _facts(
    source: Source, content: Content, workspace: Workspace, chosen: MirrorOptions
) -> dict[str, str | None]:
    return {
        "format": str(FORMAT),
        "generator": f"epicenter-sidecar {__version__}",
        "layout": ",".join(workspace.layouts),
        **identity(source),
        **problems_of(workspace),
        "source_bytes": str(content.size),
        "source_digest": content.digest,
        "options": chosen.text(),
        "state_vector": dump_json({str(c): k for c, k in workspace.state_vector.items()}),
    }


def _guard(
    source: Source,
    options: Options,
    mirror: Mirror,
    candidate: Candidate,
    workspace: Workspace,
) -> Collapse | None:
    is_lost = collapsed(
        mirror.rows,
        mirror.state_vector,
        candidate.rows,
        workspace.state_vector,
        waits=waits(workspace),
    )
    if not is_lost or not options.last_good:
        return None
    kept = keep_last_good(source.mirror, mirror.rows)
    shown = candidate.digests if candidate.rows else ()
    return Collapse(mirror.rows, kept, candidate.rows, nature_of_collapse(mirror, shown, workspace))


def _rows_changed(
    source: Source, mirror: Mirror, candidate: Candidate, changes: Changes, options: Options
) -> dict[str, RowChanges] | None:
    """Return which rows changed; None without a valid mirror to compare with."""
    if mirror.fault is not None:
        return None
    from sidecar.mirror.row_changes import row_changes  # noqa: PLC0415 - not for a first mirror

    found = row_changes(source.mirror, candidate.file.path, changes.changed, candidate.row_changes)
    if found is None or options.row_ids:
        return found
    return {name: replace(one, ids=None) for name, one in found.items()}


def _failed(error: SidecarError, version: FileVersion | None) -> Failed:
    effect: Effect
    if isinstance(error, DocumentUnavailableError):
        effect = "gone" if error.code == "gone" else "retry"
    elif isinstance(error, DocumentUnusableError):
        effect = "once"
    elif isinstance(error, (MirrorUnavailableError, LockedError, RootError)):
        effect = "slow"
    else:
        raise error
    return Failed(error.code, error.message, effect, version)
