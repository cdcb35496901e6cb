"""A patched mirror equals one that is built from scratch, whatever was edited."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st
from msgspec.structs import replace
from pycrdt import Map

from sidecar.document.decode import decode
from sidecar.mirror.build import Candidate
from sidecar.mirror.patch import Patch, UnpatchableError, can_patch
from sidecar.mirror.row_changes import row_changes
from sidecar.mirror.state import read_mirror
from sidecar.model import Block, RowChanges, Table, Workspace
from tests.support.examples import examples
from tests.support.made import content, tables, update
from tests.support.mirrors import query

Rows = dict[str, dict[str, Any]]

FACTS = {
    "format": "2",
    "generator": "g",
    "layout": "maps",
    "options": '{"fts":[],"in_place":false,"tables":["auto"]}',
    "state_vector": "{}",
    "source_digest": "before",
}
Notes = dict[Any, Any] | None
"""What a process remembers of rows; None where nothing is."""

CHANGES: list[dict[str, RowChanges]] = []
"""What the last patch said of the rows that changed."""

PICKED: list[str] = []
"""Ids of the rows that patches have read."""

FIELDS = {"title": {"type": "text"}, "n": {"type": "integer"}, "tags": {"type": "tags"}}
INDEXES = ("t_fts", "other_fts")
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Each example builds two mirrors: making a failure smaller takes longer than reading it."""
CATALOG = ("_tables", "_columns", "_problems", "_roots", "_chunks")
MANY: Rows = {f"row {number}": {"title": f"t{number}", "n": number} for number in range(3000)}

IDS = st.one_of(st.sampled_from(["a", "b", "z"]), st.integers(0, 3300).map("row {}".format))
CELLS = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.text("xy", max_size=2),
    st.booleans(),
    st.sampled_from([1 << 60, 1.5, float("nan"), float("inf"), ["x"], b"x"]),
)
ROW = st.one_of(
    st.none(), st.dictionaries(st.sampled_from(["title", "n", "tags", "more"]), CELLS, max_size=3)
)


def document(rows: Rows, *, declared: bool) -> bytes:
    """Return a document with a table ``t`` of these rows, and another one."""
    roots: dict[str, Any] = {"tables": tables(t=rows, other={"x": {"n": 1}})}
    if declared:
        roots["definition"] = {"tables": Map({"t": {"fields": FIELDS}})}
    return update(**roots)


def picking(table: Table) -> Table:
    """Return a table whose rows can be walked again by their ids."""
    walked = list(table.blocks())

    def pick(ids: Sequence[str]) -> Block:
        wanted = set(ids)
        PICKED.extend(ids)
        places = [(block, n) for block in walked for n, i in enumerate(block.ids) if i in wanted]
        return Block(
            ids=[block.ids[n] for block, n in places],
            columns=[[b.columns[c][n] for b, n in places] for c in range(len(table.fields))],
            extras=[block.extras[n] for block, n in places],
            problems=[p for block in walked for p in block.problems if p.row_id in wanted],
        )

    return replace(table, pick=pick, blocks=lambda: iter(walked))


@contextmanager
def edited(data: bytes, ids: set[str], notes: Notes) -> Iterator[Workspace]:
    """Decode a document as if it were warm, with these rows edited since ``before``."""
    with decode(content(data), accept_trailing=True) as found:
        parts = [
            replace(picking(t), edited=frozenset(ids if t.name == "t" else ()))
            for t in found.tables
        ]
        yield replace(found, tables=tuple(parts), base="before", notes=notes)


def build(
    place: Path, data: bytes, fts: tuple[str, ...], facts: dict[str, str], notes: Notes = None
) -> Path:
    """Build a mirror from scratch."""
    with (
        decode(content(data), accept_trailing=True) as workspace,
        Candidate(str(place), mode=0o644, table_bytes=len(data)) as candidate,
    ):
        candidate.fill(replace(workspace, notes=notes))
        candidate.finish(facts, fts)
        Path(candidate.file.path).replace(place)
    return place


