"""What changes no row leaves the mirror's file alone: its inode, its mtime and its bytes."""

import os
from pathlib import Path
from typing import Any

from tests.support.apps import document_path, mirror_of, place
from tests.support.data import DOCUMENTS
from tests.support.node import NodeWriter, needs_node
from tests.support.program import sync

Fingerprint = tuple[int, int, bytes]


def fingerprint(mirror: Path) -> Fingerprint:
    """Return what must not change: inode, mtime in ns, bytes."""
    found = mirror.stat()
    return found.st_ino, found.st_mtime_ns, mirror.read_bytes()


def outcomes(root: Path) -> list[tuple[str, str]]:
    """Sync once; return the type and reason of each document's event."""
    events: list[dict[str, Any]] = sync(root).events()
    return [(e["type"], e["reason"]) for e in events if e["type"] in {"rebuilt", "unchanged"}]


def test_equal_bytes(tmp_path: Path) -> None:
    """A document written again with the same bytes is ``unchanged``, by its bytes alone."""
    document = place(DOCUMENTS / "every_type.yjs", tmp_path)
    assert outcomes(tmp_path) == [("rebuilt", "missing")]
    before = fingerprint(mirror_of(document))
    document.write_bytes(document.read_bytes())
    os.utime(document, ns=(1, 1))
    assert outcomes(tmp_path) == [("unchanged", "bytes")]
    assert fingerprint(mirror_of(document)) == before


@needs_node
def test_equal_content(tmp_path: Path) -> None:
    """Values set again to what they were make new bytes and no new mirror."""
    document = place(DOCUMENTS / "history.yjs", tmp_path)
    outcomes(tmp_path)
    before, bytes_before = fingerprint(mirror_of(document)), document.read_bytes()
    with NodeWriter(document) as writer:
        writer.edit({"set": ["posts", "p1", {"title": "First", "views": 49}]})
    assert document.read_bytes() != bytes_before
    assert outcomes(tmp_path) == [("unchanged", "content")]
    assert fingerprint(mirror_of(document)) == before


@needs_node
def test_kv_edit(tmp_path: Path) -> None:
    """A setting is no row: an edit of ``kv`` alone makes no new mirror."""
    document = place(DOCUMENTS / "every_type.yjs", tmp_path)
    outcomes(tmp_path)
    before = fingerprint(mirror_of(document))
    with NodeWriter(document) as writer:
        writer.edit({"kv": ["theme", "light"]})
    assert outcomes(tmp_path) == [("unchanged", "content")]
    assert fingerprint(mirror_of(document)) == before


@needs_node
def test_a_definition_alone_rebuilds(tmp_path: Path) -> None:
    """A changed label, with every row as it was, is a change of that table."""
    document = document_path(tmp_path)
    fields = {"id": {"type": "id"}, "title": {"type": "text"}}
    with NodeWriter(document) as writer:
        writer.edit(
            {"define": ["posts", {"name": "Posts", "fields": fields}]},
            {"set": ["posts", "p1", {"title": "First"}]},
        )
        outcomes(tmp_path)
        writer.edit({"define": ["posts", {"name": "Articles", "fields": fields}]})
    events = sync(tmp_path).events()
    (rebuilt,) = [event for event in events if event["type"] == "rebuilt"]
    assert (rebuilt["reason"], rebuilt["changed"]) == ("changed", ["posts"])
