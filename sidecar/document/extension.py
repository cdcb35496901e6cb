# ruff: noqa: D102, FBT001 - the stubs repeat signatures that are not ours
"""pycrdt's extension module without its package.

``import pycrdt`` costs 30 to 115 ms for anyio and wrappers that the walk does not use; the
extension alone takes 1 to 15. Falls back to the package where the file is not found.
"""

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any


def load() -> ModuleType:
    """Load ``pycrdt._pycrdt``, once per process, without running ``pycrdt/__init__.py``."""
    name = "pycrdt._pycrdt"
    if name in sys.modules:
        return sys.modules[name]
    package = importlib.util.find_spec("pycrdt")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = os.path.join(folder, f"_pycrdt{suffix}")
            if os.path.isfile(path):
                return _load_file(name, path)
    return importlib.import_module(name)


def _load_file(name: str, path: str) -> ModuleType:
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        return importlib.import_module(name)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[name] = module
    return module


if TYPE_CHECKING:
    # What is used of the extension, as it is; its own stub leaves out half of it.
    from collections.abc import Callable

    class Transaction:
        """A read or write transaction."""

        def commit(self) -> None: ...
        def drop(self) -> None: ...

    class Subscription:
        """An observer; ``drop`` ends it."""

        def drop(self) -> None: ...

    class Map:
        """A Y.Map."""

        def keys(self, txn: Transaction) -> list[str]: ...
        def get(self, txn: Transaction, key: str) -> Any: ...
        def len(self, txn: Transaction) -> int: ...
        def has(self, txn: Transaction, key: str) -> bool: ...
        def observe_deep(self, callback: Callable[[list[Any]], None]) -> Subscription: ...

    class Array:
        """A Y.Array."""

        def get(self, txn: Transaction, index: int) -> Any: ...
        def len(self, txn: Transaction) -> int: ...
        def observe(self, callback: Callable[[Any], None]) -> Subscription: ...
        def observe_deep(self, callback: Callable[[list[Any]], None]) -> Subscription: ...
        def sticky_index(self, txn: Transaction, index: int, assoc: int) -> "StickyIndex": ...

    class StickyIndex:
        """A relative position."""

        def to_json_string(self) -> str: ...

    class Text:
        """A Y.Text."""

        def get_string(self, txn: Transaction) -> str: ...
        def diff(self, txn: Transaction) -> list[tuple[Any, dict[str, Any] | None]]: ...

    class XmlElement:
        """A Y.XmlElement."""

        def tag(self) -> str: ...
        def attributes(self, txn: Transaction) -> list[tuple[str, Any]]: ...
        def children(self, txn: Transaction) -> "list[XmlElement | XmlFragment | XmlText]": ...
        def len(self, txn: Transaction) -> int: ...
        def get_string(self, txn: Transaction) -> str: ...

    class XmlFragment:
        """A Y.XmlFragment."""

        def children(self, txn: Transaction) -> "list[XmlElement | XmlFragment | XmlText]": ...
        def len(self, txn: Transaction) -> int: ...

    class XmlText:
        """A Y.XmlText."""

        def diff(self, txn: Transaction) -> list[tuple[Any, dict[str, Any] | None]]: ...

    class Snapshot:
        """A Y.Snapshot."""

        @staticmethod
        def decode(data: bytes) -> "Snapshot": ...

    class Doc:
        """A Y.Doc."""

        def __init__(self, client_id: int | None, skip_gc: bool, guid: str | None) -> None: ...
        @staticmethod
        def from_snapshot(snapshot: Snapshot, doc: "Doc") -> "Doc": ...
        def guid(self) -> str: ...
        def create_transaction(self) -> Transaction: ...
        def apply_update(self, txn: Transaction, update: bytes) -> None: ...
        def get_state(self, txn: Transaction) -> bytes: ...
        def get_update(self, txn: Transaction, state: bytes) -> bytes: ...
        def roots(self, txn: Transaction) -> dict[str, Any]: ...
        def get_or_insert_map(self, txn: Transaction, name: str) -> Map: ...
        def get_or_insert_array(self, txn: Transaction, name: str) -> Array: ...
        def get_or_insert_text(self, txn: Transaction, name: str) -> Text: ...
        def get_or_insert_xml_fragment(self, txn: Transaction, name: str) -> XmlFragment: ...
        def observe(self, callback: Callable[[Any], None]) -> Subscription: ...

else:
    _extension: Any = load()
    Array = _extension.Array
    Doc = _extension.Doc
    Map = _extension.Map
    Snapshot = _extension.Snapshot
    Text = _extension.Text
    Transaction = _extension.Transaction
    XmlElement = _extension.XmlElement
    XmlFragment = _extension.XmlFragment
    XmlText = _extension.XmlText

__all__ = [
    "Array",
    "Doc",
    "Map",
    "Snapshot",
    "Text",
    "Transaction",
    "XmlElement",
    "XmlFragment",
    "XmlText",
]
