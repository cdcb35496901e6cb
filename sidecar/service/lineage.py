"""Ties a process to the life of its parent, where the system can."""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends (Linux; elsewhere the pipes tell).

    The signal comes when the parent's *thread* that started this process ends, so that must be
    one that lives as long as its process: the main thread.

    Args:
        parent: The parent's pid as seen before the start, so that a parent that has died in
            between is noticed too.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - Linux only, and late

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)
