"""Where the structs of an update begin: the pattern and the reader agree."""

from pathlib import Path

import pytest

from sidecar.yjs.index import STRIDE, index, is_cut_short
from sidecar.yjs.update import UpdateReader
from tests.support.data import DOCUMENTS

COMMITTED = sorted(DOCUMENTS.glob("*.yjs"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_mark_is_where_a_struct_begins(path: Path) -> None:
    """With its clock and number; a section ends after its last struct."""
    data = path.read_bytes()
    for section in index(data).sections.values():
        reader, clock, begins = UpdateReader(data, section.start), 0, {}
        for ordinal in range(section.count):
            begins[reader.at - section.start] = (clock, ordinal)
            clock += reader.struct(section.client, clock).length
        assert (reader.at, clock) == (section.end, section.clock)
        marks = section.marks
        found = dict(
            zip(marks.offsets, zip(marks.clocks, marks.ordinals, strict=True), strict=True)
        )
        assert found.items() <= begins.items()
        assert len(found) == -(-section.count // STRIDE)


@pytest.mark.parametrize("path", COMMITTED[:5], ids=lambda path: path.stem)
def test_an_update_is_read_to_its_last_byte(path: Path) -> None:
    """A cut update has no index, nor has one with bytes after its end."""
    data = path.read_bytes()
    for broken in (data[:-1], data[: len(data) // 2], data + b"\0", data + b"x", b""):
        with pytest.raises(ValueError, match=r"\w+"):
            index(broken)


@pytest.mark.parametrize(
    "data",
    [
        b"\1\1\1\5\0\1\0",  # begins at clock 5
        b"\1\0\1\0\0",  # a section without structs
        b"\1\1\1\0\0\0\0",  # a struct of nothing
        b"\1\1\1\0\x0a\2\0",  # a gap
        b"\0\1\1\0",  # deletes of no client
        b"\0\1\1\1\0\0",  # a range of nothing
        b"\0\2\1\1\0\1\1\1\1\1",  # a client twice
    ],
)
def test_what_no_whole_state_holds_has_no_index(data: bytes) -> None:
    """Yjs writes whole states in one way."""
    with pytest.raises(ValueError, match=r"\w+"):
        index(data)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_each_beginning_of_an_update_is_cut_short(path: Path) -> None:
    """And neither the whole of it, nor one with bytes after its end."""
    data = path.read_bytes()
    places = {*range(min(200, len(data))), *range(0, len(data), max(1, len(data) // 50))}
    assert all(is_cut_short(data[:size]) for size in places)
    assert not is_cut_short(data)
    assert not is_cut_short(data + b"\1")


def test_what_makes_no_sense_is_not_cut_short() -> None:
    """A struct of nothing before the missing end: it is for others to say what that is."""
    assert not is_cut_short(b"\1\2\1\0\0\0")
