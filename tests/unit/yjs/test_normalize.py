"""Rewriting unusual updates: structs are written by hand, results are those of Yjs."""

import pytest
from pycrdt import Array, Doc, Map, Text

from sidecar.yjs.encoding import write_bytes, write_varuint
from sidecar.yjs.normalize import Normal, normalize
from sidecar.yjs.rewrite import Repaired

NONE = b"\0"
"""No deletions."""
ROOT = b"\1\1a"
"""The parent of a struct: the root called a."""
Section = tuple[int, int, list[bytes]]
"""A client, its first clock, its structs."""


def update(*sections: Section, deleted: bytes = NONE) -> bytes:
    """Return an update of these sections."""
    parts = [write_varuint(len(sections))]
    for client, clock, structs in sections:
        parts += [write_varuint(len(structs)), write_varuint(client), write_varuint(clock)]
        parts += structs
    return b"".join([*parts, deleted])


def text(
    shown: str, *, origin: tuple[int, int] | None = None, right: tuple[int, int] | None = None
) -> bytes:
    """Return a struct of text, in the root a or between two others."""
    info = 4 | (0x80 if origin else 0) | (0x40 if right else 0)
    place = b"".join(bytes(pair) for pair in (origin, right) if pair) or ROOT
    return bytes([info]) + place + write_bytes(shown.encode())


def values(*written: bytes, key: str | None = None) -> bytes:
    """Return a struct of values in the root a."""
    info = 8 | (0x20 if key else 0)
    name = write_bytes(key.encode()) if key else b""
    return bytes([info]) + ROOT + name + write_varuint(len(written)) + b"".join(written)


def shown_text(normal: Normal) -> str:
    """Return the text of the root a."""
    doc: Doc[Text] = Doc()
    doc.apply_update(normal.update)
    return str(doc.get("a", type=Text))


def shown_list(normal: Normal) -> object:
    """Return the array a."""
    doc: Doc[Array[object]] = Doc()
    doc.apply_update(normal.update)
    return doc.get("a", type=Array).to_py()


def shown_map(normal: Normal) -> object:
    """Return the map a."""
    doc: Doc[Map[object]] = Doc()
    doc.apply_update(normal.update)
    return doc.get("a", type=Map).to_py()


ONE, TWO, TRUE = b"\x7d\1", b"\x7d\2", b"\x78"


def test_what_is_whole_stays_as_it_is() -> None:
    """The same content, the client's own state vector, no repairs."""
    normal = normalize(update((5, 0, [text("hello")])))
    assert shown_text(normal) == "hello"
    assert normal.state_vector == {5: 5}
    assert (normal.waiting, normal.kept_back, normal.repaired) == ({}, 0, ())


def test_nothing_is_an_update_too() -> None:
    """Two bytes."""
    assert normalize(b"\0\0").update == b"\0\0"


def test_the_end_is_that_of_the_update() -> None:
    """With any bytes after it."""
    data = update((5, 0, [text("hello")]))
    assert normalize(data + b"stale").end == len(data)


@pytest.mark.parametrize(
    ("sections", "deleted", "shown", "waiting", "kept_back"),
    [
        ([(5, 3, [text("later")])], NONE, "", {5: 0}, 1),
        ([(5, 0, [text("abc"), b"\x0a\2", text("later", origin=(5, 2))])], NONE, "abc", {5: 3}, 1),
        ([(5, 0, [text("x", origin=(6, 0))]), (4, 0, [text("here")])], NONE, "here", {6: 0}, 1),
        (
            [(5, 0, [text("x", origin=(6, 3)), text("y", origin=(5, 0))]), (6, 0, [text("abc")])],
            NONE,
            "abc",
            {6: 3},
            2,
        ),
        # one that waits for one that waits
        (
            [(5, 0, [text("x", origin=(6, 0))]), (6, 0, [text("y", origin=(7, 0))])],
            NONE,
            "",
            {7: 0},
            2,
        ),
        ([(5, 0, [text("abc")])], b"\1\5\1\1\5", "a", {5: 3}, 1),
        ([(5, 0, [text("abc")])], b"\1\6\1\0\5", "abc", {6: 0}, 1),
    ],
)
def test_what_waits_is_left_out(
    sections: list[Section], deleted: bytes, shown: str, waiting: dict[int, int], kept_back: int
) -> None:
    """Structs after a gap or of an unknown client, and deletions of missing structs."""
    normal = normalize(update(*sections, deleted=deleted))
    assert shown_text(normal) == shown
    assert normal.waiting == waiting
    assert normal.kept_back == kept_back


