"""Log records on stderr. Imported where somebody reads them: logging takes 6 ms of each start."""

import logging
import sys
import time
from typing import Any

from sidecar.commands.terminal import escape
from sidecar.host.stderr import Repeats


class _SafeFormatter(logging.Formatter):
    """Writes records that no path or document can turn into something else."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own
        return "\n".join(map(escape, super().formatException(ei).splitlines()))


class _Once(logging.Filter):
    """Lets a warning pass once, and then counts it."""

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
