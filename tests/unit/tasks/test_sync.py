"""One sync of one document: its decisions, its outcome, and what it does not change."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pycrdt import Array, Doc, Map, Text

from scripts.children import LineProcess
from sidecar.digests import digest_bytes
from sidecar.discovery import source_of
from sidecar.errors import ProtocolError
from sidecar.files import version_of
from sidecar.model import (
    Changes,
    Failed,
    Memory,
    Outcome,
    Rebuilt,
    RowChanges,
    RowIds,
    Source,
    Unchanged,
)
from sidecar.tasks.status import status
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.desk import FIELDS, Desk
from tests.unit.test_locks import HOLDER


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A synced document with two notes."""
    return Desk.with_two_notes(tmp_path / "w1" / "0")


def rebuilt(outcome: Outcome) -> Rebuilt:
    """Return an outcome that must be a rebuild."""
    assert isinstance(outcome, Rebuilt), outcome
    return outcome


def failed(outcome: Outcome) -> Failed:
    """Return an outcome that must be a failure."""
    assert isinstance(outcome, Failed), outcome
    return outcome


def again(desk: Desk, **how: Any) -> Outcome:
    """Sync the file as it is."""
    return sync(desk.source, desk.options, **how)


def test_the_first_sync(tmp_path: Path) -> None:
    """Everything is new."""
    desk = Desk(tmp_path / "w1" / "0")
    desk.put("notes", "a", title="One")
    outcome = rebuilt(desk.sync())
    assert (outcome.reason, outcome.changes) == ("missing", Changes(("notes",), ()))
    assert (outcome.rows, outcome.problems, outcome.regressed) == (1, 0, False)
    assert outcome.digest == digest_bytes(desk.document.read_bytes())
    assert outcome.collapse is None
    assert 0 <= outcome.ms < 60_000
    facts = dict(desk.query("SELECT key, value FROM _mirror"))
    assert (facts["workspace"], facts["epoch"], facts["layout"]) == ("w1", "0", "maps")


def test_equal_bytes_are_not_decoded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest in the mirror is enough."""

    def never(*_: object, **__: object) -> None:
        pytest.fail("it was decoded")

    monkeypatch.setattr("sidecar.tasks.sync.decoded", never)
    before = version_of(str(desk.mirror))
    outcome = again(desk)
    digest = digest_bytes(desk.document.read_bytes())
    assert outcome == Unchanged("bytes", digest, before)
    assert version_of(str(desk.mirror)) == before


def kv(desk: Desk) -> None:
    """Change content that is not a table."""
    desk.doc.get("kv", type=Map)["theme"] = "dark"


def equal_value(desk: Desk) -> None:
    """Set a cell to what it is."""
    desk.put("notes", "a", title="One")


def back_and_forth(desk: Desk) -> None:
    """Change a cell, and change it back."""
    desk.put("notes", "a", title="Other")
    desk.put("notes", "a", title="One")


@pytest.mark.parametrize("edit", [kv, equal_value, back_and_forth])
def test_equal_content_leaves_the_mirror_alone(desk: Desk, edit: Callable[[Desk], None]) -> None:
    """Other bytes, the same tables: the outcome has their digest, which the caller may remember."""
    before = version_of(str(desk.mirror))
    edit(desk)
    outcome = desk.sync()
    digest = digest_bytes(desk.document.read_bytes())
    assert outcome == Unchanged("content", digest, version_of(str(desk.mirror)))
    assert version_of(str(desk.mirror)) == before
    assert outcome.digest != dict(desk.query("SELECT key, value FROM _mirror"))["source_digest"]


def test_bytes_that_are_known_to_be_equal_are_not_decoded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remembered digest counts like the digest in the mirror."""
    kv(desk)
    known = desk.sync()
    assert isinstance(known, Unchanged)
    monkeypatch.setattr("sidecar.tasks.sync.decoded", None)
    there = version_of(str(desk.mirror))
    assert again(desk, memory=Memory(known=known.digest)) == Unchanged("bytes", known.digest, there)


def new_row(desk: Desk) -> None:
    """Add a row."""
    desk.put("notes", "c", title="Three")


