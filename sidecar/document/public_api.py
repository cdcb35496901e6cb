"""Documents through pycrdt's public API, for rooms that look and never build.

Shares nothing with the walk that builds mirrors: ``reference/`` reads documents with it.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeGuard

import pycrdt

from sidecar.errors import DocumentUnavailableError
from sidecar.model import JSON_DEPTH, as_map
from sidecar.yjs.encoding import refuse_foreign

_FRAMES_PER_LEVEL = 10
"""Walking JSON of ``JSON_DEPTH`` levels takes a few Python frames a level."""


def open_update(data: bytes) -> pycrdt.Doc[Any]:
    """Apply one Yjs V1 update to a fresh document that keeps what was deleted.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``foreign``, which would decode to an empty document.
    """
    refuse_foreign(data)
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    with decoder_errors():
        doc.apply_update(data)
    return doc


def entries(value: Any) -> dict[str, Any]:
    """Give the entries of a map or an object; anything else has none."""
    if not _is_map(value):
        return as_map(value)
    with value.doc.transaction():
        return {key: _get(value, key) for key in value.keys()}  # noqa: SIM118 - no dict


@contextmanager
def decoder_errors() -> Generator[None]:
    """Turn the decoder's failures into ours: ValueError, RuntimeError, a panic of its Rust code.

    pyo3's PanicException is a BaseException and cannot be imported by name. While the context
    lasts there is room for walking deep JSON, too.

    Raises:
        DocumentUnavailableError: ``undecodable``.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _FRAMES_PER_LEVEL * JSON_DEPTH))
    try:
        yield
    except BaseException as error:
        panic = type(error).__name__ == "PanicException"
        if not panic and not isinstance(error, (ValueError, RuntimeError)):
            raise
        message = f"the file is no whole Yjs update: {error}"
        raise DocumentUnavailableError("undecodable", message) from None
    finally:
        sys.setrecursionlimit(limit)


def _is_map(value: Any) -> TypeGuard[pycrdt.Map[Any]]:
    return isinstance(value, pycrdt.Map)


def _get(value: pycrdt.Map[Any], key: str) -> Any:
    try:
        return value[key]
    except (KeyError, ValueError):  # damaged: named, and not held
        return None
