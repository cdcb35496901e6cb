"""Moments of a document: what ``Y.encodeSnapshot`` keeps, and what of it cannot be shown.

A snapshot is a delete set and a state vector. The document must still hold what they speak of;
where it does not, the decoder shows the nearest state it can, in silence, so every snapshot is
checked against the document first. Yjs's other encoding, V2, reads as V1 into wrong rows.
"""

from bisect import bisect_right
from typing import Any

import msgspec
import pycrdt

from sidecar.document.opened import v1_update
from sidecar.document.public_api import decoder_errors, open_update
from sidecar.errors import DocumentUnusableError
from sidecar.yjs.store import Deleted, Items
from sidecar.yjs.update import DELETED, GC, Ranges, UpdateReader


class Snapshot(msgspec.Struct, frozen=True):
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
        data, _ = v1_update(data)
        self._doc: pycrdt.Doc[Any] = open_update(data)
        reader = UpdateReader(data)
        try:
            self._items = Items(reader.structs())
            self._deleted = _merged(reader.deleted())
        except ValueError as error:
            raise DocumentUnusableError("undecodable", str(error)) from error
        self.exact = not any(item.kind in {GC, DELETED} for item in self._items.sorted)
        self._reached: dict[int, int] = {}
        for item in self._items.sorted:
            self._reached[item.client] = item.clock + item.length

    def state_at(self, snapshot: bytes) -> bytes:
        """Give the document as it was, as a Yjs V1 update.

        Args:
            snapshot: The bytes of a .ysnap file.

        Raises:
            DocumentUnusableError: ``v2``; ``undecodable``: no snapshot; ``foreign``: it is newer
                than the document, or of another one.
        """
        self._check(snapshot)
        with decoder_errors():
            past = pycrdt.Doc.from_snapshot(pycrdt.Snapshot.decode(snapshot), self._doc)  # pyright: ignore[reportUnknownVariableType] - its annotation names no type
            return past.get_update()

    def _check(self, data: bytes) -> None:
        first, second = _read(data, v2=False), _read(data, v2=True)
        if first is None and second is None:
            raise DocumentUnusableError("undecodable", "the file is no Yjs snapshot")
        if first is None or (second and not self._is_sound(first) and self._is_sound(second)):
            message = "the file is a Yjs V2 snapshot; the app must save V1 (Y.encodeSnapshot)"
            raise DocumentUnusableError("v2", message)
        if not self._holds(first):
            message = "the snapshot is newer than the document, or of another one"
            raise DocumentUnusableError("foreign", message)

    def _holds(self, snapshot: Snapshot) -> bool:
        """Tell whether the document has come as far as a snapshot, deletions included."""
        ahead = any(
            clock > self._reached.get(client, 0) for client, clock in snapshot.state_vector.items()
        )
        return not ahead and all(
            _covers(self._deleted.get(client, []), clock, length)
            for client, ranges in snapshot.deleted.items()
            for clock, length in ranges
        )

    def _is_sound(self, snapshot: Snapshot) -> bool:
        """Tell whether a reading makes sense of the document.

        Deletions end where structs end, and what is in a deleted type is deleted with it.
        """
        deleted = Deleted(snapshot.deleted)
        for client, ranges in snapshot.deleted.items():
            for clock, length in ranges:
                end = (client, clock + length)
                if end[1] >= snapshot.state_vector.get(client, 0):
                    continue
                item = self._items.holding(end)
                if item is None or item.clock != end[1]:
                    return False
                parent, _ = self._items.place(item)
                if isinstance(parent, tuple) and parent in deleted and end not in deleted:
                    return False
        return self._holds(snapshot)


def _read(data: bytes, *, v2: bool) -> Snapshot | None:
    """Read a snapshot in one of the two encodings; None when it does not read as that.

    V2 writes the distance to the end of the range before, and lengths less one.
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
        end = 0
        for clock, length in ranges:
            start, size = (end + clock, length + 1) if v2 else (clock, length)
            if start < end or not size:
                return None
            end = start + size
            deleted.setdefault(client, []).append((start, size))
        if end > vector.get(client, 0):
            return None
    return Snapshot(deleted, vector)


def _merged(ranges: Ranges) -> Ranges:
    """Join ranges that touch."""
    merged: Ranges = {}
    for client, found in ranges.items():
        joined = merged.setdefault(client, [])
        for clock, length in sorted(found):
            if joined and clock <= sum(joined[-1]):
                start, before = joined[-1]
                joined[-1] = (start, max(before, clock + length - start))
            else:
                joined.append((clock, length))
    return merged


def _covers(merged: list[tuple[int, int]], clock: int, length: int) -> bool:
    index = bisect_right(merged, (clock, float("inf"))) - 1
    return index >= 0 and clock + length <= sum(merged[index])
