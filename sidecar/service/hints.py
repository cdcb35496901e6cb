"""What a source of file events says, and what it must be able to do."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Hint(NamedTuple):
    """Something happened to an entry of a folder, or with an empty name to the folder itself.

    What happened is not said: kinds of events differ between systems, and files are looked at.
    """

    folder: str
    name: str


class Events(Protocol):
    """A source of hints about folders, each for its own entries only."""

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; True when one is watched that was not before."""
        ...

    def wait(self, seconds: float) -> set[Hint] | None:
        """Return hints, an empty set after ``seconds``, None when anything may have changed."""
        ...

    def wake(self) -> None:
        """End a wait, now and for ever, from another thread."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
