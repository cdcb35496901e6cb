"""When a document is synced next: pure functions of time and earlier results.

Callers pass every ``now``, in seconds of one monotonic clock.
"""

from typing import Literal

import msgspec

RETRY_MS = (20, 50, 100, 250, 500, 1000, 2000)
"""Waits between tries while the host writes its file; the try after the last wait is final."""

RESTED_TRIES = 5
"""After so many tries, 0.92 s, a file that did not change counts as completely written."""
SLOW_MS = (1000, 2000, 5000, 10_000, 30_000, 60_000)
"""Waits while a disk is full, a lock is held or no descriptor is free. The last one repeats; none
is longer than the time between two rescans."""
LATER_MS = (60_000, 600_000, 3_600_000)
"""Waits after a worker's process ended at the document; the last one repeats."""

BURST_S = 1.0
"""CPU seconds of syncs that need no rest after a quiet time."""

Effect = Literal["done", "retry", "slow", "later", "same", "once"]


class Timing(msgspec.Struct, frozen=True):
    """The settings for the waits.

    Attributes:
        debounce_s: Quiet time after the last event.
        max_wait_s: Longest wait for a file that is written again and again.
        max_load: Share of one core that steady edits may cost.
        rescan_s: Time between two rescans; the longest wait of slow retries.
    """

    debounce_s: float = 0.5
    max_wait_s: float = 5.0
    max_load: float = 0.25
    rescan_s: float = 60.0


class Due(msgspec.Struct):
    """When one document is synced next, and why.

    Attributes:
        first_event: Time of the oldest event since the last sync began.
        last_event: Time of the newest one.
        at: When it is due independent of events: a retry, or a command.
        rest_until: Events cause no sync before this time, because of ``max_load``.
        tries: Number of quick retries so far.
        slow_tries: Number of slow retries so far.
        later_tries: How often a worker's process has ended at the present bytes.
        later_at: Time of the next try with these bytes.
        cost_s: CPU seconds since the last rest.
        running: A worker has the document.
        held_until: Nothing causes a sync before this time: a worker that has answered may keep the
            document.
    """

    first_event: float | None = None
    last_event: float | None = None
    at: float | None = None
    rest_until: float = float("-inf")
    tries: int = 0
    slow_tries: int = 0
    later_tries: int = 0
    later_at: float | None = None
    cost_s: float = 0.0
    running: bool = False
    held_until: float = float("-inf")

    @property
    def is_last_try(self) -> bool:
        """No further try follows soon."""
        return self.tries >= len(RETRY_MS)

    @property
    def is_rested(self) -> bool:
        """The file was not changed for about a second: it counts as completely written."""
        return self.tries >= RESTED_TRIES

    @property
    def is_expected(self) -> bool:
        """A sync is running or due."""
        return self.running or self.at is not None or self.first_event is not None

    def when(self, timing: Timing) -> float | None:
        """Return when the next sync should start, None when none is due."""
        if self.running:
            return None
        times = [] if self.at is None else [self.at]
        if self.first_event is not None and self.last_event is not None:
            rested_at = self.last_event + timing.debounce_s
            times.append(max(self.rest_until, min(rested_at, self.first_event + timing.max_wait_s)))
        return max(self.held_until, min(times)) if times else None

    def touch(self, now: float) -> None:
        """Record an event: the document may have changed."""
        if self.first_event is None:
            self.first_event = now
        self.last_event = now

    def ask(self, now: float) -> None:
        """Make it due at this time, after the present sync if one is running."""
        self.at = now if self.at is None else min(self.at, now)

    def may_be_put_off(self, now: float, rested_s: float, timing: Timing) -> bool:
        """Return whether a due document changed without an event yet: its debounce starts again.

        Args:
            now: The time.
            rested_s: For how long its file has not been changed; negative when unknown.
            timing: The settings.

        Returns:
            False for a retry or a command, and after the longest wait.
        """
        is_asked = self.at is not None and self.at <= now
        if is_asked or self.first_event is None or not 0 <= rested_s < timing.debounce_s:
            return False
        return self.first_event + timing.max_wait_s > now

    def wait(self, until: float) -> None:
        """Make it due at this time only, and forget all events."""
        self.first_event = self.last_event = None
        self.at = until

    def begin(self) -> None:
        """Record that a sync begins, which covers all events so far."""
        self.running = True
        self.first_event = self.last_event = self.at = None

    def end(self, now: float, cost_s: float, effect: Effect, rescan_s: float = 60.0) -> int | None:
        """Record the result of a sync.

        Args:
            now: The time.
            cost_s: CPU seconds it took.
            effect: ``retry`` tries again soon, ``slow`` after a longer wait, ``later`` after a much
                longer one; ``same``: the bytes are those that failed, and were not tried.
            rescan_s: As in ``Timing``.

        Returns:
            Milliseconds until the next try, None when only an event brings one.
        """
        self.running = False
        self.cost_s += cost_s
        wait_ms = self._next_wait_ms(effect, now, rescan_s)
        if effect != "retry":
            self.slow_tries = self.slow_tries + 1 if effect == "slow" else 0
        if effect in {"done", "once"}:
            self.forget_bytes()
        self.tries = self.tries + 1 if effect == "retry" and wait_ms is not None else 0
        if wait_ms is not None:
            self.ask(now + wait_ms / 1000)
        if effect == "later" and wait_ms is not None:
            self.later_tries, self.later_at = self.later_tries + 1, now + wait_ms / 1000
        return wait_ms

    def forget_bytes(self) -> None:
        """Record that the bytes are not those at which a worker's process ended."""
        self.later_tries, self.later_at = 0, None

    def _next_wait_ms(self, effect: Effect, now: float, rescan_s: float) -> int | None:
        if effect == "retry" and not self.is_last_try:
            return RETRY_MS[self.tries]
        if effect == "slow":
            longest_ms = max(SLOW_MS[0], round(rescan_s * 1000))
            return min(longest_ms, SLOW_MS[min(self.slow_tries, len(SLOW_MS) - 1)])
        if effect == "later":
            return LATER_MS[min(self.later_tries, len(LATER_MS) - 1)]
        if effect == "same" and self.later_at is not None:
            return max(0, round((self.later_at - now) * 1000))
        return None


class Burst(msgspec.Struct):
    """What syncs may cost without a rest: a load that quiet times did not use can be made up for.

    So the first edit of a document that is kept, which costs more than those after it, delays none
    of them, and steady edits cost what they may on average.

    Attributes:
        left_s: CPU seconds.
        quiet_since: Time from which nothing rests or runs, as far as is known.
    """

    left_s: float = BURST_S
    quiet_since: float = float("inf")

    def cover(self, now: float, cost_s: float, max_load: float) -> float:
        """Take what a sync cost that ended now, and return what must be rested for."""
        quiet_s = max(0.0, now - cost_s - self.quiet_since)
        left_s = min(BURST_S, self.left_s + quiet_s * max_load)
        covered_s = min(left_s, cost_s)
        self.left_s = left_s - covered_s
        return cost_s - covered_s


def rest_s(cost_s: float, crowd: int, max_load: float) -> float:
    """Return how long a document must rest after syncs, so that all together keep ``max_load``.

    Args:
        cost_s: CPU seconds of the last syncs.
        crowd: Number of documents that rest now, including this one: they share the load.
        max_load: Share of one core.
    """
    return cost_s * max(0.0, crowd / max_load - 1.0)
