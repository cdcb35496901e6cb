"""Waits for a condition with a deadline, so that no test sleeps a fixed time and hopes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHORTEST, LONGEST = 0.01, 0.05
"""Seconds between two looks: a look may cost as much as what is waited for, and delay it."""


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Return the first truthy result of ``condition``.

    Raises:
        AssertionError: there was none within ``seconds``; it says ``what`` was waited for.
    """
    started = time.monotonic()
    while not (result := condition()):
        waited = time.monotonic() - started
        assert waited < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(min(max(SHORTEST, waited / 10), LONGEST, seconds - waited))
    return result
