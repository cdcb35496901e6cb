"""Compares one mirror with its document, cell by cell, by a road that builds no mirrors.

The document is read through pycrdt's public API, what a mirror of it must hold is stated anew,
and SQLite says what it makes of each value: see the two modules called ``second_road``.
"""

from sidecar.document.public import decoder_errors
from sidecar.document.reading import Content
from sidecar.document.second_road import read_plainly
from sidecar.errors import SidecarError
from sidecar.mirror.comparison import Comparison, compare_mirror
from sidecar.mirror.read import Mirror, read_mirror
from sidecar.model import Options, Source
from sidecar.reports import Verification, VerifyResult, doc_fields, shown
from sidecar.settled import has_same_content, read_settled


def verify(source: Source, options: Options) -> Verification:
    """Compare one mirror with its document. Nothing is written and no lock is taken.

    Returns:
        The verification. Failures raised on purpose come back as ``unreadable``; bugs are raised.
    """
    try:
        content = read_settled(source.document, options.max_document_bytes)
        mirror = read_mirror(source.mirror)
        if mirror.fault in {"missing", "foreign", "format"}:
            return _report(source, "missing" if mirror.fault == "missing" else "damaged")
        with decoder_errors():
            found = compare_mirror(source.mirror, read_plainly(content.data))
        return _report(source, _result(found, content, mirror), found)
    except SidecarError as error:
        return _report(source, "unreadable", error=error)


def _result(found: Comparison, content: Content, mirror: Mirror) -> VerifyResult:
    """Say what the differences mean: has the document moved on, or is the mirror not true to it?

    Raises:
        SidecarError: The document is torn, so that its differences mean nothing.
    """
    if found.integrity != "ok":
        return "damaged"
    if found.total:
        return "different" if has_same_content(content, mirror) else "stale"
    return "damaged" if mirror.fault else "equal"


def _report(
    source: Source,
    result: VerifyResult,
    found: Comparison | None = None,
    error: SidecarError | None = None,
) -> Verification:
    found = found or Comparison(integrity=None)
    return Verification(
        **doc_fields(source),
        mirror=shown(source.mirror),
        result=result,
        rows=found.rows,
        cells=found.cells,
        integrity=found.integrity,
        total=found.total,
        differences=tuple(found.differences),
        code=error.code if error else None,
        message=error.message if error else None,
    )
