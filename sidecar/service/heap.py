"""How the C library hands out memory for a decode: in large pages, from one heap (glibc only).

100,000 rows touch 110,000 fresh pages, a fifth of the decode's CPU time and a quarter of its wall
time. Large pages make it 900. What glibc offers for this is read from the environment when a
program starts, and costs nothing elsewhere.
"""

import os
import platform
import sys

TUNABLES = (
    "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864"
    # a job runs on a thread, and a thread's own heap comes in pieces too small for large pages;
    # the last entry is there because glibc 2.36 passes over the last one
    ":glibc.malloc.arena_max=1:glibc.malloc.arena_test=1"
)
_VARIABLE = "GLIBC_TUNABLES"
WORTH_A_RESTART = 16 << 20
"""Bytes of documents for which a new start of the program (0.05 s) is soon paid back."""


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker; what the user has set of this stays."""
    tunables = {_VARIABLE: TUNABLES} if sys.platform == "linux" else {}
    return {**tunables, **os.environ, "RUST_BACKTRACE": "0"}


def restart_for(document_bytes: int) -> None:
    """Start this program anew with large pages when it is about to decode this much.

    Returns when there is nothing to gain; otherwise the program continues as if just started.
    """
    if document_bytes < WORTH_A_RESTART or _VARIABLE in os.environ:
        return
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        sys.stdout.flush()
        os.execve(sys.executable, sys.orig_argv, worker_environment())  # noqa: S606 - itself
