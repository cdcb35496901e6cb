"""Folders that cannot be read: the commands report them, do the rest, and do not exit with 0."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sidecar.commands import main
from tests.support.desk import Desk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="jobs are done in forks here")


@pytest.mark.parametrize("command", ["sync", "status", "verify"])
def test_a_closed_folder_is_no_success(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    """Permissions do not stop root, so the system call is made to fail."""
    app = tmp_path / "app"
    Desk.with_two_notes(app / "workspaces" / "w1" / "0")
    shut = app / "workspaces" / "w2"
    shut.mkdir()
    scandir, handler = os.scandir, signal.getsignal(signal.SIGTERM)

    def refuse(folder: Any) -> Any:
        if folder == str(shut):
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setenv("SIDECAR_STATE_DIR", str(tmp_path / "state"))
    assert main([command, str(app)]) == 0
    monkeypatch.setattr(os, "scandir", refuse)
    capsys.readouterr()
    assert main([command, str(app)]) == 1
    signal.signal(signal.SIGTERM, handler)
    told = capsys.readouterr()
    assert f"{shut} cannot be read" in told.err
    assert "w1/0" in told.out