def test_of_two_sections_of_one_client_the_later_counts() -> None:
    """As in Yjs."""
    normal = normalize(update((5, 0, [text("first")]), (5, 0, [text("second")])))
    assert shown_text(normal) == "second"


@pytest.mark.parametrize(
    ("structs", "deleted", "shown"),
    [
        ([text("a🌱b"), text("X", origin=(1, 1), right=(1, 2))], NONE, "a\ufffdX\ufffdb"),
        ([text("a🌱b")], b"\1\1\1\1\1", "a\ufffdb"),
        ([text("a🌱b")], b"\1\1\1\2\1", "a\ufffdb"),
        ([text("a🌱b"), text("X", origin=(1, 2), right=(1, 3))], NONE, "a🌱Xb"),
        ([text("ü🌱"), text("X", origin=(1, 0), right=(1, 1))], b"\1\1\1\1\2", "üX"),
    ],
)
def test_an_edit_inside_a_surrogate_pair(structs: list[bytes], deleted: bytes, shown: str) -> None:
    """Both halves become U+FFFD; an edit beside it leaves the pair alone."""
    assert shown_text(normalize(update((1, 0, structs), deleted=deleted))) == shown


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"a":[1,2.5,null,true,"x"]}', {"a": [1.0, 2.5, None, True, "x"]}),
        ("undefined", None),
        ("-7000000000", -7000000000.0),
        ("64", 64.0),
        ('"\\ud83c\\udf31"', "🌱"),
    ],
)
def test_values_as_yjs_wrote_them_before_13(key: str | None, written: str, shown: object) -> None:
    """Content of kind 2: JSON, in lists and under keys."""
    place = ROOT + (write_bytes(b"k") if key else b"")
    struct = bytes([2 | (0x20 if key else 0)]) + place + b"\1" + write_bytes(written.encode())
    normal = normalize(update((1, 0, [struct])))
    assert normal.repaired == ()
    assert (shown_map(normal) if key else shown_list(normal)) == ({"k": shown} if key else [shown])


def test_a_cut_goes_through_values() -> None:
    """A deletion in the middle of several values, of either kind."""
    old = bytes([2]) + ROOT + b"\3" + b"".join(write_bytes(t) for t in (b"1", b"2", b"3"))
    assert shown_list(normalize(update((1, 0, [old]), deleted=b"\1\1\1\1\1"))) == [1.0, 3.0]
    new = values(ONE, TRUE, TWO)
    assert shown_list(normalize(update((1, 0, [new]), deleted=b"\1\1\1\1\1"))) == [1.0, 2.0]


def test_under_a_key_the_last_value_counts() -> None:
    """Of several values written at once, and of several writers."""
    several = values(ONE, TWO, key="k")
    assert shown_map(normalize(update((1, 0, [several])))) == {"k": 2.0}
    two = update((2, 0, [values(TWO, key="k")]), (1, 0, [values(ONE, key="k")]))
    assert shown_map(normalize(two)) == {"k": 2.0}


def test_a_parent_that_is_no_type_holds_nothing() -> None:
    """As after two sessions under one client id; the rest is shown."""
    lost = b"\x28\0\1\0" + write_bytes(b"v") + b"\1" + ONE
    normal = normalize(update((1, 0, [values(TWO), lost])))
    assert shown_list(normal) == [2.0]
    assert normal.state_vector == {1: 2}


