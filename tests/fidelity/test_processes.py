"""The same document gives the same bytes in every process, whatever its hash seed."""

import hashlib
from pathlib import Path

from tests.fidelity.support import place, sync
from tests.support.data import ODDITIES

PROCESSES = 10


def test_ten_processes_write_equal_bytes(tmp_path: Path, state: Path) -> None:
    """No order of a set, a map or a plain object reaches the file."""
    for document in sorted(ODDITIES.glob("*.yjs")):
        place(document, tmp_path)
    seen = [_hashes(tmp_path, state, seed) for seed in range(PROCESSES)]
    for other in seen[1:]:
        assert other == seen[0]


def _hashes(root: Path, state: Path, seed: int) -> dict[str, str]:
    sync(root, "--force", state=state, PYTHONHASHSEED=str(seed))
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("tables.sqlite"))
    }
