"""What costs seconds to make is made once for all test workers of a run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

_SECONDS = 240.0


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> tuple[Path, str]:
    """Have one worker fill a folder, and the others wait for it; the files are to be read only.

    Args:
        factory: Of the temporary folders; those of all workers of a run stand side by side.
        name: Of the folder.
        make: Fills the folder. What it returns is handed to each worker as text.

    Returns:
        The folder, and the text.
    """
    base = factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    done = place.with_name(f"{place.name}.done")
    try:
        place.mkdir()
    except FileExistsError:
        wait_until(done.exists, f"another worker makes {name}", _SECONDS)
    else:
        text = "failed: see the worker that made it"
        try:
            text = str(make(place))
        finally:
            unfinished = done.with_suffix(".part")
            unfinished.write_text(text, "utf-8")
            unfinished.rename(done)
    return place, done.read_text("utf-8")