def patch(  # noqa: PLR0913 - what a test says
    place: Path,
    rows: Rows,
    ids: set[str],
    fts: tuple[str, ...] = (),
    *,
    declared: bool = True,
    digest: str = "after",
    notes: Notes = None,
) -> Path:
    """Patch the mirror at a place, and return the new one beside it."""
    base, facts = read_mirror(str(place)), {**FACTS, "source_digest": digest}
    with edited(document(rows, declared=declared), ids, notes) as workspace:
        assert can_patch(base, workspace, facts)
        with Patch(str(place), base, mode=0o644) as patched:
            patched.fill(workspace)
            patched.finish(facts, fts)
            CHANGES[:] = [patched.row_changes]
            target = place.with_name("patched")
            Path(patched.file.path).replace(target)
    return target


def assert_equal(patched: Path, scratch: Path) -> None:
    """Compare two mirrors: rows in their order, schema, catalog, indexes, header."""
    for mirror in (patched, scratch):
        assert query(mirror, "PRAGMA integrity_check") == [("ok",)]
    names = "SELECT name, sql FROM sqlite_schema ORDER BY name"
    assert query(patched, names) == query(scratch, names)
    for (table,) in query(scratch, "SELECT name FROM _mirror_tables"):
        for columns in ("*", "typeof(n)"):
            sql = f"SELECT {columns} FROM {table}"
            assert query(patched, sql) == query(scratch, sql)
    for index in INDEXES:
        if query(scratch, f"SELECT 1 FROM sqlite_schema WHERE name = '{index}'"):
            assert_equal_indexes(patched, scratch, index)
    for part in CATALOG:
        sql = f"SELECT * FROM _mirror{part} ORDER BY 1, 2, 3"
        assert query(patched, sql) == query(scratch, sql), part
    facts = "SELECT * FROM _mirror WHERE key <> 'patches' ORDER BY key"
    assert query(patched, facts) == query(scratch, facts)
    assert read_mirror(str(patched)).fault is None
    assert read_mirror(str(patched)).digests == read_mirror(str(scratch)).digests
    assert patched.read_bytes()[24:28] == patched.read_bytes()[92:96] == b"\0\0\0\1"


def assert_equal_indexes(patched: Path, scratch: Path, index: str) -> None:
    """Compare what two full-text indexes find, and have SQLite check the patched one."""
    with closing(sqlite3.connect(patched)) as connection:
        connection.execute(f"INSERT INTO {index}({index}, rank) VALUES ('integrity-check', 1)")
        connection.rollback()
    sql = (
        f"SELECT id, round(rank, 9) FROM {index} JOIN {index[:-4]} AS t ON t.rowid = {index}.rowid"
    )
    for word in ("x*", "y*", "t7", "other", "new", "t*"):
        found = f"{sql} WHERE {index} MATCH '{word}' ORDER BY id"
        assert query(patched, found) == query(scratch, found)


@examples(200, phases=PHASES)
@given(
    size=st.sampled_from([0, 1, 40, len(MANY)]),
    rounds=st.lists(st.dictionaries(IDS, ROW, max_size=6), min_size=1, max_size=3),
    declared=st.booleans(),
    fts=st.sampled_from([(), ("*",)]),
    remembers=st.booleans(),
)
def test_a_patch_equals_a_build_from_scratch(  # noqa: PLR0913, PLR0917 - as Hypothesis gives it
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    rounds: list[dict[str, dict[str, Any] | None]],
    declared: bool,  # noqa: FBT001 - Hypothesis passes by name
    fts: tuple[str, ...],
    remembers: bool,  # noqa: FBT001
) -> None:
    """Rows that change, come and go, at boundaries of chunks too; or it says that it cannot."""
    folder, rows = tmp_path_factory.mktemp("patch"), dict(list(MANY.items())[:size])
    notes: Notes = {} if remembers else None
    place = build(folder / "tables", document(rows, declared=declared), fts, FACTS, notes)
    for edits in rounds:
        rows = {i: row for i, row in {**rows, **edits}.items() if row is not None}
        last = place.with_name("last")
        shutil.copy(place, last)
        try:
            patch(
                place, rows, {*edits}, fts, declared=declared, digest="before", notes=notes
            ).replace(place)
        except UnpatchableError:
            assert {path.name for path in folder.iterdir()} == {"last", "tables"}
            return
    scratch = build(folder / "scratch", document(rows, declared=declared), fts, FACTS)
    assert_equal(place, scratch)
    told = row_changes(str(last), str(scratch), ["t"], {})
    assert told == {"t": CHANGES[0].get("t", told and told["t"])}


