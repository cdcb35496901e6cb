"""Of any update the V1 update that Yjs and the decoder read alike, and what Yjs keeps back of it.

The decoder is stricter than Yjs in some places (half a surrogate pair in JSON, deep JSON, two
sessions under one client id) and laxer in others (structs past a gap, text cut inside a surrogate
pair). So an odd update is integrated here, as Yjs does it, and what is shown is written anew.
"""

import msgspec

from sidecar.yjs.integrate import Document
from sidecar.yjs.rewrite import Repaired, rewrite


class Normal(msgspec.Struct, frozen=True):
    """An odd update made plain.

    Attributes:
        update: The V1 update of what Yjs shows.
        written: Its own state vector, for the proof that all of it was taken.
        end: Where the update ended in its file.
        state_vector: What Yjs says it is: client -> clock.
        waiting: Client -> the first clock that is missing of it.
        kept_back: Structs and deletions that wait for them.
        repaired: What is shown differently than it was written.
        may_be_cut: It may be the beginning of a file whose end was lost.
    """

    update: bytes
    written: dict[int, int]
    end: int
    state_vector: dict[int, int]
    waiting: dict[int, int]
    kept_back: int
    repaired: tuple[Repaired, ...]
    may_be_cut: bool


def normalize(data: bytes) -> Normal:
    """Make an odd update plain.

    Raises:
        ValueError: It is cut, Yjs would refuse it, or no Yjs writes such a thing.
    """
    document = Document(data)
    written = rewrite(document)
    return Normal(
        update=written.update,
        written=written.state_vector,
        end=document.end,
        state_vector=document.state_vector,
        waiting=document.waiting,
        kept_back=document.kept_back,
        repaired=written.repaired,
        may_be_cut=document.may_be_cut,
    )
