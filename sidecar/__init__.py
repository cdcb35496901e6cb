"""Mirrors Yjs workspace documents into SQLite files that anyone can query."""

__version__ = "0.1.0"
