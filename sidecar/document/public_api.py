"""Documents through pycrdt's public API, for rooms that look and never build.

Shares nothing with the walk that builds mirrors: ``reference/`` reads documents with it.
"""

import math
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import msgspec
import pycrdt

from sidecar.errors import DocumentUnavailableError
from sidecar.model import JSON_DEPTH, as_map
from sidecar.yjs.encoding import refuse_foreign

_ARRAYS = "table:"
_FRAMES_PER_LEVEL = 10
"""Walking JSON of ``JSON_DEPTH`` levels takes a few Python frames a level."""


def open_update(data: bytes) -> pycrdt.Doc[Any]:
    """Apply one Yjs V1 update to a fresh document that keeps what was deleted.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``, which would decode to an empty document.
    """
    refuse_foreign(data)
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    with decoder_errors():
        doc.apply_update(data)
    return doc


class RawTable(msgspec.Struct, frozen=True):
    """One table, as pycrdt gives it.

    Attributes:
        name: In the document.
        is_keyed_array: Which layout it has, keyed array or map.
        definition: Anything at all, None when it has none.
        rows: Key -> a map, an object, or whatever else stands there.
        doc: What holds them.
    """

    name: str
    is_keyed_array: bool
    definition: Any
    rows: dict[str, Any]
    doc: pycrdt.Doc[Any]


def raw_tables(data: bytes) -> list[RawTable]:
    """Find all tables of a document.

    Args:
        data: One Yjs V1 update.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    doc = open_update(data)
    with decoder_errors():
        return [*_maps(doc), *_arrays(doc, data)]


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


def _maps(doc: pycrdt.Doc[Any]) -> Iterator[RawTable]:
    definitions: dict[str, Any] = {}
    for root in ("schema", "definition"):
        definitions |= entries(entries(doc.get(root, type=pycrdt.Map)).get("tables"))
    found = entries(doc.get("tables", type=pycrdt.Map))
    for name in definitions.keys() | found.keys():
        value = found.get(name, {})
        is_odd = not _is_map(value) and not isinstance(value, dict)
        if name in definitions or is_odd or entries(value):
            yield RawTable(
                name=name,
                is_keyed_array=False,
                definition=definitions.get(name),
                rows=entries(value),
                doc=doc,
            )


def _arrays(doc: pycrdt.Doc[Any], data: bytes) -> Iterator[RawTable]:
    names = [name for name in doc.keys() if name.startswith(_ARRAYS)]  # noqa: SIM118 - no dict
    if not names:
        return
    # Indexing an array costs the square of its length; its first change event tells all of it.
    again: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    found: dict[str, list[Any]] = {name: [] for name in names}
    arrays = [again.get(name, type=pycrdt.Array) for name in names]
    for name, array in zip(names, arrays, strict=True):
        array.observe(_inserted(found[name]))
    again.apply_update(data)
    for name in names:
        if found[name]:
            yield RawTable(
                name=name[len(_ARRAYS) :],
                is_keyed_array=True,
                definition=None,
                rows=_newest(found[name]),
                doc=again,
            )


def _inserted(found: list[Any]) -> Callable[[pycrdt.ArrayEvent], None]:
    def note(event: pycrdt.ArrayEvent) -> None:
        for change in event.delta:  # type: ignore[attr-defined]
            found.extend(change.get("insert", ()))

    return note


def _newest(found: list[Any]) -> dict[str, Any]:
    """Give the value of each key's entry with the highest ts, the later one on a tie."""
    best: dict[str, tuple[float, Any]] = {}
    for entry in map(entries, found):
        key, ts = entry.get("key"), entry.get("ts")
        if not isinstance(key, str) or isinstance(ts, bool) or not isinstance(ts, (int, float)):
            continue
        if math.isnan(ts) or (key in best and best[key][0] > ts):
            continue
        best[key] = (ts, entry.get("val"))
    return {key: value for key, (_, value) in best.items()}


def _is_map(value: Any) -> TypeGuard[pycrdt.Map[Any]]:
    return isinstance(value, pycrdt.Map)


def _get(value: pycrdt.Map[Any], key: str) -> Any:
    try:
        return value[key]
    except (KeyError, ValueError):  # damaged: named, and not held
        return None
