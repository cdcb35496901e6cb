"""The documents that a watch knows: what is known of each, and when it is due. No I/O, no clock.

One queue owns both. A document is in one of five states, and only this moves it:

| from    | by                                               | to      |
|---------|--------------------------------------------------|---------|
| unknown | ``add``, ``compare`` with a scan that finds it   | resting |
| resting | ``touch`` an event, ``ask`` a command or retry   | waiting |
| waiting | ``put_off`` (it changed unheard), ``wait``       | waiting |
| waiting | ``park`` (it takes long, another one runs)       | parked  |
| parked  | ``unpark``: that one has ended                   | waiting |
| waiting | ``begin``: a worker gets it                      | running |
| running | ``touch``, ``ask``: kept for the next sync       | running |
| running | ``give_back`` (the worker did not come to it)    | waiting |
| running | ``end``: retry, slow, later, or events since     | waiting |
| running | ``end``: done or once                            | resting |
| waiting | ``hold``: its worker has not ended its batch     | waiting |
| any     | ``forget``: it is gone                           | unknown |
"""

import heapq
from bisect import bisect_right, insort
from collections.abc import Iterable

import msgspec

from sidecar.errors import Code
from sidecar.files import FileVersion, is_below
from sidecar.model import Failed, Memory, Outcome, Rebuilt, Source, Unchanged
from sidecar.supervisor.schedule import Burst, Due, Effect, Timing, rest_s

_VANISHED = FileVersion(0, 0, 0, 0, 0)
"""Of a mirror that was gone before anybody looked: the next scan finds something else."""


class FileState(msgspec.Struct, frozen=True):
    """One document and its mirror as a scan saw them."""

    source: Source
    document: FileVersion | None
    mirror: FileVersion | None


class Scan(msgspec.Struct, frozen=True):
    """Everything that is there; ``at`` is when the scan began, monotonic."""

    at: float
    states: dict[str, FileState]
    missing: tuple[str, ...]
    denied: dict[str, str]
    closed: dict[str, str]

    def hides(self, document: str) -> bool:
        """Tell whether a document lies in a folder that could not be looked into."""
        return any(is_below(document, folder) for folder in (*self.closed, *self.denied))


class Touched(msgspec.Struct, frozen=True):
    """Documents that may have changed, or whose mirror has gone; ``at`` is when we heard.

    Attributes:
        mirrors: Documents whose mirror may be another one.
    """

    sources: tuple[Source, ...]
    at: float
    mirrors: tuple[Source, ...] = ()


