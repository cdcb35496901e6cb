"""An app's data folder with two workspaces, in step and indexed; each test has its own copy."""

import shutil
from pathlib import Path

import pytest

from tests.support.data import SAMPLE
from tests.support.program import sync


@pytest.fixture(scope="session")
def app_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's data folder that all tests share: to be read, not to be changed."""
    root = tmp_path_factory.mktemp("built") / "app"
    shutil.copytree(SAMPLE, root)
    sync("--fts", root)
    return root


@pytest.fixture
def app(app_built: Path, tmp_path: Path) -> Path:
    """The sample's data folder; mirrors and their times are those of one sync."""
    return Path(shutil.copytree(app_built, tmp_path / "app"))


@pytest.fixture
def studio(app: Path) -> Path:
    """The epoch folder of the workspace that has snapshots."""
    return app / "workspaces" / "juniper-studio" / "0"
