"""The processes of a running ``watch``, and whether they have ended."""

import psutil

from tests.support.program import Watch


def family(watch: Watch) -> list[psutil.Process]:
    """Return the program and all its descendants."""
    top = psutil.Process(watch.process.pid)
    return [top, *top.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended, reaped or not; it may end during the question."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
