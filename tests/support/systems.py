"""Marks for tests that ask a system for what only some of them have."""

import os
import sys
from importlib.util import find_spec

import pytest

needs_signals = pytest.mark.skipif(os.name != "posix", reason="a signal is the end there")
"""Sends a signal and expects the process to hear it; Windows ends it."""

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")

needs_shell = pytest.mark.skipif(os.name != "posix", reason="there is no /bin/sh here")

needs_posix_paths = pytest.mark.skipif(
    os.name != "posix", reason="a path begins with a drive there"
)

needs_byte_names = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="file names are text here"
)
"""Has names that are no UTF-8, which macOS refuses."""


def needs_package(name: str) -> pytest.MarkDecorator:
    """Need an extra's package. A test loads it by itself: at the top all workers would."""
    return pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed")