@pytest.mark.parametrize("remembers", [True, False])
def test_rows_with_problems_are_remembered_as_others_are(
    tmp_path: Path, *, remembers: bool
) -> None:
    """An edit reads the edited rows alone, though all rows of their chunk lack a declared field."""
    rows: Rows = {**MANY, "row 7": {"title": 1, "n": 1 << 60}}
    after: Rows = {**rows, "row 8": {"title": "other", "n": "none"}}
    notes: Notes = {} if remembers else None
    place = build(tmp_path / "tables", document(rows, declared=True), (), FACTS, notes)
    PICKED.clear()
    patched = patch(place, after, {"row 8"}, notes=notes)
    assert (PICKED == ["row 8"]) is remembers
    facts = {**FACTS, "source_digest": "after"}
    assert_equal(patched, build(tmp_path / "scratch", document(after, declared=True), (), facts))


@pytest.mark.medium
@pytest.mark.parametrize(
    ("fts", "remembers"),
    [
        ((), True),
        (("t.title",), False),
        pytest.param((), False, marks=pytest.mark.slow),
        pytest.param(("t.title",), True, marks=pytest.mark.slow),
    ],
)
def test_the_usual_edits_are_patched(
    tmp_path: Path, fts: tuple[str, ...], *, remembers: bool
) -> None:
    """One cell, one row more, one row less: no build from scratch for any of them."""
    ids = list(MANY)
    notes: Notes = {} if remembers else None
    place = build(tmp_path / "tables", document(MANY, declared=True), fts, FACTS, notes)
    states: tuple[Rows, ...] = (
        {**MANY, ids[7]: {"title": "other", "n": 7}},
        {**MANY, "row 5000": {"title": "new", "n": 0}},
        {i: row for i, row in MANY.items() if i != ids[9]},
        {**MANY, ids[7]: {"title": None, "n": "no number"}},
    )
    for number, after in enumerate(states):
        data = document(after, declared=True)
        changed = {i for i in {*MANY, *after} if MANY.get(i) != after.get(i)}
        patched = patch(place, after, changed, fts, notes=notes)
        scratch = build(tmp_path / f"{number}", data, fts, {**FACTS, "source_digest": "after"})
        assert_equal(patched, scratch)


def test_what_was_deleted_is_gone_from_the_file(tmp_path: Path) -> None:
    """Neither in the free space of a page nor in the index."""
    secret = {"title": "correcthorsebatterystaple", "n": 1}
    place = build(
        tmp_path / "tables", document({**MANY, "s": secret}, declared=True), ("*",), FACTS
    )
    assert b"correcthorse" in place.read_bytes()
    patched = patch(place, MANY, {"s"}, ("*",))
    assert b"correcthorse" not in patched.read_bytes()


def test_many_rows_at_one_place(tmp_path: Path) -> None:
    """Until there is no rowid left between two others: then it is said."""
    rows: Rows = {"a": {"n": 1}, "b": {"n": 1}}
    place = build(tmp_path / "tables", document(rows, declared=True), (), FACTS)
    names = ["a" * length for length in range(2, 40)]
    done: list[str] = []
    with pytest.raises(UnpatchableError, match="no rowid left"):  # noqa: PT012 - which one it is
        for name in names:
            rows[name] = {"n": 2}
            patch(place, rows, {name}, digest="before").replace(place)
            done.append(name)
    assert len(done) > 10
    assert query(place, "SELECT id FROM t") == [(i,) for i in sorted(["a", "b", *done])]
