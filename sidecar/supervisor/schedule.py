"""When each document is synced next: pure functions of time and history, and their bookkeeping.

No clock in here: every ``now`` is passed in, in seconds of one monotonic clock.
"""

import heapq
from typing import Literal

import msgspec

RETRY_MS = (20, 50, 100, 250, 500, 1000, 2000)
"""Waits between tries while the host writes its file; the try after the last one is final."""

SETTLED_TRIES = 5
"""After these many tries, 0.92 s, a file that did not change is taken as its app left it."""
SLOW_MS = (1000, 2000, 5000, 10_000, 30_000)
"""Waits while a disk is full or a lock is held; the last one repeats."""

Effect = Literal["done", "retry", "slow", "once"]


class Timing(msgspec.Struct, frozen=True):
    """The habits that decide the waits.

    Attributes:
        debounce_s: Quiet time after the last event.
        max_wait_s: End of a wait that never goes quiet.
        max_load: Share of one core that steady edits may cost.
    """

    debounce_s: float = 0.5
    max_wait_s: float = 5.0
    max_load: float = 0.25


class Turn(msgspec.Struct):
    """What is known about one document's next sync.

    Attributes:
        first_event: When the oldest event came that no sync has seen yet.
        last_event: When the youngest one came.
        at: When it is due whatever the events say: a retry, or at once on command.
        rest_until: When the load rule lets events count again.
        tries: Tries so far of the present retry ladder.
        slow_tries: Slow retries so far in a row.
        cost_s: CPU seconds since the last rest.
        running: A worker has it.
    """

    first_event: float | None = None
    last_event: float | None = None
    at: float | None = None
    rest_until: float = float("-inf")
    tries: int = 0
    slow_tries: int = 0
    cost_s: float = 0.0
    running: bool = False

    @property
    def is_last_try(self) -> bool:
        """No further try follows soon."""
        return self.tries >= len(RETRY_MS)

    @property
    def is_settled(self) -> bool:
        """The file has been as it is for about a second."""
        return self.tries >= SETTLED_TRIES

    def due(self, timing: Timing) -> float | None:
        """Return when the next sync should start, None when nothing asks for one."""
        if self.running:
            return None
        if self.first_event is None or self.last_event is None:
            return self.at
        quiet = self.last_event + timing.debounce_s
        by_events = max(self.rest_until, min(quiet, self.first_event + timing.max_wait_s))
        return by_events if self.at is None else min(by_events, self.at)


def rest_s(cost_s: float, crowd: int, max_load: float) -> float:
    """Return how long a document must rest after syncs, so that all keep within the load.

    Args:
        cost_s: CPU seconds of the syncs just done.
        crowd: Documents at rest now, this one included: they share the load.
        max_load: Share of one core.
    """
    return cost_s * max(0.0, crowd / max_load - 1.0)


class Schedule:
    """The turns of all documents. Oldest due goes first, and none twice at a time.

    A heap of (due, document), in which an entry counts only while it is what the turn says:
    thousands of documents are looked at once each, not once for every message.
    """

    def __init__(self, timing: Timing) -> None:
        """Begin with no document."""
        self._timing = timing
        self._turns: dict[str, Turn] = {}
        self._heap: list[tuple[float, str]] = []

    def touch(self, document: str, now: float) -> None:
        """Note an event: the document may have changed."""
        turn = self._turns.setdefault(document, Turn())
        if turn.first_event is None:
            turn.first_event = now
        turn.last_event = now
        self._enter(document, turn)

    def put_off(self, document: str, now: float, quiet_s: float) -> bool:
        """Begin the debounce of a due document anew when it has changed unheard.

        Args:
            document: Its path.
            now: The time.
            quiet_s: For how long it has not been changed; negative when that cannot be told.

        Returns:
            Whether it is put off. What was asked for, or has waited as long as it may, is not.
        """
        turn, timing = self._turns[document], self._timing
        is_asked = turn.at is not None and turn.at <= now
        if is_asked or turn.first_event is None or not 0 <= quiet_s < timing.debounce_s:
            return False
        if turn.first_event + timing.max_wait_s <= now:
            return False
        self.touch(document, now - quiet_s)
        return True

    def ask(self, document: str, now: float) -> None:
        """Have the document synced as soon as a worker is free, after its present sync if any."""
        turn = self._turns.setdefault(document, Turn())
        turn.at = now if turn.at is None else min(turn.at, now)
        self._enter(document, turn)

    def forget(self, document: str) -> None:
        """Drop a document that is gone."""
        self._turns.pop(document, None)

    def next_due(self) -> float | None:
        """Return when the next document is due, None when none is."""
        while self._heap:
            due, document = self._heap[0]
            turn = self._turns.get(document)
            if turn and turn.due(self._timing) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def due(self, now: float, most: int) -> list[str]:
        """Return up to ``most`` documents that are due, oldest first."""
        ripe: dict[str, float] = {}
        while len(ripe) < most and (due := self.next_due()) is not None and due <= now:
            _, document = heapq.heappop(self._heap)
            ripe[document] = due
        for document, due in ripe.items():
            heapq.heappush(self._heap, (due, document))
        return list(ripe)

    def begin(self, document: str) -> bool:
        """Note that a worker has the document now, and has seen all events so far.

        Returns:
            Whether the file counts as settled: what is left standing in it will stay.
        """
        turn = self._turns[document]
        turn.running = True
        turn.first_event = turn.last_event = turn.at = None
        return turn.is_settled

    def give_back(self, document: str, now: float) -> None:
        """Take back a document that its worker did not come to."""
        self._turns[document].running = False
        self.ask(document, now)

    def end(
        self, document: str, now: float, cost_s: float, effect: Effect, *, resting: bool = True
    ) -> int | None:
        """Note how a sync ended.

        Args:
            document: Its path.
            now: The time.
            cost_s: CPU seconds it took.
            effect: ``retry`` climbs the ladder; ``slow`` tries again after a longer wait.
            resting: Whether the load rule counts it: not during the first pass.

        Returns:
            Milliseconds until the next try, None when only an event brings one.
        """
        turn = self._turns[document]
        turn.running = False
        turn.cost_s += cost_s
        wait_ms = _next_wait_ms(turn, effect)
        if effect != "retry":
            turn.slow_tries = turn.slow_tries + 1 if effect == "slow" else 0
        turn.tries = turn.tries + 1 if effect == "retry" and wait_ms is not None else 0
        if not turn.tries:
            self._rest(turn, now, resting=resting)
        if wait_ms is not None:
            self.ask(document, now + wait_ms / 1000)
        self._enter(document, turn)
        return wait_ms

    def _rest(self, turn: Turn, now: float, *, resting: bool) -> None:
        if resting:
            crowd = 1 + sum(other.rest_until > now for other in self._turns.values())
            turn.rest_until = now + rest_s(turn.cost_s, crowd, self._timing.max_load)
        turn.cost_s = 0.0

    def _enter(self, document: str, turn: Turn) -> None:
        due = turn.due(self._timing)
        if due is not None:
            heapq.heappush(self._heap, (due, document))


def _next_wait_ms(turn: Turn, effect: Effect) -> int | None:
    if effect == "retry" and not turn.is_last_try:
        return RETRY_MS[turn.tries]
    if effect == "slow":
        return SLOW_MS[min(turn.slow_tries, len(SLOW_MS) - 1)]
    return None
