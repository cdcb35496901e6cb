"""How thoroughly to measure, and how patiently: one value for every part of the bench."""

import sys

import msgspec

from scripts.bench.measure import wait_for_quiet


class Plan(msgspec.Struct, frozen=True):
    """What a run of the bench was asked for.

    Attributes:
        rounds: How often each cold sync and each start is measured.
        edits: How many edits of each kind.
        patience_s: How long to wait for a quiet machine before each sample.
        quick: Small documents only: to see that the bench works, not for its figures.
        huge: A document of a million rows as well, which takes eight minutes more.
    """

    rounds: int = 7
    edits: int = 50
    patience_s: float = 5.0
    quick: bool = False
    huge: bool = False

    def wait(self) -> None:
        """Wait for a quiet machine, as long as patience lasts."""
        wait_for_quiet(self.patience_s)

    def say(self, line: str) -> None:
        """Tell the person who waits what comes next."""
        print(line, file=sys.stderr, flush=True)