def test_roots_without_content_keep_their_place() -> None:
    """Their names decide the layout."""
    normal = normalize(update((1, 0, [values(ONE)]), deleted=b"\1\1\1\0\1"))
    doc: Doc[Array[object]] = Doc()
    doc.apply_update(normal.update)
    assert list(doc.keys()) == ["a"]
    assert doc.get("a", type=Array).to_py() == []


def embed(json: str) -> bytes:
    """Return an embed in the root a."""
    return b"\5" + ROOT + write_bytes(json.encode())


@pytest.mark.parametrize(
    ("json", "is_repaired"),
    [
        ('{"a":"\\ud83d"}', True),
        ("[" * 128 + "]" * 128, True),
        ('{"a":"\\ud83d\\ude00"}', False),
        ("[" * 127 + "]" * 127, False),
        ("10000000000000000000", False),
    ],
)
def test_json_that_the_decoder_refuses(json: str, *, is_repaired: bool) -> None:
    """Is repaired where it is shown, and said; what is only written otherwise is not."""
    normal = normalize(update((1, 0, [embed(json)])))
    assert shown_text(normal) == ""
    assert [found.path for found in normal.repaired] == ([("a", None)] if is_repaired else [])
    gone = normalize(update((1, 0, [embed(json)]), deleted=b"\1\1\1\0\1"))
    assert gone.repaired == ()


def test_a_repair_says_where_it_is() -> None:
    """The names of the maps that lead to it, and the key of an entry of an array."""
    entry = [
        b"\7" + ROOT + b"\1",
        b"\x28\0\1\0" + write_bytes(b"key") + b"\1\x77" + write_bytes(b"r1"),
        b"\x27\0\1\0" + write_bytes(b"val") + b"\1",
        b"\x27\0\1\2" + write_bytes(b"body") + b"\2",
        b"\5\0\1\3" + write_bytes(b'"\\udf31"'),
    ]
    (found,) = normalize(update((1, 0, entry))).repaired
    assert isinstance(found, Repaired)
    assert found.path == ("a", "r1", "val", "body", None)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "does not end"),
        (update((1, 0, [text("x", origin=(1, 0))])), "nothing is held"),
        (update((1, 0, [b"\0\0"])), "nothing"),
        (update((1, 0, [embed("{")])), "."),
        (update((1, 0, [embed("NaN")])), "no JSON"),
        (update((1, 0, [b"\4" + ROOT + b"\1\xff"])), "utf-8"),
        (update((1, 0, [values(b"\x77\1\xff")])), "utf-8"),
    ],
)
def test_what_yjs_would_refuse(data: bytes, says: str) -> None:
    """Or what no Yjs writes."""
    with pytest.raises(ValueError, match=says):
        normalize(data)


HOOK = b"\5\4hook"


def nested(content: bytes, key: str) -> bytes:
    """Return a struct of a shared type under a key of the root a."""
    return b"\x27" + ROOT + write_bytes(key.encode()) + content


def entry(parent: int, key: str, value: bytes) -> bytes:
    """Return a struct of a value under a key of the type that client 5 wrote at a clock."""
    return b"\x28\0\5" + bytes([parent]) + write_bytes(key.encode()) + b"\1" + value


def test_a_hook_is_a_map_of_its_entries() -> None:
    """The decoder refuses a document with a ``Y.XmlHook``, and Yjs prints it as a ``Y.Map``."""
    data = update((5, 0, [nested(HOOK, "h"), entry(0, "k", ONE)]))
    assert shown_map(normalize(data)) == {"h": {"k": 1}}


