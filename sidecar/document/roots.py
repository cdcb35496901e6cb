"""What stands in the roots of a document, whatever type its app opens them as."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from sidecar.document.extension import (
    Array,
    Doc,
    Map,
    Text,
    Transaction,
    XmlElement,
    XmlFragment,
    XmlText,
)
from sidecar.document.lifted import count_bare_fragments
from sidecar.document.xml import TooDeepError, render
from sidecar.model import RootKind
from sidecar.yjs.encoding import read_varuint, utf16_units

ARRAY_PREFIX = "table:"
LONG = 256
"""Elements of an array that are read by index without a thought: that costs their square."""

_WIDEST_LENGTH = 2
_MOST_NAMES = 10_000
_NAMED_PARENT = 1
_WHERE, _HAS_KEY = 0xE0, 0x20
"""Bits of an info byte: for two neighbours, and for a key."""
_USUAL_CLIENT = 1 << 28
"""Of clients, which are random, one in sixteen is less."""
_KINDS = frozenset(range(1, 10))
_IDS = 24
"""Bytes of an info and of two ids, mostly."""
_INFO_OF_FIRST = frozenset(kind | has_key for kind in range(1, 10) for has_key in (0, 0x20))
_XML = frozenset((XmlElement, XmlText))
"""What stands in an XML fragment; another fragment in a root is an element of an array."""
_TYPES = _XML | {Array, Map, Text, XmlFragment}


class _Sequence(NamedTuple):
    """What stands in a row in a root: that of ``RootContent``."""

    kind: RootKind
    elements: list[Any]
    text: str | None
    lost: int = 0


class RootContent(msgspec.Struct, frozen=True):
    """One root and what is left in it. Yjs lets one root have entries and a sequence, too.

    Attributes:
        name: Of the root.
        kind: By its entries, else by its sequence.
        map: Its entries.
        keys: How many.
        elements: Those of an array, as the walk takes them; of a text those that are no letters.
        text: All of a text or of XML, None of anything else.
        has_bare_fragment: Somewhere in its XML is a fragment without XML.
        lost: Strings of an array that cannot be told from the letters of a text in the same root.
    """

    name: str
    kind: RootKind
    map: Map
    keys: int
    elements: list[Any]
    text: str | None
    has_bare_fragment: bool = False
    lost: int = 0


class CaughtArrays:
    """Elements of root arrays, caught while the update is applied.

    Reading an array by index costs the square of its length once edits have split it up (20,000
    entries: 1.7 s); its change event gives all elements in one pass (0.005 s). A root can only
    be observed by name before the update is applied.
    """

    def __init__(self, doc: Doc, names: Iterable[str]) -> None:
        """Observe the arrays of these names. One that is no root stays empty, and is listed."""
        self._found: dict[str, list[Any]] = {name: [] for name in names}
        self._subscriptions: list[Any] = []
        if not self._found:
            return
        txn = doc.create_transaction()
        for name in self._found:
            array = doc.get_or_insert_array(txn, name)
            self._subscriptions.append(array.observe(self._catch(name)))
        txn.commit()
        txn.drop()

    def get(self, name: str) -> list[Any] | None:
        """Give the elements of an array, None when it was not observed."""
        return self._found.get(name)

    def let_go(self) -> dict[str, list[Any]]:
        """Give the elements of all arrays by name, and observe no longer."""
        for subscription in self._subscriptions:
            subscription.drop()
        return self._found

    def _catch(self, name: str) -> Callable[[Any], None]:
        def catch(event: Any) -> None:
            self._found[name] = [
                element for change in event.delta for element in change.get("insert", ())
            ]

        return catch


def read_roots(
    doc: Doc,
    txn: Transaction,
    caught: CaughtArrays | Mapping[str, list[Any]],
    only: Container[str] | None = None,
) -> tuple[list[RootContent], list[str]]:
    """Read all roots. To be asked before anything opens a root by name, which makes it.

    Args:
        doc: The document.
        txn: The transaction of the walk.
        caught: Elements of arrays by name.
        only: The names of the roots that are there, where others were opened by name.

    Returns:
        The roots, sorted by name, and the names of long arrays that must be caught to be read.
    """
    names = sorted(name for name in doc.roots(txn) if only is None or name in only)
    found = {name: _read(doc, txn, name, caught.get(name)) for name in names}
    roots = [root for root in found.values() if root is not None]
    return roots, [name for name, root in found.items() if root is None]


def names_of_arrays(data: bytes) -> set[str]:
    """Find the names of roots that start with ``table:``.

    A root's name stands in the first struct in it: an info byte without origins, the mark of a
    named parent, the length of the name. What only looks like it does no harm. Names of more than
    16 kB, and of more than 10,000 roots, must be read in another way.
    """
    names: set[str] = set()
    prefix = ARRAY_PREFIX.encode()
    start = -1
    while (start := data.find(prefix, start + 1)) != -1:
        for width in range(1, min(_WIDEST_LENGTH, start) + 1):
            length, end = _length(data, start - width)
            if end == start and length >= len(prefix) and _is_named(data, start - width):
                names.add(data[start : start + length].decode("utf-8", "replace"))
        if len(names) > _MOST_NAMES:
            return set()
    return names


def _is_named(data: bytes, at: int) -> bool:
    marks = data[at - 2 : at] if at >= 2 else b""  # noqa: PLR2004 - info and mark
    is_named = len(marks) > 1 and marks[0] in _INFO_OF_FIRST and marks[1] == _NAMED_PARENT
    return is_named and not _is_behind_id(data, at)


def _is_behind_id(data: bytes, at: int) -> bool:
    """Tell a key or a content that stands behind an id, whose bytes look like these marks.

    A root that is taken for one is read all the same, only later.

    Args:
        data: The update.
        at: Where the text and its length stand.
    """
    return any(_end_of_ids(data, start) == at for start in range(max(0, at - _IDS), at))


def _end_of_ids(data: bytes, start: int) -> int | None:
    """Pass over the ids of a struct: of its neighbours, or of the type that it has a key in."""
    info = data[start]
    numbers = 2 * ((info >> 7) + (info >> 6 & 1))
    at = start + 1
    if info & ~_WHERE not in _KINDS or (not numbers and data[at]):
        return None  # the latter is behind a root's name
    if not numbers:
        numbers, at = 2, at + 1
    if info & _WHERE != _HAS_KEY and _length(data, at)[0] < _USUAL_CLIENT:
        return None  # like the beginning of a section, or the end of a text
    for _ in range(numbers):
        at = _length(data, at)[1]
    return at


def _length(data: bytes, position: int) -> tuple[int, int]:
    try:
        return read_varuint(data, position)
    except ValueError:
        return 0, 0


def _read(doc: Doc, txn: Transaction, name: str, caught: list[Any] | None) -> RootContent | None:
    entries = doc.get_or_insert_map(txn, name)
    keys = entries.len(txn)
    bare = count_bare_fragments()
    sequence = _caught(doc, txn, name, caught) if caught else None
    sequence = sequence or _sequence(doc, txn, name, caught)
    if sequence is None:
        return None
    kind, elements, text, lost = sequence
    is_bare = count_bare_fragments() > bare
    return RootContent(name, "map" if keys else kind, entries, keys, elements, text, is_bare, lost)


def _caught(doc: Doc, txn: Transaction, name: str, elements: list[Any]) -> _Sequence | None:
    kinds = set(map(type, elements))
    # a keyed array with text in it was opened as a text, too: only arrays hold plain values
    is_keyed = name.startswith(ARRAY_PREFIX) and not kinds <= _TYPES | {str}
    has_letters = bool(doc.get_or_insert_text(txn, name).get_string(txn))
    if kinds <= _XML or (has_letters and not is_keyed):
        return None
    if has_letters:  # the decoder's event passes over some, such as those of an emoji
        missing = doc.get_or_insert_array(txn, name).len(txn) - len(elements)
        elements = [*elements, *[""] * missing]
    return _Sequence("array", elements, None)


def _sequence(doc: Doc, txn: Transaction, name: str, caught: list[Any] | None) -> _Sequence | None:
    """Read what stands in a row in a root; None when that must be caught."""
    array = doc.get_or_insert_array(txn, name)
    size = array.len(txn)
    if not size:
        return _Sequence("unknown", [], None)
    text = doc.get_or_insert_text(txn, name)
    if words := text.get_string(txn):  # an array of strings has none
        return _with_words(text, txn, words, size - utf16_units(words), caught)
    pieces = [piece for piece, _ in text.diff(txn)]  # shared types and embeds, in one pass
    if len(pieces) == size:
        return _of_pieces(pieces, txn)
    if size > LONG:
        return None
    get = array.get
    return _Sequence("array", [get(txn, at) for at in range(size)], None)


def _of_pieces(pieces: list[Any], txn: Transaction) -> _Sequence:
    """Read a root of nothing but shared types and embeds; only texts have embeds."""
    kinds = set(map(type, pieces))
    if kinds <= _XML:
        return _Sequence("xml", [], "".join([_markup(node, txn) for node in pieces]))
    if kinds <= _TYPES:
        return _Sequence("array", pieces, None)
    return _Sequence("text", pieces if kinds & _TYPES else [], "")


def _with_words(
    text: Text, txn: Transaction, words: str, others: int, caught: list[Any] | None
) -> _Sequence | None:
    """Read a root with letters in it, which another app may have opened as an array, too.

    Embeds belong to a text, and shared types in it are shown by no text. Plain values are only in
    arrays. The decoder gives them all but for strings: those look like the letters.
    """
    pieces = [p for p, _ in text.diff(txn) if type(p) is not str] if others else []
    is_text = others == len(pieces) and not any(type(piece) in _TYPES for piece in pieces)
    if is_text:
        return _Sequence("text", [], words)
    if caught is None:  # by index, the decoder may not come back from between two half letters
        return None
    elements = [element for element in caught if type(element) is not str]
    return _Sequence("text", elements, words, max(0, others - len(elements)))


def _markup(node: Any, txn: Transaction) -> str:
    try:
        return render(node, txn)
    except TooDeepError:
        return ""
