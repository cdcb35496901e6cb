"""Files by path: version, age, why they cannot be read, their path as text."""

import errno
import os
from pathlib import Path

import pytest

from sidecar.files import is_below, reason_of, rested_s, shown, version_of


def test_a_version_changes_with_the_file(tmp_path: Path) -> None:
    """A file that is written, touched or replaced has another one."""
    path = tmp_path / "file"
    path.write_bytes(b"a")
    first = version_of(str(path))
    assert first is not None
    assert first == version_of(str(path))
    path.write_bytes(b"ab")
    second = version_of(str(path))
    os.utime(path, ns=(1, 1))
    third = version_of(str(path))
    (tmp_path / "new").write_bytes(b"ab")
    (tmp_path / "new").replace(path)
    assert len({first, second, third, version_of(str(path))}) == 4


def test_what_is_no_file_has_no_version(tmp_path: Path) -> None:
    """A folder, a link that leads nowhere, nothing at all."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in (tmp_path, tmp_path / "link", tmp_path / "nothing"):
        assert version_of(str(path)) is None


def test_a_file_that_was_just_written_has_not_rested(tmp_path: Path) -> None:
    """Not longer than this test takes."""
    (tmp_path / "file").write_bytes(b"a")
    version = version_of(str(tmp_path / "file"))
    assert version is not None
    assert -1 < rested_s(version) < 60


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, "Permission denied; check its permissions"),
        (errno.EMFILE, "Too many open files; raise the limit of open files, see ulimit -n"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_reasons_say_what_to_do(number: int, expected: str) -> None:
    """Where something can be done."""
    assert reason_of(OSError(number, os.strerror(number))) == expected


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [("/a/b", "/a", True), ("/a/b", "/a/", True), ("/ab", "/a", False), ("/a", "/a", False)],
)
def test_a_path_is_below_a_folder_by_whole_names(path: str, folder: str, expected: bool) -> None:  # noqa: FBT001
    """A name that only begins alike is another one."""
    assert is_below(path, folder) is expected


def test_bytes_that_are_no_text_are_shown_as_unknown() -> None:
    """U+FFFD stands for each."""
    assert shown("/w\udcff/é") == "/w\ufffd/é"
