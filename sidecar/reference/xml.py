"""XML as Yjs prints it, in words of its own: what ``document.xml`` writes is checked by it."""

import re
from collections.abc import Iterable
from typing import Any

import pycrdt

from sidecar.model import JSON_DEPTH, as_map, is_list
from sidecar.reference.aside import Aside
from sidecar.reference.values import in_javascript


class DeepError(Exception):
    """A value nests deeper than is shown."""


class XmlPrinter:
    """Prints the XML of one document: tags in lower case, attributes by name, no escaping."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside

    def node(self, node: Any, depth: int = 0) -> str:
        """Print a node.

        Raises:
            DeepError: It nests deeper than ``JSON_DEPTH``.
        """
        is_text = isinstance(node, pycrdt.XmlText)
        if depth > JSON_DEPTH or (depth == JSON_DEPTH and not is_text):
            raise DeepError
        if is_text:
            return "".join([self._run(text, found, depth) for text, found in node.diff()])
        inner = "".join([self._string(child, depth + 1) for child in self._aside.children(node)])
        if isinstance(node, pycrdt.XmlFragment):
            return inner
        tag = str(node.tag).lower()
        return f"<{tag}{self._attributes(_attributes(node), depth)}>{inner}</{tag}>"

    def _run(self, piece: Any, formats: dict[str, Any] | None, depth: int) -> str:
        text = self._string(self._exact(piece), depth + 1)
        for name in sorted({*(formats or {})} - _UNPRINTED, key=_units, reverse=True):
            found = self._attributes(_for_in(self._exact(as_map(formats)[name])), depth)
            text = f"<{name}{found}>{text}</{name}>"
        return text

    def _exact(self, value: Any) -> Any:
        if isinstance(value, float):
            return self._aside.exact(value)
        if isinstance(value, dict):
            return {key: self._exact(item) for key, item in as_map(value).items()}
        return list(map(self._exact, value)) if is_list(value) else value

    def _attributes(self, found: dict[str, Any], depth: int) -> str:
        names = sorted(found, key=_units)
        return "".join([f' {name}="{self._string(found[name], depth + 1)}"' for name in names])

    def _string(self, value: Any, depth: int) -> str:
        """Print a value as JavaScript's String() does."""
        if isinstance(value, (pycrdt.XmlText, pycrdt.XmlElement, pycrdt.XmlFragment)):
            return self.node(value, depth)
        if isinstance(value, pycrdt.Text):
            return text_of(value)
        return "null" if value is None else "".join(_printed(value))


class _Undefined:
    """JavaScript's undefined, of which the decoder says None."""


def text_of(text: pycrdt.Text) -> str:
    """Give a text without its formats and embeds."""
    return "".join(piece for piece, _ in text.diff() if isinstance(piece, str))


def _printed(value: Any) -> Iterable[str]:
    """Print what holds no shared type, piece by piece: lists may nest thousands deep."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Comma):
            yield ","
        elif is_list(item):
            joined: list[Any] = [part for element in item for part in (_Comma(), element)]
            waiting += joined[:0:-1]
        elif item is not None:
            yield _scalar(item)


class _Comma:
    """Stands between the elements of a list."""


def _scalar(value: Any) -> str:
    if isinstance(value, _Undefined):
        return "undefined"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return in_javascript(value)
    if isinstance(value, (bytes, bytearray)):
        return ",".join(str(byte) for byte in value)
    return value if isinstance(value, str) else "[object Object]"


def _attributes(node: pycrdt.XmlElement) -> dict[str, Any]:
    """Give the attributes of an element; the decoder prints undefined and null differently."""
    wrap: Any = getattr(node, "_maybe_as_type_or_doc")  # noqa: B009 - the view unwraps shared types
    attributes: Any = node.attributes
    found = [(name, wrap(value)) for name, value in attributes]
    if all(value is not None for _, value in found):
        return _without_proto(dict(found))
    patterns = (f' {re.escape(name)}="{_pattern(value)}"' for name, value in found)
    match = re.match(f"<{re.escape(str(node.tag))}{''.join(patterns)}>", str(node), re.DOTALL)
    printed = iter(match.groups() if match else ())
    return _without_proto(
        {
            name: _Undefined() if value is None and next(printed, "") == "undefined" else value
            for name, value in found
        }
    )


def _without_proto(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in _UNPRINTED}


_UNPRINTED = frozenset(("__proto__",))
"""Names under which JavaScript's objects, into which Yjs puts attributes, keep nothing."""


def _pattern(value: Any) -> str:
    if isinstance(value, str):
        return re.escape(value)
    return "(null|undefined)" if value is None else ".*?"


def _for_in(value: Any) -> dict[str, Any]:
    """Give what JavaScript's ``for in`` finds: keys, or the indexes of a list or of a text."""
    if isinstance(value, str):
        data = value.encode("utf-16-be", "surrogatepass")
        halves = [data[index : index + 2] for index in range(0, len(data), 2)]
        value = [half.decode("utf-16-be", "replace") for half in halves]
    if is_list(value):
        return {str(index): item for index, item in enumerate(value)}
    return as_map(value)


def _units(name: str) -> bytes:
    """Give the UTF-16 units of a name, by which JavaScript sorts."""
    return name.encode("utf-16-be", "surrogatepass")
