"""Updates that two sessions under one client id may have made, told from those of ordinary ones."""

import pytest

from sidecar.yjs.tangled import is_tangled, may_be_tangled
from tests.support.data import DOCUMENTS, ODDITIES, REPORTS

MAP, ARRAY, TEXT = b"\1", b"\0", b"\2"


def update(*structs: bytes, deleted: bytes = b"\0") -> bytes:
    """Return an update of client 5."""
    return b"\1" + bytes([len(structs)]) + b"\5\0" + b"".join(structs) + deleted


def type_in_root(kind: bytes) -> bytes:
    """Return the struct of a shared type under a key of a root."""
    return b"\x27\1\1a\1k" + kind


VALUE_IN_MAP = b"\x28\0\5\0\1v\1\x78"
VALUE_IN_LIST = b"\x08\0\5\0\1\x78"
TEXT_IN_TYPE = b"\x04\0\5\0\1x"
TEXT_BEHIND = b"\x84\5\1\1x"
COLLECTED = b"\0\1"


@pytest.mark.parametrize(
    ("structs", "tangled"),
    [
        ([type_in_root(MAP), VALUE_IN_MAP], False),
        ([type_in_root(ARRAY), VALUE_IN_LIST], False),
        ([type_in_root(TEXT), TEXT_IN_TYPE, TEXT_BEHIND], False),
        ([type_in_root(MAP), VALUE_IN_MAP, TEXT_BEHIND], True),
        ([type_in_root(ARRAY), VALUE_IN_LIST, TEXT_BEHIND], True),
        ([type_in_root(ARRAY), TEXT_IN_TYPE], True),
        ([COLLECTED, COLLECTED, TEXT_BEHIND], True),
        ([COLLECTED, VALUE_IN_MAP], True),
        ([b"\x04\1\7table:t\1x"], False),
        ([b"\x04\1\7table:t\1x", b"\x08\1\7table:t\1\x7e"], True),
        ([type_in_root(b"\5\1p")], True),
        ([b"\x04\1\1t\1x"], False),
    ],
)
def test_what_lies_where_yjs_would_not_have_put_it(structs: list[bytes], *, tangled: bool) -> None:
    """Text outside of texts, anything behind or in something that was collected."""
    assert is_tangled(update(*structs)) is tangled


def test_what_was_deleted_shows_nothing_wherever_it_is() -> None:
    """A text in an array, deleted."""
    structs = (type_in_root(ARRAY), TEXT_IN_TYPE)
    assert not is_tangled(update(*structs, deleted=b"\1\5\1\1\1"))


def test_rows_that_were_written_once_need_no_look() -> None:
    """Nothing in them names a neighbour or is text, so small documents of rows cost nothing."""
    client = 3_000_000_001
    written = b"\x81\xbc\xc1\x96\x0b"
    row = b"\x28\0" + written + b"\0\1v\1\x78"
    data = b"\1\2" + written + b"\0" + type_in_root(MAP) + row
    assert not may_be_tangled(data + b"\0", [client])
    hook = type_in_root(b"\5\1p")
    assert may_be_tangled(data + hook + b"\0", [client])
    behind = b"\x84" + written + b"\1\1x"
    assert may_be_tangled(data + behind + b"\0", [client])


@pytest.mark.parametrize(
    ("data", "is_named"),
    [
        (b"", False),
        (b"\1\2\3", False),
        (b"\xcc\x07", False),  # no byte before it
        (b"\x84\xcc\x07", True),
        (b"\x28\xcc\x07", False),
        (b"\x04\0\xcc\x07", True),
        (b"\x28\0\xcc\x07", False),
        (b"\0\xcc\x07", False),
        (b"\xcc\x07\x84\xcc\x07", True),
        (b"\xcc\x07\x04\0\xcc\x07", True),
        (b"\xcc\x07\0\xcc\x07", False),
        (b"\xcc\x07\xcc\x07", False),
        (b"\x28\0\xcc\x07\1\x84\xcc\x07\1", True),
    ],
)
def test_a_reference_to_a_client_is_told_by_the_bytes_before_it(
    data: bytes, *, is_named: bool
) -> None:
    """The info byte of an item with a neighbour, or that of a text and the mark of its parent."""
    assert may_be_tangled(data, [0x3CC]) is is_named


def test_a_client_whose_id_looks_like_an_info_byte() -> None:
    """Two of it in a row: the first is the byte before the second."""
    assert may_be_tangled(b"\0\x44\x44", [0x44])
    assert not may_be_tangled(b"\0\x45", [0x44])
    assert not may_be_tangled(b"\x44", [0x44])


def test_ordinary_documents_are_not_tangled() -> None:
    """None of the corpus but one with an embed of nothing; what was reported is found."""
    paths = [*DOCUMENTS.glob("*.yjs"), *ODDITIES.glob("*.yjs")]
    found = {path.stem for path in paths if is_tangled(path.read_bytes())}
    assert len(paths) > 90
    assert found <= {"cells_empty_embeds", "cells_hooks"}
    assert is_tangled((REPORTS / "same_client_id_merged.yjs").read_bytes())
