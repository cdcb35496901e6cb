"""Reading the structs of an update: where it ends, and what Yjs refuses."""

from pathlib import Path

import pytest

from sidecar.yjs.store import end_of_update
from tests.support.data import DOCUMENTS, SEEDS

COMMITTED = sorted(DOCUMENTS.glob("*.yjs"))
NONE = b"\0"
"""No deletions."""


def one_struct(*struct: int | bytes, clock: int = 0) -> bytes:
    """Return an update of one writer, 1, with one struct."""
    body = b"".join(part if isinstance(part, bytes) else bytes([part]) for part in struct)
    return bytes([1, 1, 1, clock]) + body + NONE


ROOT = b"\1\1a"
"""The parent of a struct: the root called a."""


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_document_ends_where_its_file_ends(path: Path) -> None:
    """With any bytes after it."""
    data = path.read_bytes()
    assert end_of_update(data) == len(data)
    assert end_of_update(data + b"anything") == len(data)


@pytest.mark.parametrize("path", COMMITTED[:5], ids=lambda path: path.stem)
def test_a_cut_document_has_no_end(path: Path) -> None:
    """At any byte."""
    data = path.read_bytes()
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r".+"):
            end_of_update(data[:end])


@pytest.mark.parametrize(
    "struct",
    [
        (0, 5),  # collected
        (1, ROOT, 3),  # deleted
        (3, ROOT, b"\2ab"),  # bytes
        (4, ROOT, b"\3abc"),  # text
        (5, ROOT, b"\2{}"),  # embed
        (6, ROOT, b"\1b", b"\4true"),  # format
        (7, ROOT, 1),  # a map
        (7, ROOT, 3, b"\1p"),  # an XML element and its name
        (8, ROOT, 2, 127, 126),  # undefined, null
        (8, ROOT, 1, 125, b"\xff\1"),  # an integer
        (8, ROOT, 3, 124, bytes(4), 123, bytes(8), 122, bytes(8)),  # floats, a BigInt
        (8, ROOT, 4, 121, 120, 119, b"\1x", 116, b"\1x"),  # booleans, text, bytes
        (8, ROOT, 1, 117, 2, 118, 1, b"\1k", 117, 0, 126),  # lists and an object
        (9, ROOT, b"\1g", 118, 0),  # a sub-document
        (0x24, ROOT, b"\1k", b"\1x"),  # with a key
    ],
)
def test_every_kind_of_content(struct: tuple[int | bytes, ...]) -> None:
    """Each is read exactly to its end."""
    data = one_struct(*struct)
    assert end_of_update(data) == len(data)


def test_lists_may_nest_as_deep_as_they_like() -> None:
    """Without recursion: a hostile document uses no stack."""
    data = one_struct(8, ROOT, 1, b"\x75\1" * 100_000, 126)
    assert end_of_update(data) == len(data)


def test_text_counts_in_utf_16() -> None:
    """As in JavaScript: a reference to its last unit is valid, one beyond it is not."""
    text = "🌱ü".encode()
    held = bytes([1, 2, 1, 0, 4]) + ROOT + bytes([len(text)]) + text
    assert end_of_update(held + bytes([0x84, 1, 2, 1]) + b"x" + NONE)
    with pytest.raises(ValueError, match="later"):
        end_of_update(held + bytes([0x84, 1, 3, 1]) + b"x" + NONE)


EMOJI = "a🌱b🌱"
"""Of six elements: 1 and 2 are the halves of a character, and so are 4 and 5."""


def with_emoji(*struct: int | bytes, deletes: bytes = NONE) -> bytes:
    """Return an update of one writer: a text, and another struct behind it."""
    text = EMOJI.encode()
    head = bytes([1, 2, 1, 0, 4]) + ROOT + bytes([len(text)]) + text
    return (
        head
        + b"".join(part if isinstance(part, bytes) else bytes([part]) for part in struct)
        + deletes
    )


@pytest.mark.parametrize(
    "data",
    [
        with_emoji(0x84, 1, 1, b"\1x"),
        with_emoji(0x44, 1, 2, b"\1x"),
        with_emoji(0xC4, 1, 4, 1, 5, b"\1x"),
        with_emoji(0x84, 1, 5, b"\1x", deletes=bytes([1, 1, 1, 2, 1])),
        with_emoji(0x84, 1, 5, b"\1x", deletes=bytes([1, 1, 1, 3, 2])),
    ],
)
def test_what_cuts_a_character_is_not_read_alike(data: bytes) -> None:
    """Written behind its first half, before its second, or deleted from or to there."""
    with pytest.raises(ValueError, match="surrogate pair"):
        end_of_update(data)


@pytest.mark.parametrize(
    "data",
    [
        with_emoji(0x84, 1, 0, b"\1x"),
        with_emoji(0x84, 1, 2, b"\1x"),
        with_emoji(0x44, 1, 1, b"\1x"),
        with_emoji(0xC4, 1, 2, 1, 3, b"\1x"),
        with_emoji(0x84, 1, 5, b"\1x", deletes=bytes([1, 1, 1, 1, 2])),
        with_emoji(0x84, 1, 5, b"\5" + "x🌱".encode(), deletes=bytes([1, 1, 1, 0, 9])),
    ],
)
def test_what_lies_beside_a_character_is_read_alike(data: bytes) -> None:
    """Any document has emoji; only a cut inside of one is a reason to doubt."""
    assert end_of_update(data) == len(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "does not end"),
        (bytes([1, 2, 1, 0, 10, 5, 4]) + ROOT + b"\1x" + NONE, "gap"),
        (one_struct(4, ROOT, b"\1x", clock=3), "gap"),
        (bytes([2, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1]) + NONE, "gap"),
        (one_struct(0x84, 1, 0, b"\1x"), "later"),
        (one_struct(0x44, 1, 5, b"\1x"), "later"),
        (one_struct(0x84, 2, 0, b"\1x"), "does not hold"),
        (one_struct(4, 0, 2, 0, b"\1x"), "does not hold"),
        (bytes([0, 1, 1, 1, 0, 1]), "does not hold"),
        (one_struct(11, ROOT), "content"),
        (one_struct(31, ROOT), "content"),
        (one_struct(7, ROOT, 7), "shared type"),
        (one_struct(8, ROOT, 1, 100), "value"),
        (one_struct(8, ROOT, 0), "gap"),
        (one_struct(2, ROOT, 1, b"\4null"), "before 13"),
        (bytes([1, 1, 1, 0, 4]) + ROOT + b"\1x" + bytes([1, 1, 1, 0, 0]), "empty"),
        (one_struct(0, 0), "gap"),
        (one_struct(4, ROOT, b"\2\xff\xff"), "utf-8"),
        (one_struct(0, b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "larger"),
        (one_struct(4, ROOT, b"\x7fx"), "ends"),
    ],
)
def test_what_yjs_would_not_take(data: bytes, says: str) -> None:
    """Cut, gaps, references to nothing, content that no Yjs writes."""
    with pytest.raises(ValueError, match=says):
        end_of_update(data)


def test_a_count_that_is_too_large_ends_with_the_data() -> None:
    """A few bytes that announce four thousand million structs cost nothing."""
    for name in ("many_writers", "many_structs", "many_values", "many_deletions"):
        with pytest.raises(ValueError, match=r".+"):
            end_of_update((SEEDS / f"{name}.yjs").read_bytes())
