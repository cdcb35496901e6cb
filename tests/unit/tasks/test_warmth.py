"""Syncs of one process that keeps its document: what they build on, checked against a fresh one."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Array, Doc, Map

from sidecar.document.warm import Warm, WarmDocument
from sidecar.model import Failed, Options, Rebuilt, RowChanges, Source, Unchanged
from sidecar.tasks.sync import sync
from tests.support.mirrors import query

ROWS = 1200


class App:
    """An app with an undeclared table of several chunks and a keyed array; each save is synced.

    Every mirror is compared with a build from scratch (``Warm(check=True)``).
    """

    def __init__(self, folder: Path, fts: tuple[str, ...] = ()) -> None:
        """Begin with a mirror that is in step."""
        self.doc: Doc[Any] = Doc()
        self.document = folder / "workspace.yjs"
        rows = {f"row {n}": Map({"id": f"row {n}", "title": f"t{n}", "n": n}) for n in range(ROWS)}
        self.doc["tables"] = Map({"notes": Map(rows)})
        self.rows["row 0"]["extra"] = 1
        self.doc["table:log"] = Array([{"key": f"k{n}", "val": {"n": n}} for n in range(ROWS)])
        self.warm = Warm(check=True)
        self.source = Source(str(self.document), str(folder / "tables.sqlite"), "w", 0)
        self.options = Options(str(folder / "state"), fts=fts)
        assert isinstance(self.save(), Rebuilt)

    @property
    def rows(self) -> Any:
        """The table."""
        return self.doc["tables"]["notes"]

    def save(self) -> Any:
        """Save and sync."""
        self.document.write_bytes(self.doc.get_update())
        return sync(self.source, self.options, warm=self.warm)

    def saved(self) -> dict[str, tuple[int, int, int]]:
        """Save, sync, expect the warm road and a patch; give the counts of each table."""
        before = self.patches()
        outcome = self.save()
        assert isinstance(outcome, Rebuilt)
        assert outcome.road == "warm"
        assert self.patches() == before + 1
        changes: dict[str, RowChanges] = outcome.rows_changed or {}
        return {name: (one.added, one.changed, one.removed) for name, one in changes.items()}

    def patches(self) -> int:
        """Return how often the mirror was patched."""
        facts = query(Path(self.source.mirror), "SELECT value FROM _mirror WHERE key = 'patches'")
        return int(facts[0][0])


pytestmark = pytest.mark.medium


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Return an app whose mirror is in step."""
    return App(tmp_path)


def test_nothing_in_a_mirror_but_digests_tell(app: App) -> None:
    """A field that holds null changes no digest: a mirror found equal is as one from scratch."""
    app.rows["row 7"]["extra"] = None
    assert isinstance(app.save(), Unchanged)
    app.rows[f"row {ROWS - 1}"]["title"] = "other"
    assert app.saved() == {"notes": (0, 1, 0)}


