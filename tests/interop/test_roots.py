"""Documents of arbitrary roots are read alike by the mirror, the reference and JavaScript."""

import pytest

from tests.support.examples import share_of
from tests.support.node import needs_node
from tests.support.three_ways import differences


@needs_node
@pytest.mark.random
def test_generated_roots_are_read_alike_three_ways() -> None:
    """Tables, columns, cells, problems and roots of generated documents."""
    assert list(differences(1, share_of(300))) == []
