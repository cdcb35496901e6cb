"""Waits for a condition with a deadline, so that no test sleeps a fixed time and hopes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Return the first truthy result of ``condition``.

    Raises:
        AssertionError: there was none within ``seconds``; it says ``what`` was waited for.
    """
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)
    return result
