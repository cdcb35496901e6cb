"""Mirrors Yjs workspace documents into SQLite files that anyone can query."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sidecar.readers.open_mirror import OpenMirror, open_mirror

__all__ = ["OpenMirror", "__version__", "open_mirror"]

__version__ = "0.1.0"

# msgspec asks for typing_extensions first and falls back to typing, which has all it needs on
# every Python that is supported: half of its 30 ms of import time, in every start of ours.
if "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    __import__("msgspec")

    del sys.modules["typing_extensions"]


def __getattr__(name: str) -> Any:
    """Import the public helpers when they are asked for: SQLite costs every start 10 ms."""
    if name in {"OpenMirror", "open_mirror"}:
        return getattr(importlib.import_module("sidecar.readers.open_mirror"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
