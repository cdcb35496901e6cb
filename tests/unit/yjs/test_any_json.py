"""lib0's values as the JSON that V1 has in their place."""

import struct

import pytest

from sidecar.yjs.any_json import any_to_json

ONE, TEXT = b"\x7d\x01", b"\x77\x02hi"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x7f", "null"),
        (b"\x7e", "null"),
        (b"\x78", "true"),
        (b"\x79", "false"),
        (ONE, "1"),
        (b"\x7d\x41", "-1"),
        (b"\x7b" + struct.pack(">d", 1.5), "1.5"),
        (b"\x7b" + struct.pack(">d", 1e20), "100000000000000000000"),
        (b"\x7b" + struct.pack(">d", float("nan")), "null"),
        (b"\x7c" + struct.pack(">f", 0.5), "0.5"),
        (b"\x7a" + (-5).to_bytes(8, signed=True), "-5"),
        (TEXT, '"hi"'),
        (b"\x77\x03\xe2\x82\xac", '"€"'),
        (b"\x74\x02\x07\x08", '{"0": 7, "1": 8}'),
        (b"\x75\x00", "[]"),
        (b"\x75\x02" + ONE + TEXT, '[1,"hi"]'),
        (b"\x76\x00", "{}"),
        (b"\x76\x02\x01a" + ONE + b"\x01b" + b"\x75\x01\x7e", '{"a":1,"b":[null]}'),
        (b"\x76\x02\x01a\x7f\x01b" + ONE, '{"b":1}'),
        (b"\x75\x01\x7f", "[null]"),
    ],
)
def test_values_are_written_as_javascript_does(data: bytes, expected: str) -> None:
    """An ``undefined`` in an object is left out, in an array it is null."""
    assert any_to_json(data) == expected


def test_depth_costs_no_stack() -> None:
    """A hundred thousand arrays inside each other."""
    depth = 100_000
    assert any_to_json(b"\x75\x01" * depth + b"\x7e") == "[" * depth + "null" + "]" * depth


@pytest.mark.parametrize("data", [b"", b"\x75\x02" + ONE, b"\x77\x05hi", b"\x01"])
def test_what_ends_early_or_has_no_meaning_is_refused(data: bytes) -> None:
    """It is no value."""
    with pytest.raises(ValueError, match=r"."):
        any_to_json(data)
