"""Log records on stderr. Imported where somebody reads them: logging takes 6 ms of each start."""

import logging
import sys
from typing import Any

from sidecar.commands.terminal import escape


class _SafeFormatter(logging.Formatter):
    """Writes records that no path or document can turn into something else."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own
        return "\n".join(map(escape, super().formatException(ei).splitlines()))


def log_to_stderr(level: str) -> None:
    """Write records of at least this level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=level.upper())
