"""The command ``epicenter-sidecar``, also ``python -m sidecar``."""

import os
import sys

WORKER_FLAG = "--sidecar-worker"
"""How a frozen program starts its own worker: there is no ``-m`` in it."""


def main() -> int:
    """Run the command line, or serve as a worker."""
    if sys.argv[1:2] == [WORKER_FLAG]:
        from sidecar.service.child import main as serve  # noqa: PLC0415 - only what is needed

        serve(int(sys.argv[2]))
        return 0
    _open_standard_descriptors()
    from sidecar.commands import main as run  # noqa: PLC0415 - only what is needed

    return run(sys.argv[1:])


def _open_standard_descriptors() -> None:
    """Fill closed ones with the null device, so that no file of ours takes their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
