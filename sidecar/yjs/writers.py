"""Client ids that the decoder's tables cannot tell apart quickly.

The decoder finds a client by the low bits of its id, as many as its table has. Yjs draws ids at
random; of ids that are equal in those bits each costs as much as there are of them: 8,000 writers
0.47 s instead of 0.04, 65,000 in a file of 1.5 MB 31 s.
"""

from collections import Counter

from sidecar.yjs.index import SectionReader
from sidecar.yjs.update import UpdateReader

MOST = 1000
"""Writers that do no harm whatever their ids are: 7 ms."""
_PAIRS_PER_STRUCT = 1500
"""Pairs of equal writers that cost the decoder what a struct costs to be made plain: 25 us."""


def collide(data: bytes) -> bool:
    """Tell whether an update is sooner made plain in Python than taken by the decoder.

    Args:
        data: A V1 update, whole or not. Of one with few writers only the first number is read.
    """
    reader = UpdateReader(data)
    try:
        sections = reader.number()
        if sections <= MOST:
            return False
        structs, clients = 0, list[int]()
        for _ in range(sections):
            count, client, _ = reader.number(), reader.number(), reader.number()
            SectionReader(reader, client).read(count)
            structs += count
            clients.append(client)
    except ValueError:
        return True  # with gaps, or cut: it is made plain anyway, or refused
    return _pairs(clients) > structs * _PAIRS_PER_STRUCT


def _pairs(clients: list[int]) -> int:
    """Count pairs of clients that fall into one place of a table with room for all of them."""
    mask = (1 << len(clients).bit_length()) - 1
    return sum(count * count for count in Counter(client & mask for client in clients).values())
