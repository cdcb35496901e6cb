"""Client ids that cost the decoder the square of their number."""

from time import process_time

import pytest

from sidecar.document.decode import decode
from sidecar.document.reading import Content
from sidecar.yjs.encoding import write_varuint
from sidecar.yjs.writers import collide


def update(clients: list[int]) -> bytes:
    """Return an update in which each client has written one table."""
    sections = [
        b"\1" + write_varuint(client) + b"\0\x28\1\6tables\5" + b"%05d" % number + b"\1\x78"
        for number, client in enumerate(clients)
    ]
    return write_varuint(len(clients)) + b"".join(sections) + b"\0"


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        ([7 + (n << 32) for n in range(500)], False),
        ([7 + (n << 32) for n in range(6000)], True),
        ([7 + (n << 16) for n in range(6000)], True),
        ([n * 2_654_435_761 % 2**32 for n in range(6000)], False),
        (list(range(1, 6000)), False),
    ],
    ids=["few", "low 32 bits", "low 16 bits", "random", "in a row"],
)
def test_ids_that_are_equal_in_their_low_bits(clients: list[int], *, expected: bool) -> None:
    """Many of them are found; ids as Yjs draws them are none."""
    assert collide(update(clients)) is expected


def test_a_cut_update_of_many_writers_is_left_to_the_slow_road() -> None:
    """It is refused there, and the decoder is not asked."""
    assert collide(update(list(range(1, 6000)))[:-40])


@pytest.mark.medium
def test_equal_low_bits_cost_no_square() -> None:
    """Twice the writers cost about twice as much, and all of them are shown."""

    def spent(count: int) -> float:
        data = update([7 + (n << 32) for n in range(count)])
        begun = process_time()
        with decode(Content(data, len(data), "", 0), accept_trailing=False) as workspace:
            assert len(workspace.tables) == count
        return process_time() - begun

    pairs = ((spent(4500), spent(9000)) for _ in range(4))  # others on the machine disturb some
    assert any(more < 3 * less for less, more in pairs)
