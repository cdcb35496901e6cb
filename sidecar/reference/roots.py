"""The roots of a document through pycrdt's public API: their kinds, and what stands in them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pycrdt

from sidecar.document.public_api import decoder_errors, entries, open_update
from sidecar.model import Layout, RootKind

_XML = (pycrdt.XmlElement, pycrdt.XmlText)


class RawRoot(msgspec.Struct, frozen=True):
    """One root, as pycrdt gives it.

    Attributes:
        name: Of the root.
        kind: By what is in it: entries first.
        entries: Those of a map.
        elements: Those of an array.
        has_sequence: Whether there is anything beside the entries.
        doc: What holds them all.
    """

    name: str
    kind: RootKind
    entries: dict[str, Any]
    elements: list[Any]
    has_sequence: bool
    doc: pycrdt.Doc[Any]


class RawRow(msgspec.Struct, frozen=True):
    """A row with columns that the mirror adds.

    Attributes:
        fields: A map or an object.
        added: Column -> value.
    """

    fields: Any
    added: dict[str, Any]


class RawTable(msgspec.Struct, frozen=True):
    """One table, as pycrdt gives it.

    Attributes:
        name: In the document.
        layout: How it was recognised.
        rows: Key -> a map, an object, a ``RawRow``, or whatever else stands there.
        doc: What holds them.
        definition: Anything at all, None when it has none.
        is_defined: Whether there is a definition, be it null.
        added: Columns that the mirror adds.
        place: Where a pattern of ``--tables`` names it, written as a pattern; empty for others.
    """

    name: str
    layout: Layout
    rows: dict[str, Any]
    doc: pycrdt.Doc[Any]
    definition: Any = None
    is_defined: bool = False
    added: tuple[str, ...] = ()
    place: str = ""


class Place(msgspec.Struct, frozen=True):
    """A table that was found by its place."""

    steps: list[str]
    table: RawTable


def raw_roots(data: bytes) -> list[RawRoot]:
    """Read all roots of a document, sorted by name.

    Indexing an array costs the square of its length, so the document is opened twice: once to see
    which roots there are, and once to learn from the first change event of each what it holds.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn``: nothing but zeros.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    names = sorted(open_update(data).keys())
    doc: pycrdt.Doc[Any] = pycrdt.Doc(skip_gc=True)
    with decoder_errors():
        inserted: dict[str, list[Any]] = {name: [] for name in names}
        arrays = {name: doc.get(name, type=pycrdt.Array) for name in names}
        for name, array in arrays.items():
            array.observe(_inserted(inserted[name]))
        doc.apply_update(data)
        return [_root(doc, name, inserted[name]) for name in names]


def _root(doc: pycrdt.Doc[Any], name: str, inserted: list[Any]) -> RawRoot:
    found = entries(doc.get(name, type=pycrdt.Map))
    is_text = bool(str(doc.get(name, type=pycrdt.Text))) or _is_embeds(doc, name, inserted)
    if is_text and name.startswith("table:") and any(map(_is_plain, inserted)):
        is_text = False  # only arrays hold these; the event passes over some letters beside them
        inserted = [*inserted, *[""] * (len(doc.get(name, type=pycrdt.Array)) - len(inserted))]
    is_xml = bool(inserted) and all(isinstance(element, _XML) for element in inserted)
    kind: RootKind = "array" if inserted else "unknown"
    if is_text or is_xml:
        kind = "text" if is_text else "xml"
    elements = inserted if kind == "array" else []
    if kind == "text" and _is_array_too(doc, name):
        elements = [element for element in inserted if not isinstance(element, str)]
    return RawRoot(name, "map" if found else kind, found, elements, kind != "unknown", doc)


def _is_array_too(doc: pycrdt.Doc[Any], name: str) -> bool:
    """Tell of a text whether more is in its root than a text has: plain values, or shared types."""
    words = str(doc.get(name, type=pycrdt.Text))
    inside = [piece for piece, _ in doc.get(name, type=pycrdt.Text).diff()]
    others = [piece for piece in inside if not isinstance(piece, str)]
    types = (pycrdt.Text, pycrdt.Array, pycrdt.Map, pycrdt.XmlFragment, *_XML)
    if any(isinstance(piece, types) for piece in others):
        return True
    letters = len(words) + sum(character > "\uffff" for character in words)
    return len(doc.get(name, type=pycrdt.Array)) > letters + len(others)


def _is_plain(element: Any) -> bool:
    return element is None or isinstance(element, (bool, int, float, dict, list))


def _is_embeds(doc: pycrdt.Doc[Any], name: str, inserted: list[Any]) -> bool:
    """Tell a text of nothing but embeds, which a text has and an array has not."""
    pieces = doc.get(name, type=pycrdt.Text).diff()
    embeds = [piece for piece, _ in pieces if not isinstance(piece, pycrdt.Map | pycrdt.Array)]
    types = (pycrdt.Text, pycrdt.XmlFragment, *_XML)
    embeds = [piece for piece in embeds if not isinstance(piece, types)]
    return bool(embeds) and len(pieces) == len(inserted)


def _inserted(found: list[Any]) -> Callable[[pycrdt.ArrayEvent], None]:
    def note(event: pycrdt.ArrayEvent) -> None:
        for change in event.delta:  # type: ignore[attr-defined]
            found.extend(change.get("insert", ()))

    return note
