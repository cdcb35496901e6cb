"""Documents of arbitrary roots are read alike by the mirror, the reference and JavaScript."""

import pytest

from tests.support.examples import share_of
from tests.support.node import needs_node
from tests.support.three_ways import changing, differences


@needs_node
@pytest.mark.random
def test_generated_roots_are_read_alike_three_ways() -> None:
    """Tables, columns, cells, problems and roots of generated documents."""
    assert list(differences(1, share_of(300))) == []


@needs_node
@pytest.mark.random
def test_roots_that_change_from_save_to_save_are_followed() -> None:
    """Shapes, kinds and layouts come and go in warm documents; half of them with `--tables`."""
    assert list(changing(1, max(2, share_of(12)), 8)) == []
