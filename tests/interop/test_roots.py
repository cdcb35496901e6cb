"""Documents of arbitrary roots are read alike by the mirror, the reference and JavaScript."""

import pytest

from tests.support.node import needs_node
from tests.support.three_ways import differences


@needs_node
@pytest.mark.parametrize("seed", [1, 2])
def test_generated_roots_are_read_alike_three_ways(seed: int) -> None:
    """Tables, columns, cells, problems and roots of some hundred documents."""
    assert list(differences(seed, 150)) == []
