"""The floor: pycrdt decodes one document, in a process of its own, and only that call is timed.

``python -m scripts.bench.floor DOCUMENT`` prints its wall and CPU seconds. The process ends
without freeing the document, which is not part of the call.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from pycrdt import Doc


def main(path: str) -> None:
    """Decode the document at ``path`` and print the seconds as ``WALL CPU``."""
    data = Path(path).read_bytes()
    doc: Doc[Any] = Doc()
    wall, cpu = time.perf_counter(), time.process_time()
    doc.apply_update(data)
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
