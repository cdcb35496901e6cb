"""Fixtures of the Tauri tests. They are collected by ``make test-tauri`` only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tauri.app import App

collect_ignore_glob = [] if "TAURI_TESTS" in os.environ else ["test_*.py"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A running app with no data yet; nothing of it is left after the test."""
    with App(tmp_path) as app:
        yield app
        assert app.reported("uncaught") == []