class DocumentState(msgspec.Struct, eq=False):
    """What is known about one document.

    Attributes:
        source: Where it is.
        due: When it is synced next.
        seen: Its file as the last scan saw it, or as it was given to a worker since.
        ended: When its last sync ended.
        given: Its file as it was when a worker last got it.
        rested: Whether it counted as rested then.
        absent: The last scan did not find it, or found no regular file.
        mirror: Its mirror as the last good sync left it, None while there is none to compare.
        force: The next sync rebuilds whatever it finds.
        forcing: The present one does, and its retries.
        equal: Digest of bytes that were found equal in content to the mirror, and which file
            that mirror was: another process may have put another one in its place.
        reported: The failure that was reported last, and of which version of the file.
        torn: The failure of a file that may still be written: of which version, whether it
            counted as rested, and what was said. The same try would end in the same way.
        refused: The failure of bytes at which a worker ended, and the version of the file.
        refused_digest: Digest of those bytes, if it could be taken.
        insisted: Digest of the bytes of which this process has built the mirror last.
        left: The mirror as the last good sync left it; unlike ``mirror`` it is never forgotten.
        missed_since: Since when the document is not to be found.
        unreadable: Code of the failure of the bytes that are there, and the version of the file.
        took_s: Seconds that its last decode took, None before there was one.
    """

    source: Source
    due: Due
    seen: FileVersion | None = None
    ended: float = float("-inf")
    given: FileVersion | None = None
    absent: bool = False
    mirror: FileVersion | None = None
    force: bool = False
    forcing: bool = False
    equal: tuple[str, FileVersion | None] | None = None
    reported: tuple[str, FileVersion | None] | None = None
    torn: tuple[FileVersion | None, bool, Failed] | None = None
    rested: bool = False
    refused: tuple[Failed, FileVersion | None] | None = None
    refused_digest: str | None = None
    insisted: str | None = None
    left: FileVersion | None = None
    missed_since: float | None = None
    unreadable: tuple[Code, FileVersion | None] | None = None
    took_s: float | None = None

    def known_digest(self, mirror: FileVersion | None) -> str | None:
        """Return the digest that is known to be equal to the mirror that is there now."""
        return self.equal[0] if self.equal and self.equal[1] == mirror else None

    def repeated(self) -> Failed | None:
        """Return the failure that the present try could only repeat."""
        if self.torn and self.torn[:2] == (self.given, self.rested):
            return self.torn[2]
        return None

    def refuses(self, now: float, version: FileVersion | None) -> Failed | None:
        """Return the failure of this very file, of which it is too early for another try."""
        if self.refused and self.refused[1] == version and now < (self.due.later_at or now):
            return self.refused[0]
        return None

    def memory(self, now: float, mirror: FileVersion | None, *, asked: bool) -> Memory:
        """Return what the next sync must know of the earlier ones.

        Args:
            now: The time.
            mirror: The mirror that is there now.
            asked: Somebody asks for this sync: it is tried even with bytes that failed before.
        """
        is_early = self.due.later_at is not None and now < self.due.later_at
        return Memory(
            known=self.known_digest(mirror),
            refused=self.refused_digest if is_early and not asked else None,
            insisted=self.insisted,
            left=self.left,
        )

    def refuse(self, failed: Failed, digest: str | None) -> None:
        """Note that a worker ended at the present bytes; other ones begin anew."""
        before = self.refused_digest or (self.refused and self.refused[1])
        if before != (digest or self.given):
            self.due.forget_bytes()
        self.refused, self.refused_digest = (failed, self.given), digest

    def note(self, failed: Failed) -> None:
        """Remember a failure that lasts as long as the bytes of the file."""
        is_content = failed.code in {"empty", "torn", "undecodable"}
        self.torn = (self.given, self.rested, failed) if is_content else None

    def record(self, outcome: Outcome) -> None:
        """Remember what a verdict says about the next sync."""
        self.torn = None
        if isinstance(outcome, Failed):
            is_content = outcome.effect in {"once", "later", "same", "retry"}
            self.unreadable = (outcome.code, self.given) if is_content else None
            return
        self.unreadable = None
        self.reported = self.refused = self.refused_digest = None
        self.mirror = self.left = outcome.mirror or _VANISHED
        self.forcing = False
        if isinstance(outcome, Rebuilt) and outcome.reason != "elsewhere":
            self.insisted = outcome.digest
        self.equal = (outcome.digest, outcome.mirror) if isinstance(outcome, Unchanged) else None

    def report(self, failed: Failed) -> bool:
        """Note that a failure is reported; False when it was, for this version of the file."""
        before, self.reported = self.reported, (failed.code, failed.version or self.given)
        return before != self.reported


