"""lib0's numbers, and files that are no V1 update."""

import pytest

from sidecar.errors import DocumentUnavailableError, DocumentUnusableError
from sidecar.yjs.encoding import (
    decode_state_vector,
    is_v2,
    looks_like_text,
    read_varuint,
    refuse_foreign,
    write_bytes,
    write_varuint,
)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (2**32 - 1, b"\xff\xff\xff\xff\x0f"),
        (2**53 - 1, b"\xff\xff\xff\xff\xff\xff\xff\x0f"),
    ],
)
def test_numbers_are_written_and_read(value: int, data: bytes) -> None:
    """Seven bits in a byte, the lowest first."""
    assert write_varuint(value) == data
    assert read_varuint(b"x" + data + b"x", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 11])
def test_a_number_without_an_end_is_refused(data: bytes) -> None:
    """Also one that goes on for more than 64 bits."""
    with pytest.raises(ValueError, match="does not end"):
        read_varuint(data, 0)


def test_bytes_stand_behind_their_length() -> None:
    """Of any length."""
    assert write_bytes(b"abc") == b"\x03abc"
    assert write_bytes(b"x" * 128)[:2] == b"\x80\x01"


def test_a_state_vector_is_clients_and_clocks() -> None:
    """As Yjs encodes it."""
    assert decode_state_vector(b"\x02\x01\x05\x80\x01\x07") == {1: 5, 128: 7}
    assert decode_state_vector(b"\x00") == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"%PDF-1.7", "a PDF file"), (b"SQLite format 3\0", "a SQLite database"), (b"PK\3\4", "ZIP")],
)
def test_other_files_are_named(data: bytes, said: str) -> None:
    """By their first bytes."""
    with pytest.raises(DocumentUnusableError, match=said):
        refuse_foreign(data)


def test_zeros_are_torn_but_two_of_them_are_an_empty_document() -> None:
    """A machine that crashed leaves zeros where data should be."""
    refuse_foreign(b"\0\0")
    with pytest.raises(DocumentUnavailableError, match="3 zero bytes"):
        refuse_foreign(bytes(3))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0" + b"\0" * 9 + b"r", True),
        (b"\0" + b"\1x" * 9 + b"rest", True),
        (b"\0" + b"\1x" * 9, False),
        (b"\0" + b"\1x" * 8, False),
        (b"\1" + b"\0" * 10, False),
        (b"", False),
    ],
)
def test_the_frame_of_v2_is_known(data: bytes, expected: bool) -> None:  # noqa: FBT001
    """Zero, nine buffers with their lengths, and a rest."""
    assert is_v2(data) is expected


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"hello\n", True),
        (b'{"tables": {}}', True),
        ("# Büro\r\n".encode(), True),
        (("x" * 255 + "ü" + "y" * 9).encode(), True),
        (b"", False),
        (b"\xef", False),
        (b"\0\0", False),
        (b"\1\1\5\0 plain words behind a header", False),
        (b"caf\xe9 in Latin-1", False),
    ],
)
def test_text_is_told_from_updates(data: bytes, is_text: bool) -> None:  # noqa: FBT001
    """By its first bytes, also where those end inside a character."""
    assert looks_like_text(data) is is_text
