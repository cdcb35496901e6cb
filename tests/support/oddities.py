"""The documents of all cases, synced once by one run of the program."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.apps import place_by_name
from tests.support.data import ODDITIES
from tests.support.once import made_once
from tests.support.program import sync

Mirrors = Callable[[str], Path]


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app's data folder with every document of the corpus, in step."""

    def make(root: Path) -> None:
        for document in sorted(ODDITIES.glob("*.yjs")):
            place_by_name(document, root)
        sync(root)

    root, _ = made_once(tmp_path_factory, "oddities", make)
    return root


@pytest.fixture(scope="session")
def mirror_of(app_folder: Path) -> Mirrors:
    """Gives the mirror of a case."""

    def find(case: str) -> Path:
        folder = app_folder / "workspaces" / case
        return next(path for path in folder.rglob("tables.sqlite"))

    return find


@pytest.fixture
def lone_document(tmp_path: Path) -> Callable[[str], Path]:
    """Copies one document of the corpus to a place of its own, without a mirror."""

    def copy(case: str) -> Path:
        folder = tmp_path / case / "0"
        folder.mkdir(parents=True)
        shutil.copyfile(ODDITIES / f"{case}.yjs", folder / "workspace.yjs")
        return folder / "workspace.yjs"

    return copy
