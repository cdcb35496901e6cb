"""The part that is cut out of a newer update, and what needs a fresh decode."""

from collections.abc import Callable

import pytest

from sidecar.document.extension import Doc
from sidecar.yjs.cut import cut
from sidecar.yjs.encoding import write_varuint
from sidecar.yjs.index import index

MAP, ARRAY, TEXT = b"\1\1m", b"\1\1a", b"\1\1t"
"""Parents: roots called m, a and t."""


def text(words: str) -> bytes:
    """Return a text after its length."""
    data = words.encode()
    return write_varuint(len(data)) + data


def first(words: str, parent: bytes = TEXT) -> bytes:
    """Return a struct with a text, the first in a root."""
    return b"\4" + parent + text(words)


def behind(client: int, clock: int, words: str) -> bytes:
    """Return a struct with a text after another element."""
    return b"\x84" + write_varuint(client) + write_varuint(clock) + text(words)


def entry(key: str, value: str, parent: bytes = MAP) -> bytes:
    """Return a struct with an entry of a map."""
    return b"\x28" + parent + text(key) + b"\1w" + text(value)


def update(*sections: tuple[int, list[bytes]], deleted: bytes = b"\0") -> bytes:
    """Return an update of these clients' structs."""
    parts = [write_varuint(len(sections))]
    for client, structs in sections:
        parts += [write_varuint(len(structs)), write_varuint(client), b"\0", *structs]
    return b"".join(parts) + deleted


def deletes(client: int, *ranges: tuple[int, int]) -> bytes:
    """Return a delete set of one client."""
    return bytes([1, client, len(ranges), *(number for pair in ranges for number in pair)])


OLD = update((7, [first("hello"), behind(7, 4, "world")]), (3, [entry("k", "v")]))
K_DELETED = deletes(3, (0, 1))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (OLD, OLD, b"\0\0"),
        (  # a new client
            OLD,
            update(
                (9, [entry("n", "x")]),
                (7, [first("hello"), behind(7, 4, "world")]),
                (3, [entry("k", "v")]),
            ),
            update((9, [entry("n", "x")])),
        ),
        (  # a new struct of a client that is known
            OLD,
            update(
                (7, [first("hello"), behind(7, 4, "world"), entry("n", "x")]),
                (3, [entry("k", "v")]),
            ),
            b"\1\1\7\x0a" + entry("n", "x") + b"\0",
        ),
        (  # letters joined to the last struct
            OLD,
            update((7, [first("hello"), behind(7, 4, "world!!")]), (3, [entry("k", "v")])),
            b"\1\1\7\x0a" + behind(7, 9, "!!") + b"\0",
        ),
        (  # a struct that was split, both halves still there
            OLD,
            update(
                (7, [first("he"), behind(7, 1, "llo"), behind(7, 4, "world")]),
                (3, [entry("k", "v")]),
            ),
            b"\0\0",
        ),
        (  # two that were joined
            OLD,
            update((7, [first("helloworld")]), (3, [entry("k", "v")])),
            b"\0\0",
        ),
        (OLD, OLD[:-1] + K_DELETED, b"\0" + K_DELETED),  # deleted, content kept
        (  # deleted, content forgotten
            OLD,
            update(
                (7, [first("hello"), behind(7, 4, "world")]),
                (3, [b"\x21" + MAP + text("k") + b"\1"]),
                deleted=K_DELETED,
            ),
            b"\0" + K_DELETED,
        ),
        (  # a delete set that grew at both ends
            update((7, [first("abcdef")]), deleted=deletes(7, (2, 1))),
            update((7, [first("abcdef")]), deleted=deletes(7, (1, 3))),
            b"\0" + deletes(7, (1, 1), (3, 1)),
        ),
    ],
    ids=["equal", "client", "struct", "letters", "split", "joined", "deleted", "emptied", "grown"],
)
def test_what_is_new(old: bytes, new: bytes, expected: bytes) -> None:
    """The cut is an update with exactly the new content."""
    found = cut(index(old), new)
    assert found.update == expected
    assert found.state_vector == {
        client: section.clock for client, section in index(new).sections.items()
    }


