"""Mirrors Yjs workspace documents into SQLite files that anyone can query."""

import sys

__version__ = "0.1.0"

# msgspec asks for typing_extensions first and falls back to typing, which has all it needs on
# every Python that is supported: half of its 30 ms of import time, in every start of ours.
if "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    __import__("msgspec")

    del sys.modules["typing_extensions"]
