"""pycrdt's extension module without its package.

``import pycrdt`` costs 30 to 115 ms for anyio and wrappers that the walk does not use; the
extension alone takes 1 to 15. Falls back to the package where the file is not found.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
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
            path = Path(folder) / f"_pycrdt{suffix}"
            if path.is_file():
                return _load_file(name, path)
    return importlib.import_module(name)


def _load_file(name: str, path: Path) -> ModuleType:
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        return importlib.import_module(name)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[name] = module
    return module


if TYPE_CHECKING:
    from pycrdt._pycrdt import (
        Array,
        Doc,
        Map,
        Snapshot,
        Text,
        Transaction,
        XmlElement,
        XmlFragment,
        XmlText,
    )
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
