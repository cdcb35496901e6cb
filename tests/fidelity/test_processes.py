"""The same document gives the same bytes in every process, whatever its hash seed."""

import hashlib
from pathlib import Path

import pytest

from tests.support.apps import place_by_name
from tests.support.data import ODDITIES
from tests.support.examples import is_thorough
from tests.support.program import sync

PROCESSES = 24 if is_thorough() else 2


@pytest.mark.random
def test_processes_write_equal_bytes(tmp_path: Path) -> None:
    """No order of a set, a map or a plain object reaches the file."""
    for document in sorted(ODDITIES.glob("*.yjs")):
        place_by_name(document, tmp_path)
    seen = [_hashes(tmp_path, seed) for seed in range(PROCESSES)]
    for other in seen[1:]:
        assert other == seen[0]


def _hashes(root: Path, seed: int) -> dict[str, str]:
    sync(root, "--force", environment={"PYTHONHASHSEED": str(seed)})
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("tables.sqlite"))
    }
