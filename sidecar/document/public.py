"""Opens updates with pycrdt's public API, for rooms that look and never build."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pycrdt

from sidecar.document.reading import refuse_foreign
from sidecar.errors import DocumentUnavailableError
from sidecar.model import JSON_DEPTH

_FRAMES_PER_LEVEL = 10
"""Walking JSON of ``JSON_DEPTH`` levels takes a few Python frames a level."""


def open_update(data: bytes) -> pycrdt.Doc[Any]:
    """Apply one Yjs V1 update to a fresh document that keeps what was deleted.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``, which would decode to an empty document.
    """
    refuse_foreign(data)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES_PER_LEVEL * JSON_DEPTH))
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    with decoder_errors():
        doc.apply_update(data)
    return doc


@contextmanager
def decoder_errors() -> Generator[None]:
    """Turn the decoder's failures into ours: ValueError, RuntimeError, a panic of its Rust code.

    pyo3's PanicException is a BaseException and cannot be imported by name.

    Raises:
        DocumentUnavailableError: ``undecodable``.
    """
    try:
        yield
    except BaseException as error:
        panic = type(error).__name__ == "PanicException"
        if not panic and not isinstance(error, (ValueError, RuntimeError)):
            raise
        message = f"the file is no whole Yjs update: {error}"
        raise DocumentUnavailableError("undecodable", message) from None