def test_edits_of_many_chunks_are_patched(app: App) -> None:
    """Rows that change, come and go all over two tables; fields that a row has or has no longer."""
    for number in range(0, ROWS, 40):
        app.rows[f"row {number}"]["title"] = f"edited {number}"
    assert app.saved() == {"notes": (0, ROWS // 40, 0)}
    for number in range(0, 300, 10):
        del app.rows[f"row {number}"]
        app.rows[f"row {number}b"] = Map({"id": f"row {number}b", "title": "x", "n": -1})
    app.rows["row 1"]["extra"] = 2
    assert app.saved() == {"notes": (30, 1, 30)}
    app.doc["table:log"].append({"key": "k5", "val": {"n": None}})
    app.doc["table:log"].append({"key": "new", "val": {"n": 1}})
    assert app.saved() == {"log": (1, 1, 0)}


def test_an_index_is_kept_in_step(tmp_path: Path) -> None:
    """A word that is typed is found, one that is gone is not, and stands nowhere in the file."""
    app = App(tmp_path, ("*",))
    mirror = tmp_path / "tables.sqlite"
    app.rows["row 5"]["title"] = "correcthorsebattery staple"
    assert app.saved() == {"notes": (0, 1, 0)}
    find = "SELECT rowid >> 20 FROM notes_fts WHERE notes_fts MATCH 'correcthorsebattery'"
    assert len(query(mirror, find)) == 1
    app.rows["row 5"]["title"] = "t5"
    assert app.saved() == {"notes": (0, 1, 0)}
    assert query(mirror, find) == []
    assert b"correcthorse" not in mirror.read_bytes()


def test_a_bug_of_the_warm_road_costs_a_fresh_decode(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is written to stderr, for the log, and the mirror is right."""
    app.warm.check = False
    with monkeypatch.context() as patch:
        patch.setattr("sidecar.document.warm.cut", lambda _old, data: data.missing)
        app.rows["row 5"]["title"] = "edited"
        outcome = app.save()
    assert isinstance(outcome, Rebuilt)
    assert not outcome.warm
    assert "AttributeError" in capfd.readouterr().err
    app.rows["row 6"]["title"] = "edited"
    assert app.saved() == {"notes": (0, 1, 0)}


def test_an_emptied_root_that_fills_up_while_the_document_is_warm(tmp_path: Path) -> None:
    """A long array can only be read when it was caught: the document is decoded afresh."""
    app = App(tmp_path)
    app.doc["others"] = Array([1])
    app.save()
    app.doc["others"].clear()
    app.save()
    assert isinstance(app.save(), Unchanged)
    app.doc["others"].extend([{"n": n} for n in range(400)])
    outcome = app.save()
    assert isinstance(outcome, Rebuilt)
    assert not outcome.warm
    mirror = tmp_path / "tables.sqlite"
    assert query(mirror, "SELECT count(*) FROM others") == [(400,)]
    assert query(mirror, "SELECT kind, entries FROM _mirror_roots WHERE name = 'others'") == [
        ("array", 400)
    ]


def test_settings_that_come_and_go_while_the_document_is_warm(tmp_path: Path) -> None:
    """The kind of their root follows; each mirror is compared with one from scratch."""
    app = App(tmp_path)
    kinds: list[Any] = []
    app.doc["kv"] = Map({"theme": "dark"})
    for edit in (None, "clear", "fill", "more"):
        if edit == "clear":
            del app.doc["kv"]["theme"]
        elif edit is not None:
            app.doc["kv"][edit] = 1
        app.rows["row 5"]["title"] = f"edited, then {edit}"
        app.save()
        found = "SELECT kind, entries FROM _mirror_roots WHERE name = 'kv'"
        kinds += query(tmp_path / "tables.sqlite", found)
    assert kinds == [("map", 1), ("unknown", 0), ("map", 1), ("map", 2)]


def test_settings_that_are_an_array_while_the_document_is_warm(tmp_path: Path) -> None:
    """Such a root has no entries that could be heard of."""
    app = App(tmp_path)
    kinds: list[Any] = []
    app.doc["kv"] = Array([1, 2])
    for edit in (None, app.doc["kv"].clear, lambda: app.doc["kv"].append({"a": 1})):
        if edit is not None:
            edit()
        app.rows["row 5"]["title"] = f"edited {len(kinds)}"
        app.save()
        found = "SELECT kind, entries FROM _mirror_roots WHERE name = 'kv'"
        kinds += query(tmp_path / "tables.sqlite", found)
    assert kinds == [("array", 2), ("unknown", 0), ("array", 1)]


def kept() -> int:
    """Count the documents that are kept in this process, garbage that waits included."""
    return sum(isinstance(found, WarmDocument) for found in gc.get_objects())


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Run as workers do: garbage in circles is never looked for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_document_that_is_decoded_afresh_takes_the_place_of_the_old_one(app: App) -> None:
    """It was never freed: each decode of a document of 30 MB took 450 MB more."""
    before = kept()
    for name in ("kv", "definition", "other"):  # a new root is decoded afresh
        app.doc[name] = Map({"a": 1})
        app.save()
        assert not app.warm.is_road
    assert kept() <= before
    app.warm.drop()
    assert kept() < before


def test_the_beginning_of_a_file_costs_nothing_but_another_try(app: App) -> None:
    """An app writes while it is read: what is kept waits for the rest, at any length."""
    app.rows["row 1"]["title"] = "new"
    whole = app.doc.get_update()
    for size in (1, 7, len(whole) // 3, len(whole) - 1):
        app.document.write_bytes(whole[:size])
        outcome = sync(app.source, app.options, warm=app.warm)
        assert isinstance(outcome, Failed), outcome
        assert outcome.code == "torn"
        assert app.warm.is_kept
    assert app.saved() == {"notes": (0, 1, 0)}


@pytest.mark.parametrize(
    ("data", "code"), [(b"\x89PNG\r\n\x1a\n\0\0\0", "foreign"), (b"\0" * 99, "torn")]
)
def test_what_is_no_document_is_called_so_beside_a_kept_one_too(
    app: App, data: bytes, code: str
) -> None:
    """As it is without one: another program's file, and the zeros that a crash leaves."""
    app.document.write_bytes(data)
    outcome = sync(app.source, app.options, warm=app.warm)
    assert isinstance(outcome, Failed)
    assert outcome.code == code


def test_the_beginning_of_a_file_at_rest_is_looked_at_afresh(app: App) -> None:
    """Nothing is taken for granted of what will not become whole by itself."""
    app.rows["row 1"]["title"] = "new"
    app.document.write_bytes(app.doc.get_update()[:-7])
    outcome = sync(app.source, app.options, rested=True, warm=app.warm)
    assert isinstance(outcome, Failed)
    assert not app.warm.is_kept
    app.save()
    assert not app.warm.is_road
    app.rows["row 1"]["title"] = "newer"
    assert app.saved() == {"notes": (0, 1, 0)}
