"""Reading a file that may change, and refusing early what is not a document."""

import os
from pathlib import Path
from typing import Any

import pytest

from sidecar.digests import digest_bytes
from sidecar.document.reading import KEPT, Content, Expected, read_stable
from sidecar.errors import DocumentUnavailableError, DocumentUnusableError, SidecarError
from sidecar.files import version_of
from sidecar.yjs.encoding import is_v2, read_varuint, refuse_foreign

MOST = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of a few bytes."""
    path = tmp_path / "workspace.yjs"
    path.write_bytes(b"some bytes")
    return path


def test_bytes_that_were_taken_can_be_had_again(tmp_path: Path) -> None:
    """As long as the file is the same; else the bytes are kept."""
    path = tmp_path / "document"
    many = b"some bytes" * KEPT
    path.write_bytes(many)
    content = read_stable(str(path), len(many))
    assert (content.take(), content.data, content.again()) == (many, b"", many)
    content.take()
    path.write_bytes(b"other bytes")
    with pytest.raises(DocumentUnavailableError) as caught:
        content.again()
    assert caught.value.code == "torn"
    held = Content(data=b"x", size=1, digest="", mode=0)
    assert (held.take(), held.again()) == (b"x", b"x")


def test_few_bytes_are_not_read_again(path: Path) -> None:
    """The app may have written the next state by then, and what was read is still a state."""
    content = read_stable(str(path), MOST)
    content.take()
    path.write_bytes(b"")
    assert content.again() == b"some bytes"


def test_the_whole_file_its_digest_and_its_permissions(path: Path) -> None:
    """The result of one read."""
    path.chmod(0o640)
    content = read_stable(str(path), MOST)
    assert (content.data, content.size, content.mode) == (b"some bytes", 10, 0o640)
    assert content.digest == digest_bytes(b"some bytes")


def test_expected_bytes_are_not_kept(path: Path) -> None:
    """The same digest without the data; other bytes of the same size are read in full."""
    expected = Expected(10, (None, digest_bytes(b"some bytes")))
    content = read_stable(str(path), MOST, expected)
    assert (content.data, content.size, content.digest) == (b"", 10, expected.digests[1])
    path.write_bytes(b"other byte")
    assert read_stable(str(path), MOST, expected).data == b"other byte"
    path.write_bytes(b"longer than expected")
    assert read_stable(str(path), MOST, expected).data == b"longer than expected"


def test_a_large_file_is_refused_unread(path: Path) -> None:
    """One byte too many is `too_large`; the limit itself is not."""
    assert read_stable(str(path), 10).size == 10
    with pytest.raises(DocumentUnusableError) as caught:
        read_stable(str(path), 9)
    assert caught.value.code == "too_large"


def test_an_empty_file_is_being_written(path: Path) -> None:
    """Hosts truncate first, so an empty file is read again later."""
    path.write_bytes(b"")
    with pytest.raises(DocumentUnavailableError) as caught:
        read_stable(str(path), MOST)
    assert caught.value.code == "empty"


@pytest.mark.parametrize("name", ["missing", "workspace.yjs/below", "missing/workspace.yjs"])
def test_a_file_that_is_not_there_is_gone(path: Path, name: str) -> None:
    """If the file or its folder is missing."""
    with pytest.raises(DocumentUnavailableError) as caught:
        read_stable(str(path.parent / name), MOST)
    assert caught.value.code == "gone"


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
@pytest.mark.parametrize("expects", [False, True])
def test_a_file_that_changes_while_it_is_read_is_torn(
    path: Path, monkeypatch: pytest.MonkeyPatch, change: str, *, expects: bool
) -> None:
    """The stat before is compared with the stat after."""
    really = os.fstat
    seen: list[int] = []

    def fstat(descriptor: int) -> os.stat_result:
        seen.append(descriptor)
        if len(seen) == 2:
            later = really(descriptor).st_mtime_ns + 10**9
            path.write_bytes({"grow": b"some bytes, more", "shrink": b"so"}.get(change, b"x" * 10))
            os.utime(path, ns=(later, later))
        return really(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    expected = Expected(10, (digest_bytes(b"some bytes"),)) if expects else None
    with pytest.raises(DocumentUnavailableError) as caught:
        read_stable(str(path), MOST, expected)
    assert caught.value.code == "torn"


def test_a_version_is_another_one_after_each_write(path: Path) -> None:
    """Failures are reported once per version, so versions must differ."""
    first = version_of(str(path))
    assert first == version_of(str(path))
    path.write_bytes(b"other bytes")
    assert version_of(str(path)) not in (None, first)
    path.unlink()
    assert version_of(str(path)) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\0\0", None),
        (b"\0", None),
        (b"\1\1\1\0", None),
        (b"\0\0\0", "torn"),
        (bytes(512), "torn"),
        (b"SQLite format 3\0" + bytes(80), "foreign"),
        (b"\x89PNG\r\n\x1a\n....", "foreign"),
        (b"PK\3\4....", "foreign"),
        (b"%PDF-1.7", "foreign"),
        (b"\x7fELF\2\1\1", "foreign"),
        (b"\x1f\x8b\x08\0....", "foreign"),
        (b"\x1f\x8b\x08\x08....", "foreign"),
        (b"\x1f\x8b\x08\xd2....", None),  # 31 writers, the first with 1035 structs
        (b"\0\1\2", None),
        (bytes.fromhex("00000000000000000000010000"), None),
        (b"\0" + b"\1x" * 9 + b"rest", None),
    ],
)
def test_early_checks(data: bytes, code: str | None) -> None:
    """Files that would decode to an empty document without an error."""
    if code is None:
        refuse_foreign(data)
        return
    with pytest.raises(SidecarError) as caught:
        refuse_foreign(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\1" * 50, b"\0\xff", b"\0\x80\x80", b"\0" + b"\1x" * 9]
)
def test_what_has_no_frame_is_no_v2_update(data: bytes) -> None:
    """Cut, or another first byte."""
    assert not is_v2(data)


@pytest.mark.parametrize(
    ("data", "position", "expected"),
    [
        (b"\0", 0, (0, 1)),
        (b"\x7f", 0, (127, 1)),
        (b"\x80\x01", 0, (128, 2)),
        (b"..\xff\xff\xff\xff\x0f", 2, (2**32 - 1, 7)),
    ],
)
def test_variable_length_integers(data: bytes, position: int, expected: tuple[int, int]) -> None:
    """Seven bits a byte, the lowest first (lib0 encoding)."""
    assert read_varuint(data, position) == expected


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 20])
def test_integers_that_do_not_end(data: Any) -> None:
    """Cut, or wider than any integer is."""
    with pytest.raises(ValueError, match="does not end"):
        read_varuint(data, 0)
