"""Files after crashes and unsafe writes: cut, zeroed, with extra bytes, of another kind.

`make test` tries places all over each document, and its last bytes;
`make test-slow` tries them all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scripts.fault.damage import flip_bit, zero
from scripts.fault.fuzz import OLD
from scripts.fault.judge import Judge
from tests.support.data import DOCUMENTS
from tests.support.examples import stride

NAMES = ("merged", "keyed_arrays", "history")
SHOWN = {"equal", "unjudged"}
REFUSED = {"kept empty", "kept torn", "kept undecodable", "kept v2", "kept foreign"}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Compare with the mirror of a document that has nothing in common with the others."""
    with closing(Judge(tmp_path_factory.mktemp("judge"), OLD)) as judge:
        yield judge


@pytest.fixture(params=NAMES)
def data(request: pytest.FixtureRequest) -> bytes:
    """Return a document that real Yjs wrote."""
    return (DOCUMENTS / f"{request.param}.yjs").read_bytes()


def verdicts(judge: Judge, files: Iterable[bytes]) -> Counter[str]:
    """Check files; none may break the invariant."""
    kinds: Counter[str] = Counter()
    for file in files:
        verdict = judge.judge(file)
        assert verdict.finding is None, file
        kinds[verdict.kind] += 1
    return kinds


def places(data: bytes, step: int) -> list[int]:
    """Return offsets from the first byte to the last: each of the last eight, others by steps."""
    end = len(data)
    return sorted({*range(0, end, stride(step)), *range(max(0, end - 8), end)})


@pytest.mark.random
def test_every_truncation_is_refused(judge: Judge, data: bytes) -> None:
    """A file cut at any byte is not accepted as a document."""
    kinds = verdicts(judge, (data[:end] for end in places(data, 9)))
    assert kinds.keys() <= REFUSED


@pytest.mark.random
def test_every_zero_tail_is_refused_or_shows_what_yjs_shows(judge: Judge, data: bytes) -> None:
    """A tail that a crash of the machine left as zeros; Yjs itself decodes most of them."""
    kinds = verdicts(judge, (zero(data, start, len(data)) for start in places(data, 13)))
    assert kinds.keys() <= REFUSED | SHOWN
    assert sum(kinds[kind] for kind in SHOWN) <= 3, "tails of a byte or two"


@pytest.mark.random
@pytest.mark.parametrize("size", [4, 16, 64, 512])
def test_zero_blocks_are_refused_or_show_what_yjs_shows(
    judge: Judge, data: bytes, size: int
) -> None:
    """Blocks in the middle: the rest of the file is what it was."""
    starts = range(0, max(1, len(data) - size), 7 * stride(6))
    kinds = verdicts(judge, (zero(data, start, size) for start in starts))
    assert kinds.keys() <= REFUSED | SHOWN


@pytest.mark.parametrize(
    "tail", [b"\0", b"\0\0", bytes(512), b"\n", b"\r\n", b"x" * 100, b"\1\2\3"]
)
def test_trailing_bytes_do_not_change_what_is_shown(judge: Judge, data: bytes, tail: bytes) -> None:
    """Yjs ignores them; so does the mirror, or it stays as it was."""
    kinds = verdicts(judge, [data + tail])
    assert kinds.keys() <= ({"kept torn"} if tail[0] == 0 else SHOWN)


@pytest.mark.random
def test_the_tail_of_a_longer_document_does_not_change_what_is_shown(
    judge: Judge, data: bytes
) -> None:
    """Two saves at once, both truncating first: the shorter one's bytes, then the longer one's."""
    longer = (DOCUMENTS / "every_type.yjs").read_bytes()
    kinds = verdicts(
        judge, (data + longer[start:] for start in range(0, len(longer), 29 * stride(5)))
    )
    assert kinds.keys() <= SHOWN | {"kept torn"}


@pytest.mark.random
def test_flipped_bits_keep_the_invariant(judge: Judge, data: bytes) -> None:
    """A flip inside a text cannot be noticed; flips that only Yjs refuses are few."""
    bits = range(0, 8 * len(data), 11 * stride(13))
    kinds = verdicts(judge, (flip_bit(data, bit) for bit in bits))
    assert kinds["unseen"] <= len(bits) * 0.03


@pytest.mark.parametrize("name", NAMES)
def test_files_of_other_kinds_are_refused(judge: Judge, name: str) -> None:
    """A document inside another file is not searched for."""
    data = (DOCUMENTS / f"{name}.yjs").read_bytes()
    headers = [b"SQLite format 3\0", b"\x89PNG\r\n\x1a\n", b"PK\3\4", b"\x1f\x8b\x08\0", b"%PDF-"]
    kinds = verdicts(judge, (Path(__file__).read_bytes(), *(header + data for header in headers)))
    assert kinds.keys() <= REFUSED
    assert kinds["kept foreign"] == len(headers)
