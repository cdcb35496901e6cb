"""A whole new mirror from scratch, under a temporary name."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from pycrdt import Map

from sidecar.document.decode import decode
from sidecar.errors import MirrorUnavailableError
from sidecar.mirror.build import Candidate
from sidecar.mirror.sqlite_files import connect
from sidecar.model import ROWS_PER_BLOCK
from tests.support.made import content, tables, update
from tests.support.mirrors import query, read_problems, read_tables

FACTS = {"format": "2", "options": '{"fts":[]}', "state_vector": "{}"}


def build(
    mirror: Path,
    data: bytes,
    *,
    mode: int = 0o644,
    fts: tuple[str, ...] = (),
    look: Callable[[Candidate], None] = lambda _: None,
) -> Path:
    """Build a candidate, rename it to the mirror's path, and return the mirror."""
    with (
        decode(content(data), accept_trailing=True) as workspace,
        Candidate(str(mirror), mode=mode, table_bytes=len(data)) as candidate,
    ):
        candidate.fill(workspace)
        candidate.finish(FACTS, fts)
        look(candidate)
        Path(candidate.file.path).replace(mirror)
    return mirror


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """The path of a mirror."""
    return tmp_path / "tables.sqlite"


def columns(mirror: Path, table: str) -> list[str]:
    """Return name, type and NOT NULL of a table's columns."""
    return [
        f"{name} {kind}{' NOT NULL' if full else ''}".replace("  ", " ").strip()
        for name, kind, full in read_tables(mirror)[table].columns
    ]


def test_types_and_not_null_are_settled_by_the_rows(mirror: Path) -> None:
    """The schema has the types that follow from the rows, and the rows are unchanged."""
    fields = {
        "full": {"type": "text"},
        "gap": {"type": "integer"},
        "maybe": {"type": "real", "nullable": True},
    }
    rows: dict[str, Any] = {"a": {"full": "x", "gap": 1, "maybe": 1.5}, "b": {"full": "y"}}
    loose = {"a": {"n": 1, "mixed": 1}, "b": {"n": 0.5, "mixed": "x"}}
    definition = {"tables": {"t": {"fields": fields}}}
    build(mirror, update(definition=definition, tables=tables(t=rows, loose=loose)))
    assert columns(mirror, "t") == [
        "id TEXT NOT NULL",
        "full TEXT NOT NULL",
        "gap INTEGER",
        "maybe REAL",
        "_extra TEXT",
    ]
    assert columns(mirror, "loose") == ["id TEXT NOT NULL", "mixed", "n REAL", "_extra TEXT"]
    assert read_tables(mirror)["t"].rows == [("a", "x", 1, 1.5, None), ("b", "y", None, None, None)]
    assert query(mirror, "SELECT n FROM loose ORDER BY id") == [(1,), (0.5,)]
    assert read_problems(mirror) == {("t", "gap", "missing", 1, "b")}
    assert query(mirror, "PRAGMA integrity_check") == [("ok",)]


def test_a_not_null_that_stands_is_kept_by_sqlite(mirror: Path) -> None:
    """The edited schema is a real one: SQLite enforces it."""
    definition = {"tables": {"t": {"fields": {"s": {"type": "text"}}}}}
    build(mirror, update(definition=definition, tables=tables(t={"a": {"s": "x"}})))
    connection = apsw.Connection(str(mirror))
    with pytest.raises(apsw.ConstraintError):
        connection.execute("INSERT INTO t VALUES ('b', NULL, NULL)")
    connection.close()


def test_names_that_need_quoting(mirror: Path) -> None:
    """In tables and columns, in every statement of the build."""
    name = "a'b\"c; drop table x --"
    build(mirror, update(tables=tables(**{name: {"k'\"": {name: 1, "": 2}}})))
    assert read_tables(mirror)[name].rows == [("k'\"", 2, 1, None)]


def test_many_rows_and_many_tables(mirror: Path) -> None:
    """Over several chunks, in the order of their ids."""
    rows = {f"r{number}": {"n": number} for number in range(2 * ROWS_PER_BLOCK + 5)}
    build(mirror, update(tables=tables(t=rows, u={"only": {}})))
    ids = [row[0] for row in query(mirror, "SELECT id FROM t")]
    assert ids == sorted(rows)
    assert query(mirror, "SELECT name, rows FROM _mirror_tables ORDER BY name") == [
        ("t", len(rows)),
        ("u", 1),
    ]


@pytest.mark.parametrize(
    ("size", "page"), [(100, 4096), (1 << 19, 4096), ((1 << 20) + 1, 32768), (1 << 24, 32768)]
)
def test_large_tables_have_large_pages(mirror: Path, size: int, page: int) -> None:
    """Their build takes a quarter less time; small mirrors stay small."""
    with (
        decode(content(b"\0\0"), accept_trailing=False) as workspace,
        Candidate(str(mirror), mode=0o644, table_bytes=size) as candidate,
    ):
        candidate.fill(workspace)
        candidate.finish(FACTS, ())
        assert query(Path(candidate.file.path), "PRAGMA page_size") == [(page,)]


