"""V2 twins of the whole corpus, written by real Yjs: read to the same V1 that Yjs makes of them."""

from pathlib import Path

import pytest

from scripts.fault.histories import KINDS, histories
from sidecar.yjs.v2 import to_v1
from tests.support.data import DOCUMENTS, ODDITIES, REPORTS, SEEDS
from tests.support.examples import share_of
from tests.support.node import needs_node, run_script

pytestmark = needs_node


def differing(folder: Path, out: Path) -> tuple[int, list[str]]:
    """Convert the twin of every document in a folder; return how many, and those that differ."""
    run_script("twins.js", str(folder), str(out))
    twins = sorted(out.glob("*.v2"))
    wrong: list[str] = []
    for twin in twins:
        data = twin.read_bytes()
        if to_v1(data) != (twin.with_suffix(".v1").read_bytes(), len(data)):
            wrong.append(twin.stem)
    return len(twins), wrong


@pytest.mark.parametrize(
    ("folder", "most"), [(DOCUMENTS, 0), (ODDITIES, 0), (REPORTS, 0), (SEEDS, 12)]
)
def test_the_corpus_in_v2_is_the_corpus(folder: Path, most: int, tmp_path: Path) -> None:
    """Byte for byte; of the hostile seeds some have no twin."""
    count, wrong = differing(folder, tmp_path)
    assert wrong == []
    assert count >= len(list(folder.glob("*.yjs"))) - most


@pytest.mark.random
@pytest.mark.parametrize("kind", KINDS)
def test_random_histories_in_v2_are_the_same(kind: str, tmp_path: Path) -> None:
    """With gaps, formats, embeds and half surrogate pairs; three hundred in `make test-slow`."""
    written, out = tmp_path / "written", tmp_path / "out"
    written.mkdir()
    out.mkdir()
    written_count = len(histories(kind, 21, share_of(300), written))
    count, wrong = differing(written, out)
    assert wrong == []
    assert count >= 0.96 * written_count - 1 > 0  # one of twenty is more than its share
