"""Mirrors Yjs workspace documents into SQLite files that anyone can query."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sidecar.readers.open_mirror import OpenMirror, open_mirror

__all__ = ["OpenMirror", "__version__", "open_mirror"]

__version__ = "0.1.0"


def _import_msgspec() -> None:
    """Import msgspec without the parts that we do not use: saves two thirds of its 30 ms.

    msgspec tries to import typing_extensions first and falls back to typing, which is enough on
    every supported Python. Its parts for JSON Schema, introspection, TOML and YAML are imported
    at their first use.
    """
    is_new = "typing_extensions" not in sys.modules
    if is_new:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    parts = {name: _later(f"msgspec.{name}") for name in ("inspect", "toml", "yaml")}
    schemas = _later("msgspec._json_schema", ("schema", "schema_components"))
    sys.modules.update({module.__name__: module for module in (*parts.values(), schemas)})
    importlib.import_module("msgspec")
    if is_new:
        del sys.modules["typing_extensions"]


def _later(name: str, functions: tuple[str, ...] = ()) -> ModuleType:
    """Return a stand-in for a module, which imports the module at its first use.

    Args:
        name: Its name.
        functions: Functions that other modules import from it by name.
    """
    module = ModuleType(name)

    def load() -> ModuleType:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        return importlib.import_module(name)

    def later(function: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            return getattr(load(), function)(*arguments, **named)

        return call

    def ask(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(load(), attribute)

    vars(module).update({function: later(function) for function in functions}, __getattr__=ask)
    return module


if "msgspec" not in sys.modules:
    _import_msgspec()


def __getattr__(name: str) -> Any:
    """Import the public helpers at their first use: importing SQLite takes 10 ms."""
    if name in {"OpenMirror", "open_mirror"}:
        return getattr(importlib.import_module("sidecar.readers.open_mirror"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
