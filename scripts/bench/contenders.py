"""The three that are measured on one document: our ``sync``, the Node peer, the bare decoder."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from scripts.bench.documents import BENCH, WORK, Shape, document, node, place
from scripts.bench.measure import Usage, remove, run
from scripts.children import program

ENVIRONMENT = {"SIDECAR_STATE_DIR": str(WORK / "state")}


class Contender(msgspec.Struct, frozen=True):
    """A command that does its work on one document.

    Attributes:
        name: ``ours``, ``peer`` or ``floor``.
        command: How it is run.
        result: The database it writes; removed before each run.
        environment: Added to this process's own.
    """

    name: str
    command: list[str]
    result: Path
    environment: Mapping[str, str] = {}

    @classmethod
    def ours(cls, root: Path, mirror: Path) -> Self:
        """Return our ``sync`` of everything below a folder."""
        return cls("ours", [*program(), "sync", "--json", str(root)], mirror, ENVIRONMENT)

    def run(self) -> Usage:
        """Run it on a clean place."""
        remove(self.result)
        return run(self.command, self.environment)


def contenders(shape: Shape) -> tuple[Contender, Contender, Contender]:
    """Return ours, the peer and the floor for one document, ready to run."""
    root = WORK / "cold" / shape.name
    path = place(document(shape), root)
    database = root / "peer.sqlite"
    return (
        Contender.ours(root, path.with_name("tables.sqlite")),
        Contender("peer", [*node(), str(BENCH / "peer.js"), str(path), str(database)], database),
        floor(path),
    )


def floor(path: Path) -> Contender:
    """Return the floor for the document at ``path``: prints wall and CPU seconds of one call."""
    command = [sys.executable, "-m", "scripts.bench.floor", str(path)]
    return Contender("floor", command, path.with_name("none"))
