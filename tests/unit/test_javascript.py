"""Values as JavaScript prints them, compared with the output of Node."""

import math
from typing import Any

import pytest

from sidecar.javascript import JsonNumber, dump_json, json_number, number_text
from tests.support.node import needs_node, run_script

NUMBERS = [
    (0.0, "0"),
    (-0.0, "0"),
    (7.0, "7"),
    (-7.5, "-7.5"),
    (0.1, "0.1"),
    (1 / 3, "0.3333333333333333"),
    (2.0**53, "9007199254740992"),
    (2.0**53 + 2, "9007199254740994"),
    (2.0**60, "1152921504606847000"),
    (-(2.0**64), "-18446744073709552000"),
    (1e16, "10000000000000000"),
    (123e18, "123000000000000000000"),
    (999999999999999900000.0, "999999999999999900000"),
    (1e21, "1e+21"),
    (-1.5e300, "-1.5e+300"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (0.00001234, "0.00001234"),
    (1e-6, "0.000001"),
    (-1.25e-6, "-0.00000125"),
    (1e-7, "1e-7"),
    (2.5e-8, "2.5e-8"),
    (5e-324, "5e-324"),
    (100000.5, "100000.5"),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_a_number_is_printed_as_javascript_prints_it(value: float, expected: str) -> None:
    """Shortest digits that read back as the same number; no exponent from 1e-6 up to 1e21."""
    assert number_text(value) == expected
    assert dump_json(json_number(value)) == expected
    assert dump_json({"a": [json_number(value)]}) == f'{{"a":[{expected}]}}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**63 - 1, str(2**63 - 1)),
    ],
)
def test_what_is_no_json_number_has_a_text_too(value: float, expected: str) -> None:
    """NaN and infinities by name, and every digit of a BigInt."""
    assert number_text(value) == expected


@needs_node
def test_node_agrees() -> None:
    """Numbers of every size, with few digits and with many, against JavaScript itself."""
    numbers = [
        sign * digits * 10.0**exponent
        for sign in (1, -1)
        for digits in (1, 1.5, 7.25, 1.2345678901234567, 9.999999999999999, math.pi)
        for exponent in range(-30, 31)
    ]
    assert [number_text(value) for value in numbers] == run_script("numbers.js", stdin=numbers)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(7.0, int), (-0.0, int), (0.5, float), (1e-9, JsonNumber), (2.0**53 + 2, JsonNumber)],
)
def test_only_odd_numbers_need_a_type_of_their_own(value: float, kind: type) -> None:
    """Other numbers are printed by the encoder, without extra time."""
    assert type(json_number(value)) is kind


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        ({"b": 1, "a": {"d": [], "c": 2}}, '{"a":{"c":2,"d":[]},"b":1}'),
        ([1, 1.5, True, None, "ü\n\u2028🌱"], '[1,1.5,true,null,"ü\\n\u2028🌱"]'),
        (b"\0\xff", '"AP8="'),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_canonical_json(value: Any, expected: str) -> None:
    """Keys sorted, no spaces, text as it is, bytes as base64."""
    assert dump_json(value) == expected


def test_what_is_no_json_is_refused() -> None:
    """A value of another kind is not printed as a number."""
    with pytest.raises(TypeError, match="object is no JSON"):
        dump_json([object()])
