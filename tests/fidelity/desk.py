"""Syncing documents inside the test's own process, for the thousands that Hypothesis makes."""

import shutil
import sys
from pathlib import Path
from typing import Any

from sidecar.model import Options, Rebuilt, Source
from sidecar.sync import sync
from tests.fidelity.support import opened


class Desk:
    """A folder with one document and its mirror at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mirror(self, update: bytes) -> Path:
        """Write a document and build its mirror from scratch."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        document, mirror = self._folder / "workspace.yjs", self._folder / "tables.sqlite"
        document.write_bytes(update)
        source = Source(str(document), str(mirror), "generated", 0)
        options = Options(state_folder=str(self._folder / "state"))
        limit = sys.getrecursionlimit()
        try:
            outcome = sync(source, options, last_try=True)
        finally:
            sys.setrecursionlimit(limit)  # sync needs more; Hypothesis minds who changes it
        assert isinstance(outcome, Rebuilt), outcome
        return mirror

    def content(self, update: bytes) -> dict[str, Any]:
        """Give everything in a document's mirror but what says how the document came about."""
        with opened(self.mirror(update)) as connection:
            known = dict(connection.execute("SELECT key, value FROM _mirror"))
            content = {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
                for name in ("_mirror_tables", "_mirror_columns")
            }
            content["problems"] = connection.execute(
                "SELECT * FROM _mirror_problems WHERE kind <> 'unaccounted'"
            ).fetchall()
        return {**content, "digest": known["content_digest"]}

    def digests(self, update: bytes) -> dict[str, str]:
        """Give the digest of each table of a document."""
        with opened(self.mirror(update)) as connection:
            return dict(connection.execute("SELECT name, digest FROM _mirror_tables"))
