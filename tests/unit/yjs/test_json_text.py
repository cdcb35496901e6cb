"""JSON that the decoder accepts, with the value of JavaScript."""

import json

import pytest

from sidecar.yjs.json_text import LEVELS, repair, to_any


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ('"\\ud83d"', '"\ufffd"'),
        ('"\\udf31 and \\ud83d"', '"\ufffd and \ufffd"'),
        ('"\\ud83d\\ud83d\\ude00"', '"\ufffd\\ud83d\\ude00"'),
        ('"\\\\ud83d"', '"\\\\ud83d"'),
        ('"\\\\\\ud83d"', '"\\\\\ufffd"'),
        ('{"\\udf31":1}', '{"\ufffd":1}'),
    ],
)
def test_halves_of_surrogate_pairs(written: str, repaired: str) -> None:
    """Only an escape of a lone surrogate is replaced."""
    assert repair(written) == (repaired, written != repaired)


@pytest.mark.parametrize(
    ("inner", "shown"),
    [
        ("[1, 2]", "1,2"),
        ("[[],null,[true,[3]]]", ",,true,3"),
        ('{"a":{"b":[1]}}', "[object Object]"),
        ('["x\\"y", {"z":[1]}, "]"]', 'x"y,[object Object],]'),
    ],
)
def test_what_is_too_deep_is_what_javascript_makes_of_it_in_a_text(inner: str, shown: str) -> None:
    """Joined arrays, named objects: an XML attribute prints the same."""
    written, is_repaired = repair("[" * LEVELS + inner + "]" * LEVELS)
    assert is_repaired
    value = json.loads(written)
    for _ in range(LEVELS):
        (value,) = value
    assert value == shown


def test_depth_costs_no_stack() -> None:
    """And little time: a hundred thousand levels."""
    written, _ = repair("[" * 100_000 + "]" * 100_000)
    assert written.count("[") == LEVELS


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", "NaN", "01", "'x'", "[" * 200 + "]" * 199, "\x00"]
)
def test_what_is_no_json(text: str) -> None:
    """As JSON.parse refuses it."""
    with pytest.raises(ValueError, match=r"."):
        repair(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e400", b"\x7e"), ("1", b"\x7d\1"), ("-64", b"\x7d\xc0\1"), ('"ü"', b"\x77\2\xc3\xbc")],
)
def test_values(text: str, value: bytes) -> None:
    """As lib0 writes them; NaN and infinities are null, as in JSON.stringify."""
    assert to_any(text) == (value, False)
