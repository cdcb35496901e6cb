"""The state of a document and its mirror. Only reads, never writes."""

from collections.abc import Mapping
from pathlib import Path

from sidecar.digests import digest_of
from sidecar.document.decode import decode
from sidecar.document.reading import Content, Expected, read_with_retry
from sidecar.document.standing import standing_of
from sidecar.errors import Code, MirrorUnavailableError, SidecarError
from sidecar.files import shown
from sidecar.mirror.catalog import ROOTS, digest_roots, identity, problems_of
from sidecar.mirror.describe import kinds_of_problems
from sidecar.mirror.schema import plan
from sidecar.mirror.state import Mirror, MirrorOptions, read_mirror, refuse_foreign
from sidecar.model import NOT_WHOLE, Memory, Options, Source
from sidecar.reports import State, Status, doc_fields

_NOTHING = Memory()


def status(source: Source, options: Options, *, memory: Memory = _NOTHING) -> Status:
    """Return the state of a document and its mirror.

    If the document's bytes are not those of the mirror, the document is decoded, because its
    content may be equal. It is not decoded if a sync will do so soon (``stale``), or if the
    last one failed (``unreadable``). Failures raised on purpose are returned as states; bugs
    are raised.
    """
    mirror, state, code, why = _compare(source, options, memory)
    file, document = Path(source.mirror), Path(source.document)
    standing = standing_of(source)
    size, published_ms = _look_at(file)
    _, written_ms = _look_at(document)
    problems = kinds_of_problems(source.mirror) if mirror.fault is None else {}
    return Status(
        **doc_fields(source),
        mirror=shown(source.mirror),
        state=state,
        code=code,
        name=standing.name,
        icon=standing.icon,
        current=standing.current,
        deleted=standing.deleted,
        tables=len(mirror.digests),
        rows=mirror.rows,
        problems=sum(problems.values()),
        whole=problems.keys().isdisjoint(NOT_WHOLE),
        warm=False,
        bytes=size,
        mirror_mtime_ms=published_ms,
        document_mtime_ms=written_ms or 0,
        why=why,
    )


def _compare(
    source: Source, options: Options, memory: Memory
) -> tuple[Mirror, State, Code | None, str | None]:
    mirror = Mirror("damaged")
    try:
        refuse_foreign(source.mirror)
        mirror = read_mirror(source.mirror)
        known = None
        if mirror.fault is None and mirror.says(identity(source)):
            known = Expected(mirror.source_bytes, (mirror.source_digest, memory.known))
        content = read_with_retry(source.document, options.max_document_bytes, known)
        if known and content.digest in known.digests:
            return mirror, "in_step", None, None
        if memory.failed or memory.pending:
            return mirror, *_without_decoding(mirror, memory)
        digests, problems = digests_of(content, mirror.options)
    except MirrorUnavailableError as error:
        return mirror, "damaged", error.code, error.message
    except SidecarError as error:
        return mirror, "unreadable", error.code, error.message
    if lacking := _without_mirror(mirror):
        return mirror, lacking, None, FAULTS.get(mirror.fault or "")
    why = _difference(mirror, source, digests, problems)
    return mirror, "stale" if why else "in_step", None, why


def _without_decoding(mirror: Mirror, memory: Memory) -> tuple[State, Code | None, str | None]:
    """Return the state of a document with other bytes than the mirror, from earlier results."""
    if memory.failed:
        return "unreadable", memory.failed, None
    if lacking := _without_mirror(mirror):
        return lacking, None, FAULTS.get(mirror.fault or "")
    return "stale", None, _PENDING


_PENDING = "the next sync will compare it with its document"
FAULTS: dict[str, str] = {
    "damaged": "the file is not whole, or another program has written to it",
    "foreign": "the file is no mirror of ours",
    "format": "it was made by another version of this program",
}


def _difference(
    mirror: Mirror, source: Source, digests: dict[str, str], problems: dict[str, str]
) -> str | None:
    """Return what differs between a mirror and its document; None when nothing does."""
    parts = changes_in_words(mirror.digests | mirror.roots, digests)
    if not mirror.says(identity(source)):
        parts.append("it was made for another workspace or epoch")
    if not mirror.says(problems):
        parts.append("other problems")
    return "; ".join(parts) or None


def changes_in_words(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the tables that were added, changed or removed, as text."""
    changed = [name for name in sorted(after) if before.get(name) not in {None, after[name]}]
    return [
        f"{word} {', '.join(names)}"
        for word, names in (
            ("changed:", changed),
            ("new:", sorted(after.keys() - before.keys())),
            ("gone:", sorted(before.keys() - after.keys())),
        )
        if names
    ]


def _without_mirror(mirror: Mirror) -> State | None:
    if mirror.fault is None:
        return None
    return "missing" if mirror.fault == "missing" else "damaged"


def _look_at(file: Path) -> tuple[int, int | None]:
    """Return a file's size and its mtime in Unix milliseconds; 0 and None if it does not exist."""
    try:
        seen = file.stat()
    except OSError:
        return 0, None
    return seen.st_size, seen.st_mtime_ns // 1_000_000


def digests_of(content: Content, built: MirrorOptions) -> tuple[dict[str, str], dict[str, str]]:
    """Decode a document and digest its tables and roots, by their names in a mirror.

    Args:
        content: The document's bytes.
        built: What the mirror was built with.

    Returns:
        The digests, and the entry of ``_mirror`` that lists the document's problems.

    Raises:
        SidecarError: It cannot be decoded.
    """
    with decode(
        content, accept_trailing=True, tables=built.tables, columns=built.columns
    ) as workspace:
        problems = problems_of(workspace)
        digests = {schema.name: digest_of(schema.table) for schema in plan(workspace.tables)}
        digests[ROOTS] = digest_roots(workspace.roots)
    return digests, problems
