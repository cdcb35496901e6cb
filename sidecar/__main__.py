"""The command ``epicenter-sidecar``, also ``python -m sidecar``."""

import atexit
import gc
import os
import sys
from typing import NoReturn

WORKER_FLAG = "--sidecar-worker"
"""First argument that makes a frozen program run as a worker: it has no ``-m``."""
_BRIEF = ("query", "search", "schema", "problems")
"""Commands that start nothing which outlives them."""


def main() -> int:
    """Run the command line, or serve as a worker."""
    if sys.argv[1:2] == [WORKER_FLAG]:
        from sidecar.workers.__main__ import main as serve  # noqa: PLC0415 - only what is needed

        serve(int(sys.argv[2]))
        return 0
    _open_standard_descriptors()
    gc.disable()  # what modules leave stays: looking for garbage in it is a tenth of a query's time
    try:
        from sidecar.commands import main as run  # noqa: PLC0415 - only what is needed

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded
        return 130
    if sys.argv[1:2] and sys.argv[1] in _BRIEF:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """End without taking every module apart, which is another tenth."""
    # Coverage saves what it has seen.
    atexit._run_exitfuncs()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    sys.stderr.flush()
    os._exit(code)


def _open_standard_descriptors() -> None:
    """Open the null device for closed ones: no other file may get descriptor 0, 1 or 2."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(main())
