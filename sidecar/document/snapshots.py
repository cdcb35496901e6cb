"""Moments of a document: what ``Y.encodeSnapshot`` keeps, and what of it cannot be shown.

A snapshot is a delete set and a state vector. The document must still hold what they speak of,
so every snapshot is checked against it. Yjs's other encoding, V2, reads as V1 into wrong rows.
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice
from typing import Literal

import msgspec

from sidecar.document.opened import v1_update
from sidecar.errors import DocumentUnavailableError, DocumentUnusableError
from sidecar.yjs.encoding import refuse_foreign
from sidecar.yjs.moments import Moments
from sidecar.yjs.update import Id, Ranges, UpdateReader

Encoding = Literal["v1", "v2"]

_MOST_WITNESSES = 10_000
"""Elements that are asked which of two readings makes sense."""
_MOST_OTHERS = 100
"""Other snapshots that are read for one that makes sense in both encodings."""


class SnapshotReading(msgspec.Struct, frozen=True):
    """One reading of a snapshot: what was deleted, and how far each client had come."""

    deleted: Ranges
    state_vector: dict[int, int]


class Past:
    """A document, as far as snapshots reach into it.

    Attributes:
        exact: Whether it holds everything that was ever in it: it has collected no garbage.
    """

    def __init__(self, data: bytes) -> None:
        """Read a document.

        Raises:
            DocumentUnavailableError: ``undecodable``, ``torn`` or ``v2``.
            DocumentUnusableError: ``foreign``.
        """
        refuse_foreign(data)
        try:
            self._moments = Moments(v1_update(data)[0])
        except ValueError as error:
            raise DocumentUnavailableError("undecodable", str(error)) from error
        self.exact = self._moments.exact

    def state_at(self, snapshot: bytes, others: Iterable[bytes] = ()) -> bytes:
        """Give the document as it was, as a Yjs V1 update.

        Args:
            snapshot: The bytes of a .ysnap file.
            others: Those of other snapshots of the document, the nearest in time first. Some bytes
                make sense in both encodings; how the app wrote the others tells which was meant.

        Raises:
            DocumentUnusableError: ``v2``; ``undecodable``: no snapshot; ``foreign``: it is newer
                than the document, or of another one.
        """
        first, second = _read(snapshot, v2=False), _read(snapshot, v2=True)
        if first is None and second is None:
            raise DocumentUnusableError("undecodable", "the file is no Yjs snapshot")
        if first is None or (first != second and self._is_v2(snapshot, others)):
            message = "the file is a Yjs V2 snapshot; the app must save V1 (Y.encodeSnapshot)"
            raise DocumentUnusableError("v2", message)
        if not self._holds(first):
            message = "the snapshot is newer than the document, or of another one"
            raise DocumentUnusableError("foreign", message)
        return self._moments.update_at(first.state_vector, first.deleted)

    def _is_v2(self, snapshot: bytes, others: Iterable[bytes]) -> bool:
        """Tell whether it can only be V2, or may be either and the nearest that tells is V2."""
        possible = self._possible(snapshot)
        if possible == {"v1", "v2"}:
            told = map(self._possible, islice(others, _MOST_OTHERS))
            possible = next((one for one in told if len(one) == 1), possible)
        return possible == {"v2"}

    def _possible(self, snapshot: bytes) -> set[Encoding]:
        """Give the encodings as which a snapshot makes sense of the document.

        What was overwritten by then was deleted, so was what lay in a deleted type, and the two
        halves of an emoji go together: whatever was joined or divided since, this still holds.
        """
        possible = set[Encoding]()
        first, second = _read(snapshot, v2=False), _read(snapshot, v2=True)
        if first and self._holds(first) and not (second and self._contradicts(first, second)):
            possible.add("v1")
        if second and self._holds(second) and not (first and self._contradicts(second, first)):
            possible.add("v2")
        return possible

    def _contradicts(self, reading: SnapshotReading, other: SnapshotReading) -> bool:
        """Tell whether something that only the other reading deletes must have been deleted."""
        return any(
            self._moments.must_be_deleted(element, reading.state_vector, reading.deleted)
            for element in _only_in(other.deleted, reading.deleted)
        )

    def _holds(self, snapshot: SnapshotReading) -> bool:
        """Tell whether the document has come as far as a snapshot, deletions included."""
        reached = self._moments.reached
        ahead = any(
            clock > reached.get(client, 0) for client, clock in snapshot.state_vector.items()
        )
        return not ahead and all(
            _covers(self._moments.deleted.get(client, []), clock, length)
            for client, ranges in snapshot.deleted.items()
            for clock, length in ranges
        )


def _read(data: bytes, *, v2: bool) -> SnapshotReading | None:
    """Read a snapshot in one of the two encodings; None when it does not read as that.

    V2 writes the distance to the end of the range before, and lengths less one. Ranges that touch
    are one.
    """
    reader = UpdateReader(data)
    try:
        raw, vector = reader.deleted(), reader.state_vector()
    except ValueError:
        return None
    if reader.at != len(data):
        return None
    deleted: Ranges = {}
    for client, ranges in raw.items():
        end = -1
        for clock, length in ranges:
            start, size = (max(end, 0) + clock, length + 1) if v2 else (clock, length)
            if start <= end or not size:
                return None
            end = start + size
            deleted.setdefault(client, []).append((start, size))
        if end > vector.get(client, 0):
            return None
    return SnapshotReading(deleted, vector)


def _only_in(ranges: Ranges, others: Ranges) -> list[Id]:
    """Give elements that are in some ranges and not in others, a bounded number."""
    found: list[Id] = []
    for client, spans in ranges.items():
        known = others.get(client, [])
        for clock, length in spans:
            for at in range(clock, clock + min(length, _MOST_WITNESSES)):
                if not _covers(known, at, 1):
                    found.append((client, at))
                    if len(found) == _MOST_WITNESSES:
                        return found
    return found


def _covers(merged: list[tuple[int, int]], clock: int, length: int) -> bool:
    index = bisect_right(merged, (clock, float("inf"))) - 1
    return index >= 0 and clock + length <= sum(merged[index])
