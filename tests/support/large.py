"""A document that takes a second and more to sync, made once for all workers of a run."""

from pathlib import Path

import pytest

from tests.support.documents import document
from tests.support.once import made_once

ROWS = 40_000


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the document; it has ``ROWS`` rows in its table ``notes``."""

    def make(folder: Path) -> None:
        (folder / "workspace.yjs").write_bytes(document(ROWS))

    folder, _ = made_once(tmp_path_factory, "large", make)
    return (folder / "workspace.yjs").read_bytes()
