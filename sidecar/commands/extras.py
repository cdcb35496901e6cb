"""Commands that need an extra, with packages that are not installed by default."""

from collections.abc import Generator
from contextlib import contextmanager

from sidecar.errors import UsageError


@contextmanager
def needs(extra: str) -> Generator[None]:
    """Turn a failed import of an extra's packages into the advice to install it.

    Raises:
        UsageError: The packages cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        message = (
            f"this command needs more packages ({error}); install them with: "
            f"pip install 'epicenter-sidecar[{extra}]'"
        )
        raise UsageError(message) from error
