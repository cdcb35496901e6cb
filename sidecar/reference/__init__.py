"""The reference: the same mirror worked out by other code, for ``verify`` and ``inspect``."""
