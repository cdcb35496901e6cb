"""Prepares the Tauri host and runs its tests on a virtual screen: ``python -m tests.tauri.run``.

Words that follow go to pytest. ``make test-tauri`` calls this; ``make test`` does without it.
"""

import os
import subprocess
import sys

from tests.tauri.prepare import HERE, CannotPrepareError, prepare

RUN_SECONDS = 900


def main() -> int:
    """Return pytest's exit code, or 1 where the host cannot be had, which is said."""
    try:
        prepare()
    except CannotPrepareError as error:
        sys.stderr.write(f"The Tauri tests cannot run here: {error}\n")
        return 1
    pytest = [sys.executable, "-m", "pytest", str(HERE), *sys.argv[1:]]
    screen = ["xvfb-run", "--auto-servernum"]
    done = subprocess.run(
        [*screen, *pytest], check=False, timeout=RUN_SECONDS, env=os.environ | {"TAURI_TESTS": "1"}
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