class DocumentQueue:
    """The known documents by path. Oldest due goes first, and none twice at a time.

    A heap of (due, document), in which an entry counts only while it is what the state says:
    thousands of documents are looked at once each, not once for every message.
    """

    def __init__(self, timing: Timing) -> None:
        """Begin with no document."""
        self._timing = timing
        self._states: dict[str, DocumentState] = {}
        self._heap: list[tuple[float, str]] = []
        self._parked: set[str] = set()
        self._rests: list[float] = []
        self._burst = Burst()
        """Until when documents rest, sorted."""

    def __getitem__(self, document: str) -> DocumentState:
        """Return what is known about a document.

        Raises:
            KeyError: It is not known.
        """
        return self._states[document]

    def __contains__(self, document: object) -> bool:
        """Tell whether a document is known."""
        return document in self._states

    def sources(self) -> Iterable[Source]:
        """Give all known documents."""
        return (state.source for state in self._states.values())

    def add(self, source: Source) -> DocumentState:
        """Return what is known about a document that is there: nothing if it is new."""
        state = self._states.get(source.document)
        if state is None:
            state = self._states[source.document] = DocumentState(source, Due())
        state.absent, state.missed_since = False, None
        return state

    def compare(self, scan: Scan) -> list[str]:
        """Take in a scan and return the documents that must be synced because of it.

        Those are new ones, ones that are gone, ones whose file is not the one that was seen last,
        and ones whose mirror is not the one that was left. Each is returned once, not with every
        scan.
        """
        stale: list[str] = []
        for document, state in self._states.items():
            if document not in scan.states and not state.absent and not scan.hides(document):
                state.seen, state.absent = None, True
                stale.append(document)
        for document, found in scan.states.items():
            state = self.add(found.source)
            is_old = scan.at <= state.ended  # it may have looked before the last sync published
            is_left = is_old or state.mirror in {None, found.mirror}
            if found.document != state.seen or not is_left:
                state.seen = found.document
                state.mirror = None
                stale.append(document)
        return stale

    def is_replaced(self, document: str, mirror: FileVersion | None) -> bool:
        """Tell whether the mirror at hand is not the one that the last good sync left."""
        state = self._states.get(document)
        return bool(state and not state.due.running and state.mirror not in {None, mirror})

    def touch(self, document: str, now: float) -> None:
        """Note an event: the document may have changed."""
        self._states[document].due.touch(now)
        self._enter(document)

    def ask(self, document: str, now: float) -> None:
        """Have the document synced as soon as a worker is free, after its present sync if any."""
        self._states[document].due.ask(now)
        self._enter(document)

    def put_off(self, document: str, now: float, rested_s: float) -> bool:
        """Begin the debounce of a due document anew when it has changed unheard.

        Args:
            document: Its path.
            now: The time.
            rested_s: For how long it has not been changed; negative when that cannot be known.

        Returns:
            Whether it is put off.
        """
        if not self._states[document].due.may_be_put_off(now, rested_s, self._timing):
            return False
        self.touch(document, now - rested_s)
        return True

    def wait(self, document: str, until: float) -> None:
        """Have a document wait until one moment, whatever has been heard of it."""
        self._states[document].due.wait(until)
        self._enter(document)

    def park(self, document: str) -> None:
        """Have a due document wait until another one that takes long has ended."""
        self._parked.add(document)

    def unpark(self) -> None:
        """Let the documents that wait for another one be due again."""
        parked, self._parked = self._parked, set()
        for document in parked & self._states.keys():
            self._enter(document)

    def is_late(self, document: str, since: float) -> bool:
        """Tell whether a due document was due before a moment."""
        when = self._states[document].due.when(self._timing)
        return when is not None and when < since

    def due_at(self, document: str) -> float | None:
        """Return when a document is due, whatever others are; None when nothing asks for it."""
        state = self._states.get(document)
        return state.due.when(self._timing) if state else None

    def next_due(self) -> float | None:
        """Return when the next document is due, None when none is."""
        while self._heap:
            when, document = self._heap[0]
            state = self._states.get(document)
            is_parked = document in self._parked
            if state and not is_parked and state.due.when(self._timing) == when:
                return when
            heapq.heappop(self._heap)
        return None

    def take_due(self, now: float, most: int) -> list[str]:
        """Return up to ``most`` documents that are due, oldest first; they stay due."""
        ripe: dict[str, float] = {}
        while len(ripe) < most and (when := self.next_due()) is not None and when <= now:
            _, document = heapq.heappop(self._heap)
            ripe[document] = when
        for document, when in ripe.items():
            heapq.heappush(self._heap, (when, document))
        return list(ripe)

    def begin(self, document: str, version: FileVersion | None = None) -> DocumentState:
        """Note that a worker gets a document, in this version of its file."""
        state = self._states[document]
        state.seen = state.given = version
        state.mirror = None  # its own publishing is nothing new
        state.forcing, state.force = state.forcing or state.force, False
        state.rested = state.due.is_rested
        state.due.begin()
        return state

    def give_back(self, document: str, now: float) -> None:
        """Take back a document that its worker did not come to."""
        self._states[document].due.running = False
        self.ask(document, now)

    def end(
        self, document: str, now: float, cost_s: float, effect: Effect, *, resting: bool = True
    ) -> int | None:
        """Note how a sync ended.

        Args:
            document: Its path.
            now: The time.
            cost_s: CPU seconds it took.
            effect: As ``Due.end``.
            resting: Whether the load rule counts it: not during the first pass.

        Returns:
            Milliseconds until the next try, None when only an event brings one.
        """
        self._states[document].ended = now
        due = self._states[document].due
        wait_ms = due.end(now, cost_s, effect, self._timing.rescan_s)
        if not due.tries:
            if resting:
                del self._rests[: bisect_right(self._rests, now)]
                crowd = 1 + len(self._rests)
                max_load = self._timing.max_load
                cost_s = self._burst.cover(now, due.cost_s, max_load)
                due.rest_until = now + rest_s(cost_s, crowd, max_load)
                insort(self._rests, due.rest_until)
                self._burst.quiet_since = self._rests[-1]
            due.cost_s = 0.0
        self._enter(document)
        return wait_ms

    def hold(self, document: str, until: float) -> None:
        """Have a document wait for the end of its worker's batch, which may keep it.

        Args:
            document: Its path.
            until: Another worker may have it from then on, if that end does not come.
        """
        self._states[document].due.held_until = until
        self._enter(document)

    def let_go(self, document: str) -> None:
        """Note that the batch has ended which a document may have waited for."""
        if document in self._states:
            self.hold(document, float("-inf"))

    def forget(self, document: str) -> None:
        """Drop a document that is gone."""
        self._states.pop(document, None)
        self._parked.discard(document)

    def _enter(self, document: str) -> None:
        when = self._states[document].due.when(self._timing)
        if when is not None:
            heapq.heappush(self._heap, (when, document))
