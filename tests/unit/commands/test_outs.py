"""The path of ``--out`` may hold a mirror, or nothing."""

from pathlib import Path

import pytest

from sidecar.commands.outs import check_out, elsewhere
from sidecar.discovery import source_of
from sidecar.errors import UsageError
from tests.support.desk import Desk


def test_a_new_file_and_a_mirror_may_be_written(tmp_path: Path) -> None:
    """The path is absolute."""
    desk = Desk.with_two_notes(tmp_path / "w1")
    for path in (tmp_path / "new.sqlite", desk.mirror):
        assert check_out(str(path)) == str(path)


def test_a_file_of_somebody_else_may_not(tmp_path: Path) -> None:
    """Nor a link that leads nowhere."""
    theirs, link = tmp_path / "theirs.sqlite", tmp_path / "link.sqlite"
    theirs.write_bytes(b"mine")
    link.symlink_to(tmp_path / "nowhere")
    for path in (theirs, link):
        with pytest.raises(UsageError, match="is no mirror and is left alone"):
            check_out(str(path))


def test_its_folder_must_exist(tmp_path: Path) -> None:
    """It is not made."""
    with pytest.raises(UsageError, match="is no folder"):
        check_out(str(tmp_path / "nowhere" / "new.sqlite"))


def test_one_document_only(tmp_path: Path) -> None:
    """Two would write into one file."""
    one, two = (source_of(str(tmp_path / name)) for name in ("one.yjs", "two.yjs"))
    assert elsewhere([one], str(tmp_path / "out")).mirror == str(tmp_path / "out")
    with pytest.raises(UsageError, match="here are 2"):
        elsewhere([one, two], str(tmp_path / "out"))
