"""The roots of a document through pycrdt's public API: their kinds, and what stands in them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import decoder_errors, entries, open_update
from sidecar.model import RootKind

_XML = (pycrdt.XmlElement, pycrdt.XmlFragment, pycrdt.XmlText)


class RawRoot(msgspec.Struct, frozen=True):
    """One root, as pycrdt gives it.

    Attributes:
        name: Of the root.
        kind: By what is in it: entries first.
        entries: Those of a map.
        elements: Those of an array.
        doc: What holds them all.
    """

    name: str
    kind: RootKind
    entries: dict[str, Any]
    elements: list[Any]
    doc: pycrdt.Doc[Any]


def raw_roots(data: bytes) -> list[RawRoot]:
    """Read all roots of a document, sorted by name.

    Indexing an array costs the square of its length, so the document is opened twice: once to see
    which roots there are, and once to be told by the first change event of each what it holds.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    names = sorted(open_update(data).keys())
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    with decoder_errors():
        told: dict[str, list[Any]] = {name: [] for name in names}
        arrays = {name: doc.get(name, type=pycrdt.Array) for name in names}
        for name, array in arrays.items():
            array.observe(_inserted(told[name]))
        doc.apply_update(data)
        return [_root(doc, name, told[name]) for name in names]


def _root(doc: pycrdt.Doc[Any], name: str, told: list[Any]) -> RawRoot:
    found = entries(doc.get(name, type=pycrdt.Map))
    is_text = bool(str(doc.get(name, type=pycrdt.Text))) or _is_embeds(doc, name, told)
    is_xml = bool(told) and all(isinstance(element, _XML) for element in told)
    kind: RootKind = "array" if told else "unknown"
    if is_text or is_xml:
        kind = "text" if is_text else "xml"
    elements = told if kind == "array" else []
    return RawRoot(name, "map" if found else kind, found, elements, doc)


def _is_embeds(doc: pycrdt.Doc[Any], name: str, told: list[Any]) -> bool:
    """Tell a text of nothing but embeds, which a text has and an array has not."""
    pieces = doc.get(name, type=pycrdt.Text).diff()
    embeds = [piece for piece, _ in pieces if not isinstance(piece, pycrdt.Map | pycrdt.Array)]
    embeds = [piece for piece in embeds if not isinstance(piece, (pycrdt.Text, *_XML))]
    return bool(embeds) and len(pieces) == len(told)


def _inserted(found: list[Any]) -> Callable[[pycrdt.ArrayEvent], None]:
    def note(event: pycrdt.ArrayEvent) -> None:
        for change in event.delta:  # type: ignore[attr-defined]
            found.extend(change.get("insert", ()))

    return note
