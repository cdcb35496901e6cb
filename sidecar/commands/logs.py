"""Log records on stderr. Imported only where they are shown: logging takes 6 ms to import."""

import logging
import sys
import time
from typing import Any

from sidecar.commands.terminal import escape
from sidecar.host.stderr import Repeats


class _SafeFormatter(logging.Formatter):
    """Escapes records, so that paths and documents cannot forge lines or steer the terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own
        return "\n".join(map(escape, super().formatException(ei).splitlines()))


class _Once(logging.Filter):
    """Prints a repeated warning only at the first, 10th, 100th ... time."""

    def __init__(self) -> None:
        super().__init__()
        self._repeats = Repeats()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        said = self._repeats.said(record.getMessage(), time.monotonic())
        if said is None:
            return False
        record.msg, record.args = said, ()
        return True


def log_to_stderr(level: str) -> None:
    """Write records of at least this level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Once())
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=level.upper())
