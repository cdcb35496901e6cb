"""Commands that need packages which are not installed with the others."""

from collections.abc import Generator
from contextlib import contextmanager

from sidecar.errors import UsageError


@contextmanager
def needs(extra: str) -> Generator[None]:
    """Say how to install an extra whose packages cannot be imported.

    Raises:
        UsageError: They cannot.
    """
    try:
        yield
    except ImportError as error:
        message = (
            f"this command needs more packages ({error}); install them with: "
            f"pip install 'epicenter-sidecar[{extra}]'"
        )
        raise UsageError(message) from error