def other_cell(desk: Desk) -> None:
    """Change a cell."""
    desk.put("notes", "a", title="Other")


def fewer_rows(desk: Desk) -> None:
    """Delete a row."""
    desk.drop("notes", "a")


def undeclared(desk: Desk) -> None:
    """Set an undeclared field."""
    desk.put("notes", "a", surplus=1)


def other_label(desk: Desk) -> None:
    """Change a definition and nothing else."""
    desk.define("notes", {**FIELDS, "title": {"type": "text", "name": "Other"}})


@pytest.mark.parametrize("edit", [new_row, other_cell, fewer_rows, undeclared, other_label])
def test_a_change_is_rebuilt(desk: Desk, edit: Callable[[Desk], None]) -> None:
    """Rows, cells, definitions, each alone."""
    edit(desk)
    outcome = rebuilt(desk.sync())
    assert (outcome.reason, outcome.changes) == ("changed", Changes(("notes",), ()))
    assert not outcome.regressed


def test_only_what_changed_is_told(desk: Desk) -> None:
    """New tables count as changed; removed ones are listed separately."""
    desk.define("tasks", FIELDS)
    desk.define("gone", FIELDS)
    assert rebuilt(desk.sync()).changes == Changes(("gone", "tasks"), ())
    del desk.doc.get("definition", type=Map)["tables"]["gone"]
    desk.put("tasks", "t", title="x")
    assert rebuilt(desk.sync()).changes == Changes(("tasks",), ("gone",))


def test_problems_count_as_content(tmp_path: Path) -> None:
    """An invalid entry changes no row, but it is recorded as a problem."""
    doc: Doc[Any] = Doc()
    entries: Array[Any] = Array([{"key": "a", "val": {"n": 1}, "ts": 1}])
    doc["table:notes"] = entries
    desk = Desk(tmp_path / "w1")
    desk.doc = doc
    assert rebuilt(desk.sync()).problems == 0
    entries.append("no entry")
    assert rebuilt(desk.sync()).problems == 1
    assert list(desk.query("SELECT kind, rows FROM _mirror_problems")) == [("entry", 1)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda desk: desk.mirror.unlink(), "missing"),
        (lambda desk: desk.tamper("DELETE FROM notes"), "damaged"),
        (lambda desk: desk.mirror.write_text("x"), "damaged"),
        (lambda desk: desk.tamper("PRAGMA application_id=1"), "foreign"),
        (lambda desk: desk.tamper("PRAGMA user_version=1"), "format"),
    ],
)
def test_a_mirror_that_cannot_be_believed_is_rebuilt(
    desk: Desk, damage: Callable[[Desk], None], reason: str
) -> None:
    """Although the document is the same; afterwards it is in step."""
    damage(desk)
    assert rebuilt(again(desk)).reason == reason
    assert isinstance(again(desk), Unchanged)
    assert len(list(desk.query("SELECT * FROM notes"))) == 2


def test_a_mirror_that_was_moved_gets_its_new_names(desk: Desk) -> None:
    """An app copies a workspace with everything in it: the bytes are the same, the names not."""
    folder = desk.document.parents[1]
    folder.rename(folder.with_name("copy"))
    source = source_of(str(folder.with_name("copy") / "0" / "workspace.yjs"))
    assert status(source, desk.options).state == "stale"
    assert verify(source, desk.options).result == "different"
    outcome = rebuilt(sync(source, desk.options))
    assert (outcome.reason, outcome.changes) == ("changed", Changes((), ()))
    assert status(source, desk.options).state == "in_step"
    assert verify(source, desk.options).result == "equal"
    assert isinstance(sync(source, desk.options), Unchanged)


def test_problems_of_the_whole_document_count_too(desk: Desk) -> None:
    """They belong to no table, so no digest has them; `status` looks at them as `sync` does."""
    desk.doc.get("definition", type=Map)["tables"] = "no map"
    desk.save()
    assert status(desk.source, desk.options).state == "stale"
    assert rebuilt(again(desk)).problems == 1
    assert status(desk.source, desk.options).state == "in_step"


