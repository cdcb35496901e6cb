"""The reader of updates in Python agrees with the decoder, and accepts any bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.yjs.encoding import CutShortError, write_varuint
from sidecar.yjs.store import Items
from sidecar.yjs.update import UpdateReader
from tests.support.data import DOCUMENTS, ODDITIES

COMMITTED = sorted(path for folder in (DOCUMENTS, ODDITIES) for path in folder.glob("*.yjs"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_byte_of_real_updates_is_read(path: Path) -> None:
    """Updates by Yjs are read to their last byte, with clocks without gaps."""
    data = path.read_bytes()
    reader = UpdateReader(data)
    items = Items(reader.structs())
    reader.deleted()
    assert reader.at == len(data)
    reached: dict[int, int] = {}
    for item in items.sorted:
        assert item.clock == reached.get(item.client, 0)
        reached[item.client] = item.clock + item.length


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_item_has_a_place(path: Path) -> None:
    """Each item is in a root or in a type, with any number of items before it."""
    items = Items(UpdateReader(path.read_bytes()).structs())
    for item in items.sorted:
        parent, _ = items.place(item)
        assert parent is not None or item.kind == 0


@given(data=st.binary(max_size=200))
def test_any_bytes_end_in_a_reading_or_a_value_error(data: bytes) -> None:
    """Any bytes are read to an end, or raise ValueError."""
    reader = UpdateReader(data)
    try:
        items = Items(reader.structs())
        reader.deleted()
    except ValueError:
        return
    for item in items.sorted:
        items.place(item)


@pytest.mark.medium
def test_deep_nesting_is_passed_over() -> None:
    """A million nested arrays are no problem."""
    levels = 1_000_000
    item = b"\x28\x01\x01m\x01k\x01" + b"\x75\x01" * levels + b"\x7e"
    reader = UpdateReader(b"\x01\x01\x07\x00" + item + b"\x00")
    (found,) = reader.structs()
    assert (found.parent, found.key, found.length) == ("m", "k", 1)


@given(cut=st.integers(min_value=1, max_value=400))
def test_cut_update_is_a_value_error(cut: int) -> None:
    """A file that ends too early raises, after the structs before were returned."""
    data = COMMITTED[0].read_bytes()
    reader = UpdateReader(data[:-cut])
    with pytest.raises(ValueError, match=r"end"):
        _read_all(reader)


def _read_all(reader: UpdateReader) -> None:
    for found in reader.structs():
        assert found.length > 0
    reader.deleted()


@pytest.mark.parametrize("last", [0, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**40, 2**53 - 1])
def test_a_delete_set_is_read_with_numbers_of_any_length(last: int) -> None:
    """In the middle and at the end of the data; one byte less is cut."""
    ranges = [(last, 1), (300, last), (70_000, 5_000_000), (1, last)]
    written = b"".join(write_varuint(number) for pair in ranges for number in pair)
    data = b"\1\7" + write_varuint(len(ranges)) + written
    reader = UpdateReader(data)
    assert reader.deleted() == {7: ranges}
    assert reader.at == len(data)
    with pytest.raises(CutShortError):
        UpdateReader(data[:-1]).deleted()
