"""Runs the command on a terminal and gives what would have been seen."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.program import RUN_SECONDS, program

_CHUNK = 1 << 16

needs_terminal = pytest.mark.skipif(os.name != "posix", reason="there is no pty here")
"""Marks what is about terminals."""


def run_on_terminal(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    until: str | None = None,
) -> tuple[int, str]:
    """Run the command with stdout and stderr on one terminal.

    Args:
        arguments: Of the command.
        environment: What is added to this process's own.
        until: When this was seen, the command is asked to end.

    Returns:
        Its exit code and everything that the terminal received.
    """
    ours, theirs = os.openpty()
    known = {"TERM": "xterm-256color", "COLUMNS": "120", **(environment or {})}
    process = subprocess.Popen(
        [*program(), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={name: value for name, value in os.environ.items() if name != "NO_COLOR"} | known,
    )
    os.close(theirs)
    seen = b""
    while chunk := _read(ours):
        seen += chunk
        if until and until.encode() in seen:
            until = None  # a second signal would end it at once
            process.terminate()
    os.close(ours)
    return process.wait(RUN_SECONDS), seen.decode("utf-8", "replace")


def _read(descriptor: int) -> bytes:
    """Read what comes next; Linux ends a terminal with an error, others with nothing."""
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""
