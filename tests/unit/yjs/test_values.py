"""Two encodings of one update: equal except for what the decoder writes differently."""

import pytest

from sidecar.yjs.values import end_of_same
from tests.unit.yjs.test_normalize import NONE, ROOT, text, update, values


def pair(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Return two updates that differ in one value, between other structs."""
    around = text("abc")
    return (
        update((9, 0, [around, values(first), around])),
        update((9, 0, [around, values(second), around])),
    )


FIVE = bytes(7) + b"\5"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"\x7a" + FIVE, b"\x7d\5"),
        (b"\x7a" + b"\x7f" + b"\xff" * 7, b"\x7c\x5f\0\0\0"),
        (b"\x7d\x40", b"\x7d\0"),
        (b"\x76\2\1ax\1b\x7e", b"\x76\2\1b\x7e\1ax"),
        (b"\x76\1\1a\x76\2\1b\x7a" + FIVE + b"\1c\x7e", b"\x76\1\1a\x76\2\1c\x7e\1b\x7d\5"),
        (b"\x75\2\x7d\x40\x7a" + FIVE, b"\x75\2\x7d\0\x7d\5"),
    ],
)
def test_what_the_decoder_writes_otherwise(first: bytes, second: bytes) -> None:
    """BigInts as short numbers, -0 as 0, keys in another order."""
    data, again = pair(first, second)
    assert end_of_same(data, again) == len(data)
    assert end_of_same(data + b"stale", again) == len(data)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"\x7a" + FIVE, b"\x7d\6"),
        (b"\x76\1\1ax", b"\x76\1\1by"),
        (b"\x76\1\1a\x7e", b"\x76\1\1b\x7e"),
        (b"\x77\1a", b"\x77\1b"),
        (b"\x75\1\x7e", b"\x75\0"),
    ],
)
def test_what_is_another_value(first: bytes, second: bytes) -> None:
    """Another number, key, text or length."""
    assert end_of_same(*pair(first, second)) is None


def test_sub_documents_get_their_default_options() -> None:
    """Four of them, which Yjs leaves out."""
    defaults = b"\x76\4\2gcx\x08encoding\x7d\1\x0ashouldLoady\x08autoLoady"
    first = update((9, 0, [b"\x09" + ROOT + b"\1gv\0"]))
    assert end_of_same(first, first.replace(b"v\0", defaults)) == len(first)
    assert end_of_same(first, first.replace(b"v\0", defaults.replace(b"gcx", b"gcy"))) is None


def test_clients_of_the_delete_set_in_another_order() -> None:
    """All of them, with the same ranges."""
    sections = [(9, 0, [text("abc")]), (8, 0, [text("abc")])]
    first = update(*sections, deleted=b"\2\x09\1\0\1\x08\1\1\2")
    assert end_of_same(first, update(*sections, deleted=b"\2\x08\1\1\2\x09\1\0\1")) == len(first)
    assert end_of_same(first, update(*sections, deleted=b"\2\x08\1\1\1\x09\1\0\1")) is None
    assert end_of_same(first, update(*sections, deleted=NONE)) is None


def test_less_is_not_the_same() -> None:
    """A document without its last struct."""
    data = update((9, 0, [text("abc"), text("def")]))
    assert end_of_same(data, update((9, 0, [text("abc")]))) is None
