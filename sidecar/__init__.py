"""Mirrors Yjs workspace documents into SQLite files that anyone can query."""
