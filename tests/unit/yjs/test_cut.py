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


def values(first: int, last: int, *, behind_clock: int | None = None) -> bytes:
    """Return a struct of a list: long texts with these numbers, at the front or behind a clock."""
    count = last - first
    head = b"\x08" + ARRAY if behind_clock is None else b"\x88\7" + write_varuint(behind_clock)
    own = [b"w" + text(f"value {number} {'x' * 40}") for number in range(first, last)]
    return head + write_varuint(count) + b"".join(own)


MANY = 3000
WHOLE = update((7, [values(0, MANY)]))
ONE_DELETED = b"\1\7\1" + write_varuint(1500) + b"\1"
EMPTIED = b"\x81\7" + write_varuint(1499) + b"\1"
"""What is left of one element in the middle."""


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (update((7, [values(0, MANY + 1)])), values(MANY, MANY + 1, behind_clock=MANY - 1)),
        (
            update((7, [values(0, 1500), values(1500, 3000, behind_clock=1499)])),
            b"",
        ),
        (
            update(
                (
                    7,
                    [
                        values(0, 1500),
                        values(1500, 1501, behind_clock=1499),
                        values(1501, 3002, behind_clock=1500),
                    ],
                ),
                deleted=ONE_DELETED,
            ),
            values(3000, 3002, behind_clock=2999),
        ),
        (
            update(
                (7, [values(0, 1500), EMPTIED, values(1501, 3000, behind_clock=1500)]),
                deleted=ONE_DELETED,
            ),
            b"",
        ),
    ],
    ids=["grown", "split", "split and grown", "emptied"],
)
def test_a_long_list_is_compared_by_its_bytes(new: bytes, expected: bytes) -> None:
    """All rows that an app pushed at once are one struct; each later push makes it longer."""
    found = cut(index(WHOLE), new)
    section = b"\1\1\7" + write_varuint(MANY) + expected if expected else b"\0"
    assert found.update == section + (b"\0" if new.endswith(b"\0") else ONE_DELETED)
    doc = Doc(None, True, None)
    txn = doc.create_transaction()
    doc.apply_update(txn, WHOLE)
    doc.apply_update(txn, found.update)
    txn.drop()
    own, afresh = found.index.sections[7].marks, index(new).sections[7].marks
    ends = [(offset, own.end_of(offset), afresh.end_of(offset)) for offset in afresh.offsets]
    assert [(offset, end) for offset, end, _ in ends] == [(offset, end) for offset, _, end in ends]
    assert any(end for _, end, _ in ends)


@pytest.mark.parametrize("place", [0, 1, 1499, 2999])
def test_a_long_list_with_another_value_is_not_accounted_for(place: int) -> None:
    """Wherever it stands, and however the list was split since."""
    other = values(0, MANY).replace(b"value %d " % place, b"valuf %d " % place)
    split = values(0, 1500), values(1500, MANY, behind_clock=1499)
    halves = [half.replace(b"value %d " % place, b"valuf %d " % place) for half in split]
    for structs in ([other], halves):
        with pytest.raises(ValueError, match="holds something else"):
            cut(index(WHOLE), update((7, structs)))


def test_lists_that_are_split_in_many_places_are_decoded_afresh() -> None:
    """The decoder moves all elements behind each place."""
    bounds = range(0, MANY + 1, 1)
    structs = [values(0, 1)]
    structs += [values(at, at + 1, behind_clock=at - 1) for at in bounds[1:-1]]
    assert cut(index(WHOLE), update((7, structs))).update == b"\0\0"  # 4.5 million
    longer = 4 * MANY
    old = update((7, [values(0, longer)]))
    pieces = [values(0, 4)]
    pieces += [values(at, at + 4, behind_clock=at - 1) for at in range(4, longer, 4)]
    with pytest.raises(ValueError, match="too much of it is new"):
        cut(index(old), update((7, pieces)))
