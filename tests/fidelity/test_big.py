"""Documents too large to commit: thousands of fields, fifty megabytes in a cell, deep nesting."""

from pathlib import Path

import pytest

from tests.fidelity.expect.big import BIG
from tests.fidelity.support import assert_same, opened, place, read, sync
from tests.fidelity.test_cases import make


@pytest.mark.node
@pytest.mark.parametrize("case", BIG)
def test_big_document_is_shown_whole(case: str, tmp_path: Path, state: Path) -> None:
    """Size alone loses nothing."""
    make(tmp_path, case)
    mirror = place(tmp_path / f"{case}.yjs", tmp_path)
    sync(mirror.parent, state=state)
    with opened(mirror) as connection:
        assert_same(read(connection), BIG[case]())
