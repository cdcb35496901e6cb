"""What a scan makes of what is known about documents."""

import pytest

from sidecar.files import FileVersion
from sidecar.model import Source
from sidecar.supervisor.documents import DocumentQueue, FileState, Scan
from sidecar.supervisor.schedule import Timing

SOURCE = Source("/app/workspace.yjs", "/app/tables.sqlite", None, None)
DOCUMENT = FileVersion(1, 1, 10, 1, 1)
OLD, LEFT, THEIRS = (FileVersion(1, 2, 10, number, number) for number in (1, 2, 3))


def scan(at: float, mirror: FileVersion) -> Scan:
    """Return a scan that began at a time and found this mirror."""
    return Scan(at, {SOURCE.document: FileState(SOURCE, DOCUMENT, mirror)}, (), {}, {})


@pytest.mark.parametrize(
    ("at", "mirror", "stale"),
    [(1.5, OLD, False), (1.5, LEFT, False), (3.0, LEFT, False), (3.0, THEIRS, True)],
)
def test_a_scan_that_looked_before_the_last_sync_ended_says_nothing_of_its_mirror(
    at: float, mirror: FileVersion, *, stale: bool
) -> None:
    """Else each rescan during a sync would ask for one more."""
    documents = DocumentQueue(Timing())
    assert documents.compare(scan(0.0, OLD)) == [SOURCE.document]
    state = documents.begin(SOURCE.document, DOCUMENT)
    documents.end(SOURCE.document, 2.0, 0.1, "done")
    state.mirror = state.left = LEFT
    assert documents.compare(scan(at, mirror)) == ([SOURCE.document] if stale else [])