def test_force_rebuilds_and_nothing_changed(desk: Desk) -> None:
    """The outcome has the reason, and no table."""
    outcome = rebuilt(again(desk, force=True))
    assert (outcome.reason, outcome.changes) == ("forced", Changes((), ()))


def test_indexes_are_a_reason_of_their_own(desk: Desk) -> None:
    """A flag adds them, no flag keeps them, ``none`` removes them."""
    indexed = msgspec.structs.replace(desk.options, fts=("*",))
    assert rebuilt(sync(desk.source, indexed)).reason == "options"
    assert isinstance(sync(desk.source, indexed), Unchanged)
    assert isinstance(again(desk), Unchanged)
    desk.put("notes", "a", title="Other")
    rebuilt(desk.sync())
    assert list(desk.query("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'other'")) == [
        (1,)
    ]
    without = msgspec.structs.replace(desk.options, fts=())
    assert rebuilt(sync(desk.source, without)).reason == "options"


def test_an_older_document_is_followed_and_told(desk: Desk) -> None:
    """Hosts write older states over newer ones; the mirror shows the present file."""
    older = desk.document.read_bytes()
    desk.put("notes", "c", title="Three")
    rebuilt(desk.sync())
    desk.document.write_bytes(older)
    outcome = rebuilt(again(desk))
    assert (outcome.regressed, outcome.rows) == (True, 2)


def test_a_stale_tail_is_accepted_once_the_file_has_rested(desk: Desk) -> None:
    """Until then it may be a file that is being written."""
    desk.put("notes", "c", title="Three")
    desk.document.write_bytes(desk.doc.get_update() + b"stale")
    assert failed(again(desk)).code == "torn"
    assert rebuilt(again(desk, rested=True)).problems == 1


@pytest.mark.parametrize(
    ("write", "code", "effect"),
    [
        (lambda path: path.unlink(), "gone", "gone"),
        (lambda path: path.write_bytes(b""), "empty", "retry"),
        (lambda path: path.write_bytes(bytes(99)), "torn", "retry"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "undecodable", "retry"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "foreign", "once"),
        (lambda path: path.write_bytes(b"\0" + b"\1x" * 9 + b"rest"), "v2", "retry"),
        (lambda path: (path.unlink(), path.mkdir()), "foreign", "once"),
    ],
)
def test_a_document_that_is_none_keeps_the_mirror(
    desk: Desk, write: Callable[[Path], object], code: str, effect: str
) -> None:
    """With a code and an effect for the caller."""
    before = version_of(str(desk.mirror))
    write(desk.document)
    outcome = failed(again(desk))
    assert (outcome.code, outcome.effect) == (code, effect)
    assert str(desk.document) in outcome.message or outcome.message
    assert (outcome.version is None) == (not desk.document.is_file())
    assert version_of(str(desk.mirror)) == before


def test_a_document_that_is_too_large(desk: Desk) -> None:
    """Reported once for this version; the limit is in the message."""
    desk.put("notes", "a", title="Other")
    desk.save()
    small = msgspec.structs.replace(desk.options, max_document_bytes=50)
    outcome = failed(sync(desk.source, small))
    assert (outcome.code, outcome.effect) == ("too_large", "once")
    assert "--max-document-mb" in outcome.message


def test_a_document_that_is_taken_is_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a while; then it is `locked`, and the retry is slow."""
    state = desk.options.state_folder
    with LineProcess(
        [sys.executable, "-c", HOLDER, state, "document", str(desk.document)]
    ) as holder:
        holder.receive()
        monkeypatch.setattr("sidecar.tasks.sync._LOCK_WAIT_S", 0.1)
        outcome = failed(again(desk))
        assert (outcome.code, outcome.effect) == ("locked", "slow")
        monkeypatch.setattr("sidecar.tasks.sync._LOCK_WAIT_S", 60.0)
        threading_end = subprocess.Popen(
            [sys.executable, "-c", f"import os; os.kill({holder.process.pid}, 9)"]
        )
        assert isinstance(again(desk), Unchanged)
        threading_end.wait()


def test_a_state_folder_that_cannot_be_used(desk: Desk, tmp_path: Path) -> None:
    """Without locks there is no sync."""
    (tmp_path / "file").write_text("x")
    options = msgspec.structs.replace(desk.options, state_folder=str(tmp_path / "file"))
    outcome = failed(sync(desk.source, options))
    assert (outcome.code, outcome.effect) == ("root", "slow")


def test_what_is_no_failure_of_files_is_raised(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug ends as a traceback; its candidate is still removed."""

    def bug(*_: object, **__: object) -> None:
        message = "a bug"
        raise ProtocolError(message)

    monkeypatch.setattr("sidecar.tasks.sync.publish", bug)
    with pytest.raises(ProtocolError):
        again(desk, force=True)
    assert sorted(path.name for path in desk.mirror.parent.iterdir()) == [
        "tables.sqlite",
        "workspace.yjs",
    ]


