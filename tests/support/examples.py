"""How many random documents a run tries: few in `make test-fast`, all of them in `make test-slow`.

The profile decides: ``pytest --hypothesis-profile many`` tries as many as `make test-slow`.
"""

from typing import Any

from hypothesis import HealthCheck, settings

_COUNTS = {"fast": 20, "usual": 50, "many": 800}
"""Examples of a test that does not say how many it asks for."""
_LEAST = 5


def register_profiles() -> None:
    """Register the profiles. None has a deadline: the machine decides how fast examples come."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    for name, count in _COUNTS.items():
        settings.register_profile(name, patient, max_examples=count)
    settings.load_profile("usual")


def is_thorough() -> bool:
    """Tell whether this run is that of `make test-slow`."""
    return settings().max_examples >= _COUNTS["many"]


def share_of(count: int) -> int:
    """Return how many of ``count`` random documents this run tries: all of them under ``many``."""
    share = settings().max_examples / _COUNTS["many"]
    return min(count, max(_LEAST, round(count * share)))


def stride(step: int) -> int:
    """Return how far apart places of a file are tried: ``step``, or each under ``many``."""
    return 1 if is_thorough() else step


def examples(count: int, **more: Any) -> settings:
    """Return Hypothesis's settings for a test that asks for ``count`` examples."""
    return settings(max_examples=share_of(count), **more)