REFUSED = {
    "a client is gone": update((7, [first("hello"), behind(7, 4, "world")])),
    "a clock went back": update((7, [first("hello")]), (3, [entry("k", "v")])),
    "a clock went back inside a struct": update(
        (7, [first("hello"), behind(7, 4, "wor")]), (3, [entry("k", "v")])
    ),
    "another text under the same clocks": update(
        (7, [first("hallo"), behind(7, 4, "world")]), (3, [entry("k", "v")])
    ),
    "another place": update((7, [first("hello"), behind(7, 3, "world")]), (3, [entry("k", "v")])),
    "another key": update((7, [first("hello"), behind(7, 4, "world")]), (3, [entry("K", "v")])),
    "another kind": update(
        (7, [first("hello"), behind(7, 4, "world")]), (3, [b"\x27" + MAP + text("k") + b"\1"])
    ),
    "emptied and not deleted": update(
        (7, [first("hello"), behind(7, 4, "world")]), (3, [b"\x21" + MAP + text("k") + b"\1"])
    ),
    "collected in a root": update(
        (7, [first("hello"), behind(7, 4, "world")]), (3, [b"\0\1"]), deleted=K_DELETED
    ),
    "a section twice": update((3, [entry("k", "v")]), (3, [entry("k", "v")])),
    "an empty section": update((7, []), (3, [entry("k", "v")])),
    "more deleted than was written": OLD[:-1] + deletes(3, (0, 2)),
    "a range of nothing": OLD[:-1] + deletes(3, (0, 0)),
    "a stale tail": OLD + b"x",
    "zeros behind it": OLD + b"\0\0",
    "zeros at its end": OLD[:-4] + bytes(4),
    "its second half zeros": OLD[: len(OLD) // 2] + bytes(len(OLD) - len(OLD) // 2),
    "half of it": OLD[: len(OLD) // 2],
    "nothing": b"",
    "an empty document": b"\0\0",
    "a BigInt": update(
        (9, [b"\x28" + MAP + text("n") + b"\1\x7a" + bytes(8)]),
        (7, [first("hello"), behind(7, 4, "world")]),
        (3, [entry("k", "v")]),
    ),
    "a sub-document": update(
        (9, [b"\x29" + MAP + text("n") + text("guid") + b"\x76\0"]),
        (7, [first("hello"), behind(7, 4, "world")]),
        (3, [entry("k", "v")]),
    ),
    "a gap": update(
        (9, [b"\x0a\2", entry("n", "x")]),
        (7, [first("hello"), behind(7, 4, "world")]),
        (3, [entry("k", "v")]),
    ),
}


@pytest.mark.parametrize("new", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_accounted_for(new: bytes) -> None:
    """Everything else is refused, with a reason."""
    with pytest.raises(ValueError, match=r"\w+"):
        cut(index(OLD), new)


def test_what_was_deleted_stays_deleted() -> None:
    """A smaller delete set means another document."""
    with pytest.raises(ValueError, match="deleted no more"):
        cut(index(OLD[:-1] + K_DELETED), OLD)


def test_every_half_form_is_refused() -> None:
    """A newer update that is cut at any byte is refused."""
    new = update(
        (9, [entry("n", "x"), first("long text")]),
        (7, [first("hello"), behind(7, 4, "world and more")]),
        (3, [entry("k", "v")]),
        deleted=K_DELETED,
    )
    before = index(OLD)
    assert cut(before, new).update
    for end in range(len(new)):
        with pytest.raises(ValueError, match=r"\w+"):
            cut(before, new[:end])


def test_content_of_a_collected_child_needs_deleted_neighbours() -> None:
    """Yjs collects structs whose parent is deleted: then their neighbours are deleted as well."""
    row = b"\x27" + MAP + text("r") + b"\1"
    cell = entry("c", "x", b"\0\3\0")
    old = index(update((3, [row, cell])))
    forgotten = b"\x21" + MAP + text("r") + b"\1"
    both = update((3, [forgotten, b"\0\1"]), deleted=deletes(3, (0, 2)))
    assert cut(old, both).update == b"\0" + deletes(3, (0, 2))
    with pytest.raises(ValueError, match="not deleted"):
        cut(old, update((3, [row, b"\0\1"]), deleted=deletes(3, (1, 1))))


def long_document(change: Callable[[list[bytes]], None]) -> tuple[bytes, bytes]:
    """Return a document of many structs, before and after a change."""
    structs = [entry(f"key {n}", f"value {n}") for n in range(5000)]
    before = update((3, structs))
    change(structs)
    return before, update((3, structs))


def test_many_places_of_one_section_may_differ() -> None:
    """Structs between them are compared without reading; the index of the new update is right."""
    deleted = [17, 18, 1000, 1016, 4999]

    def forget(structs: list[bytes]) -> None:
        for n in deleted:
            structs[n] = b"\x21" + MAP + text(f"key {n}") + b"\1"
        structs.append(entry("new", "value"))

    before, after = long_document(forget)
    ranges = b"\1\3\4" + b"".join(
        write_varuint(clock) + write_varuint(length)
        for clock, length in [(17, 2), (1000, 1), (1016, 1), (4999, 1)]
    )
    found = cut(index(before), after[:-1] + ranges)
    assert found.update == b"\1\1\3" + write_varuint(5000) + entry("new", "value") + ranges
    again = cut(found.index, after[:-1] + ranges)
    assert again.update == b"\0\0"
    fresh = index(after[:-1] + ranges).sections[3]
    marks = found.index.sections[3].marks
    assert list(marks.offsets) == sorted(set(marks.offsets))
    assert fresh.count == found.index.sections[3].count


def test_the_decoder_takes_a_cut_out_of_a_joined_text() -> None:
    """A letter outside the BMP is two elements; cuts also between them are tested."""
    old, new = update((7, [first("a😀")])), update((7, [first("a😀b😀")]))
    doc = Doc(None, True, None)
    for part in (old, cut(index(old), new).update):
        txn = doc.create_transaction()
        doc.apply_update(txn, part)
        txn.commit()
        txn.drop()
    txn = doc.create_transaction()
    assert doc.get_update(txn, b"\0") == new
