"""What the watcher tells the loop."""

import msgspec

from sidecar.discovery import Signature
from sidecar.model import Source


class Sight(msgspec.Struct, frozen=True):
    """One document as a look saw it."""

    source: Source
    signature: Signature | None
    mirror: Signature | None


class Look(msgspec.Struct, frozen=True):
    """Everything that is there; ``at`` is when the look began, monotonic."""

    at: float
    sights: dict[str, Sight]
    missing: tuple[str, ...]
    denied: dict[str, str]
    closed: dict[str, str]


class Touched(msgspec.Struct, frozen=True):
    """Documents that may have changed, or whose mirror has gone; ``at`` is when we heard."""

    sources: tuple[Source, ...]
    at: float
