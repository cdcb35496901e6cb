"""While ``watch`` runs, a document edited as the app does it has a mirror equal to the file."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.apps import document_path, leftovers, mirror_of
from tests.support.mirrors import Cell, assert_holds, open_mirror
from tests.support.node import NodeWriter, needs_node
from tests.support.program import ChildError, Watch
from tests.support.waiting import wait_until

pytestmark = needs_node

FIELDS = {"id": {"type": "id"}, "title": {"type": "text"}, "n": {"type": "integer"}}
DEFINITION = {"name": "Posts", "icon": None, "description": "", "fields": FIELDS}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Return where the app's one document goes."""
    return document_path(tmp_path / "app")


@pytest.fixture
def writer(document: Path) -> Iterator[NodeWriter]:
    """Open the document in Node, with one table and two rows."""
    with NodeWriter(document) as writer:
        writer.edit({"define": ["posts", DEFINITION]}, *(row(key, 0) for key in "ab"))
        yield writer


@pytest.fixture
def watch(writer: NodeWriter, tmp_path: Path) -> Iterator[Watch]:
    """Start ``watch`` on the app folder and wait until it is ready."""
    assert writer.process.poll() is None
    with Watch(tmp_path / "app") as watch:
        watch.until("ready")
        yield watch


def row(key: str, n: int) -> dict[str, Any]:
    """Return the edit that puts a row of generation ``n`` in place."""
    return {"set": ["posts", key, {"title": f"Post {key} é {n}", "n": n}]}


def settle(watch: Watch) -> list[dict[str, Any]]:
    """Have everything synced; return the rebuilds heard since the last call to this or until."""
    heard = len(watch.events)
    watch.send({"type": "sync", "id": "settle"})
    assert watch.until("synced", id="settle")["failed"] == 0
    return [event for event in watch.events[heard:] if event["type"] == "rebuilt"]


def holds(mirror: Path, expected: dict[str, Any]) -> bool:
    """Tell whether the mirror is there and equal to what JavaScript expects."""
    try:
        assert_holds(mirror, expected)
    except AssertionError:
        return False
    return True


def test_awaited_edits(watch: Watch, writer: NodeWriter, document: Path) -> None:
    """Edits saved one after the other are all in the mirror, after few rebuilds."""
    writer.edit(*(row("a", n) for n in range(1, 21)), {"drop": ["posts", "b"]}, row("c", 7))
    watch.until("rebuilt")
    expected = writer.expected()
    wait_until(lambda: holds(mirror_of(document), expected), "the mirror follows the last edit")
    settle(watch)
    assert_holds(mirror_of(document), expected)
    assert len(rebuilds(watch)) <= 4


@pytest.mark.parametrize(
    "attempt", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4))]
)
def test_unawaited_burst(watch: Watch, writer: NodeWriter, document: Path, attempt: int) -> None:
    """Fifty un-awaited saves, truncate, write, close, end in a mirror equal to the final file.

    Equal to what Yjs reads from it: such a burst may leave an older state, with the tail of a
    newer one behind it.
    """
    writer.edit(*(row("abcdefg"[n % 7], n + attempt) for n in range(50)), saves="unawaited")
    expected = writer.expected()
    wait_until(lambda: holds(mirror_of(document), expected), "the mirror equals the final file")
    assert 1 <= len(settle(watch) or rebuilds(watch)) <= 4
    assert_holds(mirror_of(document), expected)


def test_bursts_then_one_awaited_save(watch: Watch, writer: NodeWriter, document: Path) -> None:
    """After many bursts and one last orderly save, the mirror holds the app's own last state."""
    for burst in range(1, 6):
        edits = (row("abcdefg"[n % 7], 100 * burst + n) for n in range(50))
        writer.edit(*edits, saves="unawaited")
    writer.edit(row("last", 1))
    expected = writer.expected()
    assert len(expected["tables"]["posts"]["rows"]) == 8
    wait_until(lambda: holds(mirror_of(document), expected), "the mirror follows the last save")
    settle(watch)
    assert len(rebuilds(watch)) <= 12
    assert leftovers(document.parents[3]) == []


