"""Random cells by real Yjs: rich text, XML, arrays, maps, in the text that JavaScript prints.

``python -m scripts.fault.cells --count 5000`` goes on from here.
"""

from pathlib import Path

import pytest

from scripts.fault.cells import findings
from tests.support.examples import share_of
from tests.support.node import needs_node

pytestmark = needs_node


@pytest.mark.random
def test_random_cells_are_printed_as_javascript_prints_them(tmp_path: Path) -> None:
    """By three clients each, 300 in `make test-slow`; ``verify`` finds every mirror equal."""
    assert list(findings(1, share_of(300), tmp_path)) == []
