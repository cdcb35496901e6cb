"""A command whose packages are missing says how to install them."""

import pytest

from sidecar.commands.extras import needs
from sidecar.errors import UsageError


def test_a_failed_import_names_the_extra() -> None:
    """And the package that is missing."""
    message = r"no module called x.*pip install 'epicenter-sidecar\[mcp\]'"
    missing = ImportError("no module called x")
    with pytest.raises(UsageError, match=message), needs("mcp"):
        raise missing


def test_other_errors_are_not_touched() -> None:
    """They are no question of what is installed."""
    with pytest.raises(KeyError), needs("mcp"):
        raise KeyError