def test_a_document_beside_its_mirror_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """The source has the path of the mirror."""
    (tmp_path / "out").mkdir()
    elsewhere = Source(str(desk.document), str(tmp_path / "out" / "m.sqlite"), None, None)
    rebuilt(sync(elsewhere, desk.options))
    assert (tmp_path / "out" / "m.sqlite").read_bytes()[:15] == b"SQLite format 3"


def counted(outcome: Outcome) -> dict[str, tuple[int, int, int]] | None:
    """Return how many rows were added, changed and removed, by table."""
    found = rebuilt(outcome).rows_changed
    if found is None:
        return None
    return {table: (one.added, one.changed, one.removed) for table, one in found.items()}


def test_a_rebuild_says_how_many_rows_changed(desk: Desk) -> None:
    """Of each changed table; ids only where they were asked for."""
    desk.put("notes", "b", title="Other")
    desk.put("notes", "c", title="Three")
    desk.drop("notes", "a")
    outcome = rebuilt(desk.sync())
    assert counted(outcome) == {"notes": (1, 1, 1)}
    assert outcome.rows_changed is not None
    assert outcome.rows_changed["notes"].ids is None


def test_a_rebuild_says_which_rows_changed(desk: Desk) -> None:
    """With `--rows`; a new table has only new ones."""
    desk.options = msgspec.structs.replace(desk.options, row_ids=True)
    desk.put("notes", "b", title="Other")
    desk.define("more", FIELDS)
    desk.put("more", "z", title="Z")
    found = rebuilt(desk.sync()).rows_changed
    assert found == {
        "more": RowChanges(1, 0, 0, RowIds(("z",), (), (), truncated=False)),
        "notes": RowChanges(0, 1, 0, RowIds((), ("b",), (), truncated=False)),
    }


def test_rows_are_counted_where_nothing_or_only_the_definition_changed(desk: Desk) -> None:
    """All zero: no cell is another one."""
    desk.define("notes", {**FIELDS, "title": {"type": "text", "name": "Other"}})
    assert counted(desk.sync()) == {"notes": (0, 0, 0)}
    assert counted(again(desk, force=True)) == {}


@pytest.mark.parametrize("how", ["missing", "damaged", "format"])
def test_without_a_mirror_to_compare_with_nothing_is_counted(desk: Desk, how: str) -> None:
    """An invalid mirror is not compared."""
    if how == "missing":
        desk.mirror.unlink()
    else:
        desk.tamper("DELETE FROM notes" if how == "damaged" else "PRAGMA user_version=1")
    outcome = rebuilt(desk.sync())
    assert (outcome.reason, outcome.rows_changed) == (how, None)


def test_a_text_root_counts_like_a_table(desk: Desk) -> None:
    """Its text is in `_mirror_roots`, which is listed as changed."""
    desk.doc["body"] = Text("hello")
    assert rebuilt(desk.sync()).changes == Changes(("_mirror_roots",), ())
    desk.doc.get("body", type=Text).insert(0, "Oh, ")
    outcome = rebuilt(desk.sync())
    assert outcome.changes == Changes(("_mirror_roots",), ())
    assert counted(outcome) == {"_mirror_roots": (0, 1, 0)}
    assert ("body", "Oh, hello") in desk.query("SELECT name, text FROM _mirror_roots")
