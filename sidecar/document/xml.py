"""XML types to text as Yjs prints them: attributes and formats sorted by name, nothing escaped.

pycrdt's own text has them in an order that is random per process, which would give the same
document another mirror each time.
"""

from typing import Any, TypeGuard

import msgspec

from sidecar.document.extension import Transaction, XmlElement, XmlFragment, XmlText
from sidecar.model import JSON_DEPTH

Node = XmlElement | XmlFragment | XmlText


class TooDeepError(Exception):
    """A value nests deeper than ``JSON_DEPTH``."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell a plain JSON object, whose keys pycrdt always gives as str."""
    return isinstance(value, dict)


def render(node: Node, txn: Transaction, depth: int = 0) -> str:
    """Give the text of an XML node.

    Raises:
        TooDeepError: Its elements nest deeper than ``JSON_DEPTH``.
    """
    if isinstance(node, XmlText):
        return "".join(_run(text, formats or {}) for text, formats in node.diff(txn))
    if depth == JSON_DEPTH:
        raise TooDeepError
    # listed: a call from a generator takes of the C stack, and Python 3.12 allows too little of it
    inner = "".join([render(child, txn, depth + 1) for child in node.children(txn)])
    if isinstance(node, XmlFragment):
        return inner
    tag: str = node.tag().lower()
    return f"<{tag}{_attributes(dict(node.attributes(txn)))}>{inner}</{tag}>"


def _run(text: Any, formats: dict[str, Any]) -> str:
    if not isinstance(text, str):  # an embed, which has no text
        return ""
    names = sorted(formats)
    opening = "".join(f"<{name}{_attributes(formats[name])}>" for name in names)
    return opening + text + "".join(f"</{name}>" for name in reversed(names))


def _attributes(attributes: Any) -> str:
    if not is_object(attributes):
        return ""
    return "".join(f' {name}="{_javascript(attributes[name])}"' for name in sorted(attributes))


def _javascript(value: Any) -> str:
    """Give a value as JavaScript writes it into a string."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004
        return str(int(value))
    return msgspec.json.encode(value, order="sorted").decode()
