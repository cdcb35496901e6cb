"""The documents a watch knows, and the commands that wait for them. No I/O, no clock."""

from collections.abc import Callable, Iterable

import msgspec

from sidecar.files import Signature
from sidecar.host.protocol import Command, Event
from sidecar.model import Failed, Outcome, Rebuilt, Source, Unchanged

Finish = Callable[["Request"], Event]


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


class Request(msgspec.Struct, eq=False):
    """A wish to have documents synced; it is fulfilled when each has its verdict.

    Attributes:
        finish: The event that ends it.
        waiting: Documents whose verdict is still to come.
    """

    finish: Finish
    waiting: set[str]
    rebuilt: int = 0
    unchanged: int = 0
    failed: int = 0

    def count(self, document: str, outcome: Outcome) -> bool:
        """Note a verdict; True when it was the last one."""
        self.waiting.discard(document)
        if isinstance(outcome, Rebuilt):
            self.rebuilt += 1
        elif isinstance(outcome, Unchanged):
            self.unchanged += 1
        else:
            self.failed += 1
        return not self.waiting


class Known(msgspec.Struct, eq=False):
    """What is known about one document.

    Attributes:
        source: Where it is.
        seen: Its file as the last look saw it, or as it was given to a worker since.
        given: Its file as it was when a worker last got it.
        settled: Whether it counted as settled then.
        absent: The last look did not find it, or found no regular file.
        mirror: Its mirror as the last good sync left it, None while there is none to compare.
        force: The next sync rebuilds whatever it finds.
        forcing: The present one does, and its retries.
        equal: Digest of bytes that were found equal in content to the mirror, and which file
            that mirror was: another process may have put another one in its place.
        told: The failure that was told last, and of which version of the file.
        torn: The failure of a file that may still be written: of which version, whether it
            counted as settled, and what was said. The same try would end in the same way.
        kills: How often in a row its worker was ended by somebody else.
        serving: The requests that its present sync answers.
    """

    source: Source
    seen: Signature | None = None
    given: Signature | None = None
    absent: bool = False
    mirror: Signature | None = None
    force: bool = False
    forcing: bool = False
    equal: tuple[str, Signature | None] | None = None
    told: tuple[str, object] | None = None
    torn: tuple[Signature | None, bool, Failed] | None = None
    settled: bool = False
    kills: int = 0
    serving: list[Request] = []

    def known_digest(self, mirror: Signature | None) -> str | None:
        """Return the digest that is known to be equal to the mirror that is there now."""
        return self.equal[0] if self.equal and self.equal[1] == mirror else None

    def repeated(self) -> Failed | None:
        """Return the failure that the present try could only repeat."""
        if self.torn and self.torn[:2] == (self.given, self.settled):
            return self.torn[2]
        return None

    def note(self, failed: Failed) -> None:
        """Remember a failure that lasts as long as the bytes of the file."""
        is_content = failed.code in {"empty", "torn", "undecodable"}
        self.torn = (self.given, self.settled, failed) if is_content else None

    def settle(self, outcome: Outcome, mirror: Signature | None) -> None:
        """Remember what a verdict says about the next sync."""
        if isinstance(outcome, Failed):
            return
        self.told = None
        self.kills = 0
        self.mirror = mirror
        self.forcing = False
        self.equal = (outcome.digest, mirror) if isinstance(outcome, Unchanged) else None

    def is_news(self, failed: Failed) -> bool:
        """Tell whether a failure was not yet told for this version of the file; note it."""
        before, self.told = self.told, (failed.code, failed.version or self.given)
        return before != self.told


class Documents:
    """The known documents by path, and the requests that wait for them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, Known] = {}
        self._requests: list[Request] = []

    def __getitem__(self, document: str) -> Known:
        """Return what is known about a document.

        Raises:
            KeyError: It is not known.
        """
        return self._known[document]

    def __contains__(self, document: object) -> bool:
        """Tell whether a document is known."""
        return document in self._known

    def add(self, source: Source) -> Known:
        """Return what is known about a document that is there: nothing if it is new."""
        known = self._known.setdefault(source.document, Known(source))
        known.absent = False
        return known

    def compare(self, sights: dict[str, Sight]) -> list[str]:
        """Take in a look and return the documents that must be synced because of it.

        Those are new ones, ones that are gone, ones whose file is not the one that was seen last,
        and ones whose mirror is not the one that was left. Each is returned once, not with every
        look.
        """
        stale: list[str] = []
        for document, known in self._known.items():
            if document not in sights and not known.absent:
                known.seen, known.absent = None, True
                stale.append(document)
        for document, sight in sights.items():
            known = self.add(sight.source)
            if sight.signature != known.seen or known.mirror not in {None, sight.mirror}:
                known.seen = sight.signature
                known.mirror = None
                stale.append(document)
        return stale

    def matching(self, command: Command) -> list[str]:
        """Return the documents that a command is about."""
        return [
            document
            for document, known in self._known.items()
            if command.workspace in {None, known.source.workspace}
            and command.epoch in {None, known.source.epoch}
        ]

    def request(self, documents: Iterable[str], finish: Finish) -> Event | None:
        """Wait for the next verdict on each document; return the last event if there is none."""
        request = self.open_request(documents, finish)
        return None if request.waiting else finish(request)

    def open_request(self, documents: Iterable[str], finish: Finish) -> Request:
        """Wait for the next verdict on each document."""
        request = Request(finish, set(documents))
        if request.waiting:
            self._requests.append(request)
        return request

    def begin(self, document: str, signature: Signature) -> Known:
        """Note that a worker gets a document, in this version of its file."""
        known = self._known[document]
        known.seen = known.given = signature
        known.mirror = None  # its own publishing is no news
        known.forcing, known.force = known.forcing or known.force, False
        known.serving += [
            request
            for request in self._requests
            if document in request.waiting and request not in known.serving
        ]
        return known

    def give_back(self, document: str) -> None:
        """Note that the worker did not come to a document."""
        if document in self._known:
            self._known[document].serving = []

    def verdict(
        self, document: str, outcome: Outcome, mirror: Signature | None = None
    ) -> list[Event]:
        """Note how a sync ended for good, and return the events that end requests.

        Args:
            document: Its path.
            outcome: How it ended.
            mirror: The mirror's file after it.
        """
        known = self._known[document]
        known.settle(outcome, mirror)
        served, known.serving = known.serving, []
        done = [request for request in served if request.count(document, outcome)]
        self._requests = [request for request in self._requests if request not in done]
        return [request.finish(request) for request in done]

    def forget(self, document: str) -> list[Event]:
        """Drop a document that is gone; return the events that end requests for it."""
        known = self._known[document]
        known.serving = [request for request in self._requests if document in request.waiting]
        ended = self.verdict(document, Failed("gone", "", "gone"))
        del self._known[document]
        return ended
