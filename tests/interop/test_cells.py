"""Random cells by real Yjs: rich text, XML, arrays, maps, in the text that JavaScript prints.

``python -m scripts.fault.cells --count 5000`` goes on from here.
"""

from pathlib import Path

from scripts.fault.cells import findings
from tests.support.node import needs_node

pytestmark = needs_node


def test_random_cells_are_printed_as_javascript_prints_them(tmp_path: Path) -> None:
    """Three hundred documents of three clients each, and ``verify`` finds every mirror equal."""
    assert list(findings(1, 300, tmp_path)) == []
