"""Syncing documents inside the test's own process, for the thousands that Hypothesis makes."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sidecar.model import Options, Rebuilt, Source
from sidecar.reports import Verification
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.mirrors import open_mirror


@contextmanager
def kept_recursion_limit() -> Iterator[None]:
    """Give the limit back: the program needs a higher one, and Hypothesis minds who changes it."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class FreshDesk:
    """A folder with one document and its mirror at a time.

    Attributes:
        document: Where the document lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        document, mirror = folder / "workspace.yjs", folder / "tables.sqlite"
        self.document, self._mirror = document, mirror
        self._source = Source(str(document), str(mirror), "generated", 0)
        self._options = Options(state_folder=str(folder / "state"))

    def mirror(self, update: bytes) -> Path:
        """Write a document and build its mirror from scratch."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self.document.write_bytes(update)
        with kept_recursion_limit():
            outcome = sync(self._source, self._options, rested=True)
        assert isinstance(outcome, Rebuilt), outcome
        return self._mirror

    def verify(self) -> Verification:
        """Compare the mirror with its document by the program's own second road."""
        with kept_recursion_limit():
            return verify(self._source, self._options)

    def content(self, update: bytes) -> dict[str, Any]:
        """Give everything in a document's mirror but what says how the document came about."""
        with open_mirror(self.mirror(update)) as connection:
            known = dict(connection.execute("SELECT key, value FROM _mirror"))
            content = {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()
                for name in ("_mirror_tables", "_mirror_columns")
            }
            content["problems"] = connection.execute(
                "SELECT * FROM _mirror_problems WHERE kind <> 'unaccounted'"
            ).fetchall()
        return {**content, "digest": known["content_digest"]}

    def digests(self, update: bytes) -> dict[str, str]:
        """Give the digest of each table of a document."""
        with open_mirror(self.mirror(update)) as connection:
            return dict(connection.execute("SELECT name, digest FROM _mirror_tables"))
