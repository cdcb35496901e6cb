"""Ways to damage a document: bytes in, bytes out, by a given random generator and nothing else."""

from collections.abc import Callable, Sequence
from random import Random

Bytes = bytes | bytearray

_AWKWARD = (0, 1, 2, 10, 11, 127, 128, 255)
"""Bytes that mean something in an update: ends, gaps, flags, the largest of each width."""
_BLOCKS = (1, 4, 16, 64, 512, 4096)


def damage(documents: Sequence[bytes], random: Random) -> bytes:
    """Take one of several documents and damage it in one to three places."""
    data = random.choice(documents)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(_WAYS)(data, random)
    if random.random() < _SPLICE_SHARE:
        data = _splice(data, random.choice(documents), random)
    return data


def flip_bit(data: Bytes, bit: int) -> bytes:
    """Flip one bit of a document."""
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def zero(data: Bytes, start: int, count: int) -> bytes:
    """Put zeros in the place of a block, as a crash of the machine does; the length stays."""
    end = min(start + count, len(data))
    return bytes(data[:start]) + bytes(end - start) + bytes(data[end:])


_SPLICE_SHARE = 0.1


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data)) if data else 0


def _flip(data: bytes, random: Random) -> bytes:
    return flip_bit(data, random.randrange(8 * len(data))) if data else data


def _overwrite(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + bytes([random.choice((*_AWKWARD, random.randrange(256)))]) + data[at + 1 :]


def _remove(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.choice((1, 2, 5, 50)) :]


def _insert(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    added = bytes(random.choice(_AWKWARD) for _ in range(random.choice((1, 2, 4))))
    return data[:at] + added + data[at:]


def _repeat(data: bytes, random: Random) -> bytes:
    at, source = _place(data, random), _place(data, random)
    return data[:at] + data[source : source + random.choice(_BLOCKS)] + data[at:]


def _zero_block(data: bytes, random: Random) -> bytes:
    return zero(data, _place(data, random), random.choice(_BLOCKS))


def _zero_tail(data: bytes, random: Random) -> bytes:
    return zero(data, _place(data, random), len(data))


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _extend(data: bytes, random: Random) -> bytes:
    tails = (b"\0", b"\0\0", bytes(50), b"x", b"\r\n", data, data[_place(data, random) :])
    return data + random.choice(tails)


def _splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: _place(data, random)] + other[_place(other, random) :]


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip,
    _flip,
    _overwrite,
    _remove,
    _insert,
    _repeat,
    _zero_block,
    _zero_tail,
    _cut,
    _extend,
)
