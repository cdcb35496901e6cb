"""The host: commands, bad lines, many commands at once, and readers that do not read."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import document_path, mirror_of
from tests.support.documents import document, save
from tests.support.mirrors import query
from tests.support.program import Watch, program
from tests.support.waiting import wait_until


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Watch two workspaces, one with two epochs, ready."""
    for workspace, epoch in (("w1", 0), ("w1", 1), ("w2", 0)):
        save(document_path(tmp_path, workspace, epoch), document(3))
    with Watch(tmp_path, "--debounce-ms", "10") as watch:
        watch.until("ready")
        watch.events.clear()
        yield watch


def synced(watch: Watch, **command: object) -> tuple[int, int, int]:
    """Send `sync` and return how many were rebuilt, unchanged, failed."""
    watch.send({"type": "sync", "id": "s", **command})
    event = watch.until("synced", id="s")
    return (event["rebuilt"], event["unchanged"], event["failed"])


def test_ping_is_answered(watch: Watch) -> None:
    """With the id of the command, whatever it is."""
    for id_ in ("a", 7, 1.5, None):
        watch.send({"type": "ping", "id": id_})
        assert watch.until("pong").get("id") == id_


def test_sync_is_about_what_it_names(watch: Watch) -> None:
    """Everything, a workspace, an epoch; with force or without."""
    assert synced(watch) == (0, 3, 0)
    assert synced(watch, force=True) == (3, 0, 0)
    assert synced(watch, workspace="w1", force=True) == (2, 0, 0)
    assert synced(watch, workspace="w1", epoch=1, force=True) == (1, 0, 0)
    assert synced(watch, epoch=0) == (0, 2, 0)


def test_sync_does_not_wait_for_the_debounce(tmp_path: Path) -> None:
    """What was written before the command is in the mirror when `synced` comes."""
    path = save(document_path(tmp_path), document(3))
    with Watch(tmp_path, "--debounce-ms", "600000", "--max-wait-ms", "600000") as watch:
        watch.until("ready")
        for rows in (4, 5, 6):
            save(path, document(rows))
            assert synced(watch) == (1, 0, 0)
            assert query(mirror_of(path), "SELECT count(*) FROM notes") == [(rows,)]


@pytest.mark.long
def test_sync_counts_failures(watch: Watch, tmp_path: Path) -> None:
    """A document that stays bad is counted and reported for each command."""
    path = save(document_path(tmp_path, "w2"), b"no update at all")
    first = watch.until("failed", path=str(path))
    assert synced(watch, workspace="w2") == (0, 0, 1)
    assert watch.events[-2]["code"] == first["code"]


@pytest.mark.parametrize("workspace", ["nobody", "../w1", "w1/0", "", "w1\0", "."])
def test_ids_are_matched_and_never_joined_to_a_path(watch: Watch, workspace: str) -> None:
    """An unknown id gets an error, whatever text it is."""
    watch.send({"type": "sync", "id": 5, "workspace": workspace})
    failed = watch.until("failed", id=5)
    assert (failed["code"], failed["workspace"]) == ("gone", workspace)


def test_status_tells_of_each_document(watch: Watch, tmp_path: Path) -> None:
    """In the order of their paths, each in step or stale."""
    watch.send({"type": "status", "id": 1})
    report = watch.until("status", id=1)
    found = [(s["workspace"], s["epoch"], s["state"], s["rows"]) for s in report["documents"]]
    assert found == [
        ("w1", 0, "in_step", 3),
        ("w1", 1, "in_step", 3),
        ("w2", 0, "in_step", 3),
    ]
    mirror_of(document_path(tmp_path, "w2")).write_bytes(b"damaged")
    heard = len(watch.events)
    watch.send({"type": "status", "id": 2, "workspace": "w2"})
    (status,) = watch.until("status", id=2)["documents"]
    is_repaired = "rebuilt" in [event["type"] for event in watch.events[heard:]]
    assert status["state"] == ("in_step" if is_repaired else "damaged")


BAD_LINES = [
    b"{",
    b"\xff\xfe\xfd",
    b'{"type": "explode", "id": 9}',
    b'{"type": "sync", "epoch": "zero"}',
    b"[1, 2]",
    b"\x00\x00",
    b"[" * 50_000,
    b'{"type": "ping", "id": "' + b"y" * 3_000_000 + b'"}',
]


def send_raw(watch: Watch, data: bytes) -> None:
    """Write bytes to the program's stdin."""
    assert watch.process.stdin
    watch.process.stdin.write(data)
    watch.process.stdin.flush()


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_is_answered_and_survived(watch: Watch, line: bytes) -> None:
    """One `failed {code: "protocol"}` for it, and the next command works."""
    send_raw(watch, line + b"\n")
    failed = watch.until("failed")
    assert failed["code"] == "protocol"
    watch.send({"type": "ping", "id": "after"})
    watch.until("pong", id="after")


def test_half_lines_are_put_together(watch: Watch) -> None:
    """However a command arrives, it is one."""
    for byte in b'\n\n  \n{"type": "ping", "id": "slow"}\r\n':
        send_raw(watch, bytes([byte]))
    watch.until("pong", id="slow")


def test_a_burst_of_commands_is_answered_in_order(watch: Watch) -> None:
    """A thousand pings, a thousand pongs."""
    commands = (json.dumps({"type": "ping", "id": number}) for number in range(1000))
    send_raw(watch, "\n".join([*commands, ""]).encode())
    assert [watch.receive()["id"] for _ in range(1000)] == list(range(1000))


def lines(stream: int) -> Iterator[dict[str, Any]]:
    """Yield the events on a descriptor."""
    rest = b""
    while data := os.read(stream, 1 << 16):
        *whole, rest = (rest + data).split(b"\n")
        yield from map(json.loads, whole)


def test_a_stalled_reader_gets_the_news_in_one_when_it_reads_again(tmp_path: Path) -> None:
    """Syncing continues meanwhile; rebuilds are merged, `unchanged` events are dropped."""
    path = save(document_path(tmp_path), document(1))
    ours, theirs = os.pipe()
    command = [*program(), "watch", "--debounce-ms", "1", "--max-load", "64", str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs)
    assert process.stdin
    os.close(theirs)
    heard = lines(ours)
    while next(heard)["type"] != "ready":
        pass
    filler = json.dumps({"type": "ping", "id": "x" * 1000}).encode() + b"\n"
    process.stdin.write(filler * 200)  # their replies fill the pipe
    process.stdin.flush()
    for rows in range(2, 12):
        save(path, document(rows, table=f"t{rows % 3}"))
        wait_until(
            lambda rows=rows: (
                query(mirror_of(path), "SELECT rows FROM _mirror_tables")  # type: ignore[misc]
                == [(rows,)]
            ),
            "the mirror",
        )
    news: list[dict[str, Any]] = []
    while not news or news[-1]["rows"] != 11:
        event = next(heard)
        if event["type"] != "pong":
            news.append(event)
    assert len(news) <= 4
    assert {event["type"] for event in news} == {"rebuilt"}
    told = {name for event in news for name in event["changed"] + event["removed"]}
    assert told == {"notes", "t0", "t1", "t2"}
    process.stdin.close()
    assert process.wait(30) == 0
    os.close(ours)
