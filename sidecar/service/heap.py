"""How the C library hands out memory for a decode: in large steps, from one heap (glibc only).

A job runs on a thread of its own, and glibc gives a thread a heap in pieces of 64 MB, which it
grows and trims page by page. A decode of 100,000 rows takes 450 MB.
"""

import sys

WORTH_IT = 4 << 20
"""Bytes of a document for which loading ctypes (3 ms) is soon paid back."""

_M_TOP_PAD, _M_ARENA_MAX = -2, -8
_STEP = 64 << 20


def widen_steps() -> None:
    """Set the process up for a large decode, before its thread starts; elsewhere do nothing."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - only for large documents

    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TOP_PAD, _STEP)
