"""Compares one mirror with its document, cell by cell, by code that builds no mirrors.

``reference/`` reads the document through pycrdt's public API and works out again what the mirror
must contain; SQLite itself converts each value. The rest of the catalog, problems and digests, is
compared with a mirror that is built for this comparison.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from sidecar.document.opened import plain_update
from sidecar.document.public_api import decoder_errors
from sidecar.document.reading import Content, read_with_retry
from sidecar.errors import DocumentUnavailableError, MirrorDamagedError, SidecarError
from sidecar.files import shown
from sidecar.mirror.describe import kinds_of_problems
from sidecar.mirror.state import Mirror, read_mirror
from sidecar.model import NOT_WHOLE, UNREADABLE, Failed, Options, Source
from sidecar.reference.catalogs import compare_catalogs
from sidecar.reference.compare import Comparison, compare_mirror
from sidecar.reference.document import read_reference
from sidecar.reports import Verification, VerifyResult, doc_fields
from sidecar.tasks.status import FAULTS, changes_in_words
from sidecar.tasks.sync import sync


def verify(source: Source, options: Options) -> Verification:
    """Compare one mirror with its document. No file is changed.

    Returns:
        The verification. Failures raised on purpose are returned as ``unreadable``; bugs are
        raised.
    """
    try:
        content = read_with_retry(source.document, options.max_document_bytes)
        mirror = read_mirror(source.mirror)
        found = None
        if mirror.fault not in {"missing", "foreign", "format"}:
            update = plain_update(content)
            with decoder_errors():
                told = read_reference(update, mirror.options.tables, mirror.options.columns)
                found = compare_mirror(source.mirror, told)
        with tempfile.TemporaryDirectory() as folder:
            fresh = _build(content, source, options, mirror, Path(folder))
            if found is None:
                lacking: VerifyResult = "missing" if mirror.fault == "missing" else "damaged"
                return replace(_report(source, lacking), why=FAULTS.get(mirror.fault or ""))
            same_bytes = content.digest == mirror.source_digest
            if not found.total and found.integrity == "ok":
                _compare_catalogs(found, source.mirror, fresh, same_bytes=same_bytes)
            moved = [] if same_bytes else _moved(mirror, read_mirror(fresh))
            kinds = kinds_of_problems(fresh)
        result = _result(found, mirror, same_content=not moved)
        report = _report(source, result, found, kinds)
        return replace(report, why=_why(result, found, mirror, moved))
    except SidecarError as error:
        return _report(source, "unreadable", error=error)


def _moved(mirror: Mirror, fresh: Mirror) -> list[str]:
    """Return which tables and roots differ between the document and the mirror."""
    return changes_in_words(mirror.digests | mirror.roots, fresh.digests | fresh.roots)


def _why(
    result: VerifyResult, found: Comparison, mirror: Mirror, moved: Sequence[str]
) -> str | None:
    if result == "stale":
        return "; ".join(moved)
    if result != "damaged":
        return None
    if found.integrity != "ok":
        return f"SQLite says of it: {(found.integrity or '').splitlines()[0]}"
    return FAULTS.get(mirror.fault or "")


def _compare_catalogs(found: Comparison, mirror: str, fresh: str, *, same_bytes: bool) -> None:
    try:
        compare_catalogs(found, mirror, fresh, same_bytes=same_bytes)
    except MirrorDamagedError as error:  # of the mirror in place: the other one was built just now
        found.integrity = error.message


def _build(content: Content, source: Source, options: Options, mirror: Mirror, folder: Path) -> str:
    """Build in another folder the mirror that a sync would build now, and return its path.

    Raises:
        SidecarError: A sync would refuse the document.
    """
    document, fresh = folder / "workspace.yjs", folder / "tables.sqlite"
    document.write_bytes(content.again())
    there = replace(source, document=str(document), mirror=str(fresh))
    as_built = replace(
        options,
        state_folder=str(folder),
        fts=mirror.options.fts,
        tables=mirror.options.tables,
        columns=mirror.options.columns,
        in_place=mirror.options.in_place,
    )
    outcome = sync(there, as_built, rested=True)
    if isinstance(outcome, Failed):
        raise DocumentUnavailableError(outcome.code, outcome.message)
    return str(fresh)


def _result(found: Comparison, mirror: Mirror, *, same_content: bool) -> VerifyResult:
    """Return the result: with differences it is ``stale`` if the document was changed since."""
    if found.integrity != "ok":
        return "damaged"
    if found.total:
        return "different" if same_content else "stale"
    return "damaged" if mirror.fault else "equal"


def _report(
    source: Source,
    result: VerifyResult,
    found: Comparison | None = None,
    problems: Mapping[str, int] | None = None,
    error: SidecarError | None = None,
) -> Verification:
    found = found or Comparison(integrity=None)
    return Verification(
        **doc_fields(source),
        mirror=shown(source.mirror),
        result=result,
        whole=error is None and not any(kind in NOT_WHOLE for kind in problems or ()),
        unread=(problems or {}).get(UNREADABLE, 0),
        rows=found.rows,
        cells=found.cells,
        integrity=found.integrity,
        total=found.total,
        differences=tuple(found.differences),
        code=error.code if error else None,
        message=error.message if error else None,
    )
