"""Whether Yjs would take all of an update, and where in a file it ends.

yrs is more lenient than Yjs: it drops what refers to nothing and shows what lies past a gap, where
Yjs throws or keeps back. So when the decoder's result does not account for a file, the file is
read here a second time, struct by struct. That takes several times as long as the decoder, which
is why it is not asked about every document.
"""

from sidecar.document.structs import Struct, UpdateReader


def measure(data: bytes) -> int:
    """Find the end of the update that a file begins with.

    Raises:
        ValueError: It is cut, builds on something that it does not hold, or holds what no Yjs
            writes: Yjs would refuse it or keep part of it back.
    """
    reader, references = UpdateReader(data), _References()
    for item in reader.structs():
        references.add(item)
    for client, ranges in reader.deleted().items():
        for clock, length in ranges:
            references.need((client, clock + length - 1))
    references.check()
    return reader.at


class _References:
    """What each client wrote, and the last of it that is referred to."""

    def __init__(self) -> None:
        self._written: dict[int, int] = {}
        self._needed: dict[int, int] = {}

    def add(self, item: Struct) -> None:
        client, clock = item.client, item.clock
        if clock != self._written.get(client, 0) or not item.length:
            message = f"there is a gap before {client}:{clock}"
            raise ValueError(message)
        self._written[client] = clock + item.length
        for reference in (item.left, item.right, item.parent):
            if isinstance(reference, tuple):
                if reference[0] == client and reference[1] >= clock:
                    message = f"{client}:{clock} builds on what comes later"
                    raise ValueError(message)
                self.need(reference)

    def need(self, reference: tuple[int, int]) -> None:
        client, clock = reference
        if clock > self._needed.get(client, -1):
            self._needed[client] = clock

    def check(self) -> None:
        for client, clock in self._needed.items():
            if clock >= self._written.get(client, 0):
                message = f"it builds on {client}:{clock}, which it does not hold"
                raise ValueError(message)
