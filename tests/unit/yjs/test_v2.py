"""V2 updates as V1: the same bytes that Yjs itself makes of them, or a ValueError."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.yjs.any_json import any_to_json
from sidecar.yjs.v2 import to_v1
from tests.support.data import SEEDS, TWINS

COMMITTED = sorted(TWINS.glob("*.v2"))


@pytest.mark.parametrize("twin", COMMITTED, ids=lambda path: path.stem)
def test_a_twin_becomes_its_first(twin: Path) -> None:
    """Byte for byte as in Yjs, with any bytes after it."""
    data = twin.read_bytes()
    first = twin.with_suffix(".v1").read_bytes()
    assert to_v1(data) == (first, len(data))
    assert to_v1(data + b"stale") == (first, len(data))


def test_an_empty_update_is_one() -> None:
    """Thirteen bytes for nothing."""
    data = (SEEDS / "version_2_empty.yjs").read_bytes()
    assert to_v1(data) == (b"\0\0", len(data))


@pytest.mark.parametrize("twin", COMMITTED, ids=lambda path: path.stem)
def test_no_cut_is_taken(twin: Path) -> None:
    """At any byte: every buffer must be read to its end."""
    data = twin.read_bytes()
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r"."):
            to_v1(data[:end])


@pytest.mark.parametrize("twin", COMMITTED, ids=lambda path: path.stem)
def test_zeros_at_the_end_are_no_structs(twin: Path) -> None:
    """If a crash of the machine zeroed more than the delete set, unread buffers remain."""
    data = twin.read_bytes()
    whole, _ = to_v1(data)
    for count in range(1, len(data)):
        try:
            update, end = to_v1(data[:-count] + bytes(count))
        except ValueError:
            continue
        assert end < len(data) or len(update) >= len(whole) - 2 * count


@pytest.mark.parametrize("size", [12, 13, 19, 64])
@pytest.mark.parametrize("at", range(1, 12))
def test_a_hole_of_zeros_is_no_empty_update(size: int, at: int) -> None:
    """Found by the fuzzer: a text buffer of no bytes at all is one that no Yjs writes."""
    for byte in (0, 2, 0x7F):
        data = bytearray(size)
        data[at] = byte
        with pytest.raises(ValueError, match=r"."):
            to_v1(bytes(data))


@given(st.binary(max_size=200), st.sampled_from(COMMITTED), st.integers(0, 400))
def test_any_bytes_are_an_update_or_a_value_error(rest: bytes, twin: Path, at: int) -> None:
    """There is no other result."""
    data = twin.read_bytes()
    for tried in (b"\0" + rest, data[:at] + rest, data[:at] + rest + data[at + len(rest) :]):
        try:
            update, end = to_v1(tried)
        except ValueError:
            continue
        assert isinstance(update, bytes)
        assert end <= len(tried)


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (b"\x76\3\1a\x7d\1\1b\x7f\1c\x7e", '{"a":1,"c":null}'),
        (b"\x75\2\x7f\x75\1\x78", "[null,[true]]"),
        (b"\x76\0", "{}"),
        (b"\x75\0", "[]"),
        (b"\x77\4\xf0\x9f\x8c\xb1", '"🌱"'),
        (b"\x7b\x7f\xf8" + bytes(6), "null"),
        (b"\x7c\x3f\x00\x00\x00", "0.5"),
        (b"\x7b\x44\x4b\x1a\xe4\xd6\xe2\xef\x50", "1e+21"),
        (b"\x7a\x7f" + b"\xff" * 7, "9223372036854775807"),
        (b"\x74\2\1\2", '{"0": 1, "1": 2}'),
        (b"\x7f", "null"),
    ],
)
def test_values_of_embeds_and_formats_become_json(value: bytes, json: str) -> None:
    """As in JSON.stringify."""
    assert any_to_json(value) == json


def test_deep_values_cost_no_stack() -> None:
    """A hundred thousand levels."""
    levels = 100_000
    assert any_to_json(b"\x75\1" * levels + b"\x7e") == "[" * levels + "null" + "]" * levels
