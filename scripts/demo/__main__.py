"""``make demo``: the real program follows a sample app while another process edits its document.

Ends by itself: 0 when every event and every SQL result was as it should be, 1 when not.
"""

import os
import subprocess
import sys
import time

from scripts.children import SECONDS, ChildError, NodeWriter, Watch, program
from scripts.demo.screen import Screen
from scripts.demo.stage import (
    STUDIO,
    Demo,
    DemoError,
    check,
    open_writer,
    own_state,
    sample_app,
)

TAGS = """\
SELECT value AS tag, count(*) AS projects, sum(hours) AS hours
     FROM projects, json_each(tags) GROUP BY tag ORDER BY tag"""
INVOICES = """\
SELECT i.number, c.city, i.total, i.paid FROM invoices AS i
     JOIN projects AS p ON p.id = i.project
     JOIN clients AS c ON c.id = p.client ORDER BY i.number"""
NOTE = "SELECT body FROM notes WHERE id = 'no-3'"
AUTHORS = "SELECT id, author, written FROM notes ORDER BY id"
PROBLEMS = "SELECT table_name, field, kind, rows, row_id FROM _mirror_problems"

NEW_INVOICE = {
    "project": "pr-tea-menu",
    "number": 104,
    "paid": False,
    "sent": None,
    "total": 390,
    "lines": [{"item": "Menu cards", "quantity": 6, "price": 65}],
}
TYPED = " A new one arrives on Thursday."
NOTES_WITH_AUTHOR = {
    "name": "Notes",
    "icon": "📝",
    "description": "Whatever must not be forgotten",
    "fields": {
        "id": {"type": "id"},
        "author": {"type": "text", "name": "Author"},
        "body": {"type": "ytext", "name": "Body"},
        "tags": {"type": "tags", "name": "Tags", "nullable": True},
        "pinned": {"type": "boolean", "name": "Pinned", "nullable": True},
        "written": {"type": "date", "name": "Written"},
    },
}


# ---------------------------------------------------------------- the steps


def first_pass(demo: Demo) -> None:
    """Start-up finds both workspaces and makes their mirrors."""
    demo.screen.step(
        1,
        "The program starts and catches up",
        "It finds every document and puts a tables.sqlite beside it.",
    )
    demo.screen.say(f"$ epicenter-sidecar watch --output ndjson {demo.app.name}", "dim")
    demo.wait("started")
    ready = demo.wait("ready")
    check("documents, rebuilt", (ready["documents"], ready["rebuilt"]), (2, 2))
    demo.show(TAGS, ("brand", 2, 58), ("print", 3, 98), ("signage", 1, 0), ("web", 1, 31))


def edit_cells(demo: Demo) -> None:
    """A cell changes and a row comes: the mirror follows."""
    by = "real Yjs in Node" if isinstance(demo.writer, NodeWriter) else "pycrdt, for want of Node"
    demo.screen.step(
        2,
        "In the app, one invoice is paid and another is written",
        f"Another process ({by}) edits the document and saves it.",
    )
    before = demo.query(INVOICES)
    demo.writer.edit(
        {"set": ["invoices", "in-0102", {"paid": True}]},
        {"set": ["invoices", "in-0104", NEW_INVOICE]},
    )
    demo.follow(
        INVOICES,
        (101, "Cork", 2730.0, 1),
        (102, "Galway", 1950.0, 1),
        (103, "Dublin", 1850.0, 0),
        (104, "Praha", 390.0, 0),
        before=before,
    )


def typing(demo: Demo) -> None:
    """Many saves in a row become one rebuild."""
    demo.screen.step(
        3,
        "Somebody types into a note",
        f"{len(TYPED)} letters: {len(TYPED)} times the whole file is truncated and rewritten.",
    )
    before = demo.query(NOTE)
    text = str(before.rows[0][0])
    letters = enumerate(TYPED, len(text))
    demo.writer.edit(*({"text": ["notes", "no-3", "body", at, key]} for at, key in letters))
    demo.follow(NOTE, (text + TYPED,), before=before)


