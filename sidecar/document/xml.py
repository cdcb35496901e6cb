"""XML types to text as Yjs prints them: attributes and formats sorted by name, nothing escaped.

What Yjs 13.6 does in ``YXmlElement.toString`` and ``YXmlText.toString``, with JavaScript's
``String`` for whatever stands in an attribute or a text. pycrdt's own text has attributes in an
order that is random per process, and says other things of most values.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeGuard

from sidecar.document.extension import Text, Transaction, XmlElement, XmlFragment, XmlText
from sidecar.document.lifted import offered
from sidecar.javascript import number_text
from sidecar.model import JSON_DEPTH, is_list

Node = XmlElement | XmlFragment | XmlText

_OBJECT = "[object Object]"
_LOST = "__proto__"
"""An attribute or a format that Yjs puts into an object under this name is not printed."""
_NODES = (XmlElement, XmlFragment, XmlText)


class TooDeepError(Exception):
    """A value nests deeper than ``JSON_DEPTH``.

    Attributes:
        kind: Of the problem that it is for the cell.
    """

    kind: Literal["too_deep", "unreadable"] = "too_deep"

    def __str__(self) -> str:
        return f"nested deeper than {JSON_DEPTH}"


class HiddenError(TooDeepError):
    """The decoder does not give a part of this value, and nothing else can."""

    kind = "unreadable"

    def __str__(self) -> str:
        return "it holds XML that the decoder does not tell"


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell a plain JSON object, whose keys pycrdt always gives as str."""
    return isinstance(value, dict)


def render(node: Node, txn: Transaction, depth: int = 0) -> str:
    """Give the text of an XML node.

    Raises:
        TooDeepError: Its nodes nest deeper than ``JSON_DEPTH``.
        HiddenError: It has children that cannot be read.
    """
    # listed: a call from a generator takes of the C stack, and Python 3.12 allows too little of it
    if isinstance(node, XmlText):
        if depth > JSON_DEPTH:
            raise TooDeepError
        runs = node.diff(txn)
        return "".join([_run(text, formats or {}, txn, depth) for text, formats in runs])
    if depth == JSON_DEPTH:
        raise TooDeepError
    children, reading = _children(node, txn)
    inner = "".join([_string(child, reading, depth + 1) for child in children])
    if isinstance(node, XmlFragment):
        return inner
    tag: str = node.tag().lower()
    return f"<{tag}{_attributes_of(node, txn, depth)}>{inner}</{tag}>"


def _children(
    node: XmlElement | XmlFragment, txn: Transaction
) -> tuple[Sequence[Any], Transaction]:
    """Give the children of a node, and the transaction that they are read with.

    The decoder stops at the first that is no XML.
    """
    children = node.children(txn)
    is_whole = len(children) == node.len(txn)
    if is_whole and children:
        return children, txn
    lifting = offered()
    if lifting and isinstance(node, XmlFragment):
        lifting.bare_fragments += 1
    found = lifting.of_xml(node, is_whole=is_whole) if lifting else None
    if found is None and not is_whole:
        raise HiddenError
    return found or (children, txn)


def _run(value: Any, formats: dict[str, Any], txn: Transaction, depth: int) -> str:
    """Print a piece of text, or an embed, within its formats."""
    text = value if isinstance(value, str) else _string(_exact(value), txn, depth + 1)
    if not formats:
        return text
    names = _in_order(formats.keys() - {_LOST})
    opening = [
        f"<{name}{_attributes(_entries(_exact(formats[name])), txn, depth)}>" for name in names
    ]
    return "".join((*opening, text, *(f"</{name}>" for name in reversed(names))))


def _exact(value: Any) -> Any:
    """Give a value of JSON with its numbers as they were written; the decoder misreads some."""
    if isinstance(value, float):
        lifting = offered()
        return lifting.exact(value) if lifting else value
    if is_list(value):
        return [_exact(item) for item in value]
    return {key: _exact(item) for key, item in value.items()} if is_object(value) else value


def _entries(value: Any) -> dict[str, Any]:
    """Give what JavaScript's ``for in`` finds in a JSON value: keys, indexes, UTF-16 units."""
    if isinstance(value, str):
        units = value.encode("utf-16-le", "surrogatepass")
        pairs = [units[at : at + 2] for at in range(0, len(units), 2)]
        value = [pair.decode("utf-16-le", "replace") for pair in pairs]
    if is_list(value):
        return {str(index): item for index, item in enumerate(value)}
    return value if is_object(value) else {}


def _attributes_of(node: XmlElement, txn: Transaction, depth: int) -> str:
    found = node.attributes(txn)
    values = dict(found)
    if None in values.values():
        printed = node.get_string(txn)
        values = {**values, **dict.fromkeys(_undefined(found, printed, node.tag()), "undefined")}
    values.pop(_LOST, None)
    return _attributes(values, txn, depth)


def _undefined(found: Iterable[tuple[str, Any]], printed: str, tag: str) -> list[str]:
    """Tell undefined from null, which the decoder has as one value and prints as two.

    It prints attributes in the order in which it lists them.
    """
    at = len(f"<{tag}")
    names: list[str] = []
    for name, value in found:
        start = printed.find(f' {name}="', at) + len(name) + 3
        if isinstance(value, str):
            at = start + len(value) + 1
        elif value is None and printed.startswith('undefined"', start):
            names.append(name)
            at = start
        else:
            at = start
    return names


def _attributes(attributes: dict[str, Any], txn: Transaction, depth: int) -> str:
    return "".join(
        [f' {name}="{_string(attributes[name], txn, depth + 1)}"' for name in _in_order(attributes)]
    )


def _in_order(names: Iterable[str]) -> list[str]:
    """Sort as JavaScript does, by UTF-16 units."""
    return sorted(names, key=lambda name: name.encode("utf-16-be", "surrogatepass"))


def _string(value: Any, txn: Transaction, depth: int) -> str:
    """Print a value as JavaScript's ``String`` does."""
    if isinstance(value, str):
        return value
    if isinstance(value, _NODES):
        return render(value, txn, depth)
    if isinstance(value, Text):
        return value.get_string(txn)
    if is_list(value):
        return ",".join(map(_scalar, _leaves(value)))
    return "null" if value is None else _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, (bytes, bytearray)):
        return ",".join(map(str, value))
    return _OBJECT


def _leaves(value: list[Any]) -> list[Any]:
    """Give what a list joins in the end; lists in it may nest as deep as they like."""
    found: list[Any] = []
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if is_list(item):
            waiting.extend(reversed(item or [""]))
        else:
            found.append(item)
    return found