def test_the_header_of_a_fresh_mirror(mirror: Path) -> None:
    """One transaction and rollback mode, so that a write by another program is noticed."""
    build(mirror, update(tables=tables(t={"a": {"n": 1}})))
    header = mirror.read_bytes()[:100]
    assert header[24:28] == b"\0\0\0\1"
    assert header[18:20] == b"\1\1"
    assert header[68:72] == bytes.fromhex("59534d31")
    assert header[60:64] == b"\0\0\0\2"


def test_equal_documents_give_equal_files(mirror: Path) -> None:
    """Byte for byte, whatever the order of their maps."""
    row = {"a": 1, "b": {"x": 1, "y": 2}}
    swapped = {"b": {"y": 2, "x": 1}, "a": 1}
    first = build(mirror, update(tables=tables(t={"k": row, "l": row}))).read_bytes()
    second = build(mirror, update(tables=tables(t={"l": swapped, "k": swapped}))).read_bytes()
    assert first == second


def test_the_catalog_tells_the_users_words(mirror: Path) -> None:
    """Labels, descriptions, icons, options, sources, positions."""
    field = {"type": "select", "name": "State", "icon": "i", "description": "d", "options": ["x"]}
    about = {"name": "Things", "description": "All", "icon": "box", "fields": Map({"S\0": field})}
    data = update(definition={"tables": Map({"sqlite_t": Map(about)})}, tables=tables(sqlite_t={}))
    build(mirror, data)
    assert query(
        mirror, "SELECT name, source, label, description, icon, declared, rows FROM _mirror_tables"
    ) == [("_sqlite_t", "sqlite_t", "Things", "All", "box", 1, 0)]
    found = query(mirror, "SELECT * FROM _mirror_columns ORDER BY position")
    key, shown, extra = found
    assert key[:7] == ("_sqlite_t", "id", 0, "id", None, "TEXT", 0)
    assert shown[:7] == ("_sqlite_t", "S\ufffd", 1, "S\0", "select", "TEXT", 0)
    assert shown[7:] == ("State", "d", "i", '["x"]')
    assert extra[:7] == ("_sqlite_t", "_extra", 2, None, None, "TEXT", 1)
    assert {problem[2] for problem in read_problems(mirror)} == {"name"}


def test_what_is_not_published_is_removed(mirror: Path) -> None:
    """Leaving the context without a rename leaves nothing, with or without an error."""
    data = update(tables=tables(t={"a": {"n": 1}}))
    with (
        decode(content(data), accept_trailing=False) as workspace,
        Candidate(str(mirror), mode=0o644, table_bytes=1) as candidate,
    ):
        candidate.fill(workspace)
        assert candidate.rows == 1
        assert list(candidate.digests) == ["t"]
    with (
        pytest.raises(RuntimeError),
        Candidate(str(mirror), mode=0o644, table_bytes=1),
    ):
        raise RuntimeError
    assert list(mirror.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_the_file_has_the_permissions_it_is_given(mirror: Path, mode: int) -> None:
    """With any umask, and never wider during the build."""
    seen: list[int] = []
    before = os.umask(0o022)
    try:
        build(
            mirror,
            b"\0\0",
            mode=mode,
            look=lambda candidate: seen.append(
                stat.S_IMODE(Path(candidate.file.path).stat().st_mode)
            ),
        )
    finally:
        os.umask(before)
    assert seen == [mode]
    assert stat.S_IMODE(mirror.stat().st_mode) == mode


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The document's folder was removed: `gone`, and no file is made."""
    candidate = Candidate(str(tmp_path / "gone" / "tables.sqlite"), mode=0o644, table_bytes=1)
    with pytest.raises(MirrorUnavailableError) as caught, candidate:
        pytest.fail("there is no folder to build in")
    assert caught.value.code == "gone"
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_sqlite_does_not_take(tmp_path: Path) -> None:
    """It is reported, and no file is left in the folder."""
    folder = tmp_path.joinpath(*["x" * 200] * 3)
    folder.mkdir(parents=True)
    with pytest.raises(MirrorUnavailableError, match="480 bytes"):
        build(folder / "tables.sqlite", update(tables=tables(t={"a": {"s": "x"}})))
    assert list(folder.iterdir()) == []


def test_a_cell_larger_than_sqlite_takes_costs_that_cell(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses it, here with a lower limit than its own 1e9 bytes; other cells are kept."""

    def small(path: str, *, flags: int, locks: bool) -> apsw.Connection:
        connection = connect(path, flags=flags, locks=locks)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, 20_000)
        return connection

    monkeypatch.setattr("sidecar.mirror.build.connect", small)
    long = "x" * 15_000
    large = {1, 3}
    rows = {f"r{n}": {"a": "short", "b": long, "c": [long] if n in large else []} for n in range(5)}
    build(mirror, update(tables=tables(t=rows)))
    assert query(mirror, "SELECT id, length(a), length(b), length(c) FROM t ORDER BY id") == [
        (f"r{n}", 5, 15_000, None if n in large else 2) for n in range(5)
    ]
    assert read_problems(mirror) == {("t", "c", "too_large", 2, "r1")}