def nothing_changed(demo: Demo) -> None:
    """A setting is no row: the mirror's file is left alone."""
    demo.screen.step(
        4, "A setting is saved, then the same content once more", "No row changes by that."
    )
    before = demo.mirror.stat()
    demo.writer.edit({"kv": ["theme", "light"]})
    demo.wait("unchanged", reason="content")
    demo.writer.save()
    demo.wait("unchanged", reason="bytes")
    after = demo.mirror.stat()
    inode_and_time = (after.st_ino, after.st_mtime_ns)
    check("inode and time of the mirror", inode_and_time, (before.st_ino, before.st_mtime_ns))
    demo.screen.say("The mirror was not touched: same inode, same time.")


def new_field(demo: Demo) -> None:
    """A changed definition alone rebuilds, and old rows keep their place."""
    demo.screen.step(
        5,
        "An update of the app gives notes a required author",
        "The rows written before have none. They stay, and the gap is written up.",
    )
    demo.writer.edit({"define": ["notes", NOTES_WITH_AUTHOR]})
    demo.wait("rebuilt", changed=["notes"])
    written = "2026-01-{}T09:00:00.000Z|Europe/Dublin"
    rows = [(f"no-{n}", None, written.format(18 + n)) for n in (1, 2, 3)]
    demo.show(AUTHORS, *rows)
    demo.show(PROBLEMS, ("notes", "author", "missing", 3, "no-1"))


def new_workspace(demo: Demo) -> None:
    """A workspace that appears while the program runs is mirrored too."""
    demo.screen.step(6, "The app makes a new workspace", "It is found as it appears.")
    document = demo.app / "workspaces" / "night-market" / "0" / "workspace.yjs"
    document.parent.mkdir(parents=True)
    with open_writer(document) as writer:
        writer.edit({"set": ["stalls", "s1", {"dish": "Dumplings", "price": 7.5}]}, saves="once")
        event = demo.wait("rebuilt", workspace="night-market")
    check("rows", event["rows"], 1)


def second_opinion(demo: Demo) -> None:
    """The program's own check, by a second way of reading, agrees with every mirror."""
    demo.screen.step(
        7,
        "Is all of that true?",
        "Every mirror is compared with its document, cell by cell, by other code.",
    )
    demo.screen.say(f"$ epicenter-sidecar verify {demo.app.name}", "dim")
    done = subprocess.run(
        [*program(), "verify", str(demo.app)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **own_state(demo.app), "PYTHONUTF8": "1"},
        timeout=SECONDS,
        check=False,
    )
    for line in (done.stdout + done.stderr).splitlines():
        demo.screen.say(line)
    check("exit code of verify", done.returncode, 0)


def stop(demo: Demo) -> None:
    """The end of stdin, all that a crashed host leaves behind, stops the program."""
    demo.screen.step(8, "The app goes away", "The end of its stdin tells the program to stop.")
    demo.watch.close_stdin()
    demo.wait("stopped", reason="stdin")
    check("exit code", demo.watch.wait(), 0)


STEPS = (
    first_pass,
    edit_cells,
    typing,
    nothing_changed,
    new_field,
    new_workspace,
    second_opinion,
    stop,
)

# ---------------------------------------------------------------- putting it together


def main() -> int:
    """Play the demo; say at the end whether all was well."""
    screen = Screen()
    started = time.monotonic()
    try:
        play(screen)
    except (DemoError, ChildError) as error:
        screen.end(f"The demo failed. {error}", good=False)
        return 1
    except KeyboardInterrupt:
        screen.end("Stopped half-way.", good=False)
        return 130
    screen.end(f"All as it should be, in {time.monotonic() - started:.0f} s.", good=True)
    screen.say("Your own app: make run ROOT=/path/to/app/data")
    return 0


def play(screen: Screen) -> None:
    """Run every step over a fresh copy of the sample app."""
    with sample_app() as app:
        screen.title("epicenter-sidecar: an app's Yjs documents as SQLite, live")
        screen.say("A small design studio runs on a Tauri app, whose data folder lies in")
        screen.say(str(app), "bold")
        writer = open_writer(app / STUDIO / "workspace.yjs")
        with writer, Watch(app, environment=own_state(app)) as watch:
            demo = Demo(screen, app, watch, writer)
            for step in STEPS:
                step(demo)


if __name__ == "__main__":
    sys.exit(main())
