"""A process that syncs one document at a time when it is told to, so that a crash is a finding.

One JSON object a line. Asked: `document`, `mirror`, `state` (paths), `settled`, `force`, and `uid`
to become another user for good. Answered: `outcome` (rebuilt, unchanged, failed) with `reason` or
`code` and `message`; or `raised`, what escaped without a code.
"""

import importlib
import json
import os
import pkgutil
import shutil  # noqa: F401 - imported late by the program
import sys
import traceback
from typing import Any

from sidecar import document, mirror, yjs
from sidecar.model import Failed, Options, Source
from sidecar.tasks.sync import sync

MEMORY_BYTES = 4 << 30
"""A few hundred bytes can declare counts that would take all memory there is."""


def perform(job: dict[str, Any]) -> dict[str, Any]:
    """Do one sync and say how it ended. Nothing is raised."""
    source = Source(job["document"], job["mirror"], None, None)
    options = Options(state_folder=job["state"])
    try:
        outcome = sync(
            source, options, force=job.get("force", False), rested=job.get("settled", True)
        )
    except BaseException as error:  # noqa: BLE001 - a panic of the decoder is a BaseException
        last = traceback.extract_tb(error.__traceback__)[-1]
        return {"raised": f"{type(error).__name__}: {error} in {last.name}"}
    if isinstance(outcome, Failed):
        return {"outcome": "failed", "code": outcome.code, "message": outcome.message}
    return {"outcome": type(outcome).__name__.lower(), "reason": outcome.reason}


def main() -> None:
    """Answer each line of stdin with one on stdout."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["RUST_BACKTRACE"] = "0"
    for line in sys.stdin:
        job = json.loads(line)
        if job.get("uid"):
            _become(job["uid"])
        print(json.dumps(perform(job)), flush=True)


def _become(uid: int) -> None:
    """Give up root's rights. What is imported late may not be readable afterwards: so it is now."""
    for package in (document, mirror, yjs):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


if __name__ == "__main__":
    main()