@pytest.mark.parametrize(
    ("structs", "shown"),
    [
        ([text(""), text("zz", right=(5, 0))], "zz"),
        ([text("abc"), text("", origin=(5, 0), right=(5, 1)), text("z", origin=(5, 0))], "azbc"),
        ([text("abc"), text("", origin=(5, 2))], "abc"),
        ([b"\1" + ROOT + b"\0", text("abc")], "abc"),
        ([text("abc"), b"\0\0", b"\0\1"], "abc"),
    ],
)
def test_structs_of_no_element_show_nothing(structs: list[bytes], shown: str) -> None:
    """Of an embed ``''`` Yjs makes a text of nothing; collected it has no element either."""
    assert shown_text(normalize(update((5, 0, structs)))) == shown


@pytest.mark.parametrize(
    ("deleted", "may_be_cut"),
    [
        (b"\1\5\1\3\0", False),
        (b"\1\5\1\2\0", True),
        (b"\1\5\2\2\0\2\1", False),
    ],
    ids=["of a struct of nothing", "of a letter", "in front of another"],
)
def test_a_deletion_of_no_element_deletes_nothing(deleted: bytes, *, may_be_cut: bool) -> None:
    """Yjs lists it for a struct of no element; at the end of a file it may be a lost end too."""
    structs = [text("abc"), text("", origin=(5, 2))]
    normal = normalize(update((5, 0, structs), deleted=deleted))
    assert shown_text(normal) == ("ab" if deleted.endswith(b"\1") else "abc")
    assert (normal.kept_back, normal.may_be_cut) == (0, may_be_cut)


@pytest.mark.parametrize(
    "deleted", [b"\1\6\1\0\0", b"\1\5\1\4\0"], ids=["of nobody", "behind the end"]
)
def test_a_deletion_of_no_element_that_waits_is_refused(deleted: bytes) -> None:
    """Yjs raises, since it cannot write what it keeps for later."""
    with pytest.raises(ValueError, match="of which nothing is deleted, is not held"):
        normalize(update((5, 0, [text("abc")]), deleted=deleted))


def test_nothing_but_zeros_is_no_row_of_collected_structs() -> None:
    """A file whose end was lost ends in zeros, which read as structs of no element."""
    with pytest.raises(ValueError, match="nothing but zeros"):
        normalize(update((5, 0, [text("abc"), b"\0\0"])))


def embed_behind(json: str, origin: tuple[int, int]) -> bytes:
    """Return a struct of an embed behind an element."""
    return b"\x85" + bytes(origin) + write_bytes(json.encode())


def bold(origin: tuple[int, int]) -> bytes:
    """Return a struct of a format behind an element."""
    return b"\x86" + bytes(origin) + write_bytes(b"bold") + write_bytes(b"true")


@pytest.mark.parametrize(
    ("stray", "shown"),
    [
        (text("xy", origin=(5, 0)), "y"),
        (text("x🌱", origin=(5, 0)), "\N{REPLACEMENT CHARACTER}"),
        (text("", origin=(5, 0)), None),
        (embed_behind('{"a":1}', (5, 0)), {"a": 1}),
        (bold((5, 0)), None),
    ],
)
def test_text_under_a_key_shows_its_last_element(stray: bytes, shown: object) -> None:
    """Two sessions under one client id put text behind what was a value in the other one."""
    data = update((5, 0, [values(ONE, key="k"), stray]))
    assert shown_map(normalize(data)) == {"k": shown}


@pytest.mark.parametrize(
    ("stray", "shown"),
    [
        (text("xy", origin=(5, 1)), [1, "x", "y"]),
        (embed_behind('{"a":1}', (5, 1)), [1, {"a": 1}]),
        (bold((5, 1)), [1]),
    ],
)
def test_text_in_an_array_shows_as_its_units(stray: bytes, shown: list[object]) -> None:
    """So do embeds as values, and formats not at all."""
    inside = b"\x08\0\5\0\1" + ONE
    normal = normalize(update((5, 0, [nested(b"\0", "list"), inside, stray])))
    assert shown_map(normal) == {"list": shown}