def test_nothing_changed(watch: Watch, writer: NodeWriter, document: Path) -> None:
    """An equal rewrite and a kv edit are ``unchanged``: the mirror keeps inode, mtime and bytes."""
    mirror = mirror_of(document)
    before = (mirror.stat().st_ino, mirror.stat().st_mtime_ns, mirror.read_bytes())
    writer.save()
    assert watch.until("unchanged")["reason"] == "bytes"
    writer.edit({"kv": ["theme", "dark"]})
    assert watch.until("unchanged")["reason"] == "content"
    writer.edit(row("a", 0))
    assert watch.until("unchanged")["reason"] == "content"
    assert settle(watch) == []
    assert (mirror.stat().st_ino, mirror.stat().st_mtime_ns, mirror.read_bytes()) == before


def test_a_definition_alone_rebuilds(watch: Watch, writer: NodeWriter) -> None:
    """A new label for a table, with all rows as they were, is a change of that table."""
    writer.edit({"define": ["posts", {**DEFINITION, "name": "Articles"}]})
    event = watch.until("rebuilt")
    assert (event["reason"], event["changed"], event["removed"]) == ("changed", ["posts"], [])


def test_a_new_workspace_is_found(watch: Watch, writer: NodeWriter, tmp_path: Path) -> None:
    """A workspace and an epoch made while ``watch`` runs are mirrored as they appear."""
    assert writer.process.poll() is None
    for workspace, epoch in (("w2", 0), ("w2", 1)):
        made = document_path(tmp_path / "app", workspace, epoch)
        with NodeWriter(made) as other:
            other.edit(row("a", 1))
            event = watch.until("rebuilt", workspace=workspace, epoch=epoch)
            assert event["rows"] == 1
            assert_holds(mirror_of(made), other.expected())


@pytest.mark.slow
def test_a_reader_sees_only_whole_mirrors(watch: Watch, writer: NodeWriter, document: Path) -> None:
    """A reader that polls during rebuilds finds every time all rows, all of one generation."""
    keys = [f"k{n:04}" for n in range(2000)]
    writer.edit({"batch": [row(key, 1) for key in keys]}, {"drop": ["posts", "a"]})
    writer.edit({"drop": ["posts", "b"]})
    wait_until(lambda: generations(mirror_of(document)) == [(2000, 1, 1)], "the first generation")
    with Crowd(mirror_of(document)) as crowd:
        for generation in range(2, 7):
            writer.edit({"batch": [row(key, generation) for key in keys]})
            watch.until("rebuilt")
    settle(watch)
    assert crowd.polls > 100
    assert crowd.seen <= {(2000, n, n) for n in range(1, 7)}
    assert len(crowd.seen) > 2


def test_stop_at_the_end_of_stdin(watch: Watch) -> None:
    """The end of stdin stops ``watch``, with exit code 0 and ``stopped`` as its last event."""
    watch.close_stdin()
    assert watch.until("stopped")["reason"] == "stdin"
    assert watch.wait() == 0
    with pytest.raises(ChildError):
        watch.receive()


def rebuilds(watch: Watch) -> list[dict[str, Any]]:
    """Return the rebuilds since ``ready``."""
    kinds = [event["type"] for event in watch.events]
    return [e for e in watch.events[kinds.index("ready") :] if e["type"] == "rebuilt"]


def generations(mirror: Path) -> list[tuple[Cell, ...]]:
    """Return the number of rows with the lowest and highest generation in the mirror."""
    with open_mirror(mirror) as connection:
        return connection.execute("SELECT count(*), min(n), max(n) FROM posts").fetchall()


class Crowd:
    """Two readers that open, read and close a mirror as fast as they can."""

    def __init__(self, mirror: Path) -> None:
        """Keep what is read in ``seen`` and count it in ``polls``."""
        self.seen: set[tuple[Cell, ...]] = set()
        self.polls = 0
        self._mirror = mirror
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(2)]

    def __enter__(self) -> Self:
        """Start reading."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self.seen.update(generations(self._mirror))
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is a finding
                self.seen.add((repr(error),))
            self.polls += 1
