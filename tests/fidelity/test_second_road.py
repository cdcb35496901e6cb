"""`verify` would see it: one cell, one row, one line of the catalog that is not as it should be."""

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any

import pytest

from sidecar.document.opened import plain_update
from sidecar.document.reading import Content
from sidecar.reference.inspect import inspect_tables
from tests.fidelity.expect import CASES
from tests.fidelity.expect.compare import quoted
from tests.support.apps import place_by_name
from tests.support.data import ODDITIES
from tests.support.fresh_desk import FreshDesk
from tests.support.mirrors import open_mirror
from tests.support.program import run

_COUNTER, _VALID_FOR = 24, 92
Change = Callable[[Connection, str], object]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> FreshDesk:
    """One place for document and mirror, used again and again."""
    return FreshDesk(tmp_path_factory.mktemp("desk"))


def _change_cell(connection: Connection, name: str) -> None:
    column = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()[1][1]
    connection.execute(
        f"UPDATE {quoted(name)} SET {quoted(column)} = x'00'"
        f" WHERE id = (SELECT max(id) FROM {quoted(name)})"
    )


def _change_extra(connection: Connection, name: str) -> None:
    connection.execute(
        f"UPDATE {quoted(name)} SET _extra = '{{\"more\":1}}'"
        f" WHERE id = (SELECT min(id) FROM {quoted(name)})"
    )


def _remove_row(connection: Connection, name: str) -> None:
    connection.execute(
        f"DELETE FROM {quoted(name)} WHERE id = (SELECT max(id) FROM {quoted(name)})"
    )


def _add_row(connection: Connection, name: str) -> None:
    row = connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 1").fetchone()
    marks = ",".join("?" * len(row))
    connection.execute(f"INSERT INTO {quoted(name)} VALUES ({marks})", ("added", *row[1:]))


def _remove_table(connection: Connection, name: str) -> None:
    connection.execute(f"DROP TABLE {quoted(name)}")


CHANGES = (_change_cell, _change_extra, _remove_row, _add_row, _remove_table)


def _spoil(mirror: Path, name: str, change: Change) -> None:
    """Change a mirror so that only its content tells: the header stays as it was."""
    with closing(connect(mirror)) as connection, connection:
        change(connection, name)
    with mirror.open("r+b") as file:
        for offset in (_COUNTER, _VALID_FOR):
            file.seek(offset)
            file.write(struct.pack(">I", 1))


def _each_change() -> Iterator[Any]:
    """Yield each change of each case; `make test` has one of each case, in turn."""
    for number, case in enumerate(CASES):
        for place, change in enumerate(CHANGES):
            is_usual = place == number % len(CHANGES)
            yield pytest.param(case, change, marks=[] if is_usual else [pytest.mark.slow])


@pytest.mark.parametrize(("case", "change"), list(_each_change()))
def test_verify_sees_what_is_not_so(case: str, change: Change, desk: FreshDesk) -> None:
    """In every table of every case, whatever its names and cells, a false mirror is found out."""
    mirror = desk.mirror((ODDITIES / f"{case}.yjs").read_bytes())
    with open_mirror(mirror) as connection:
        tables = connection.execute("SELECT name FROM _mirror_tables WHERE rows > 0").fetchall()
    true, names = mirror.read_bytes(), {name for (name,) in tables}
    while names:  # all at once, and again those that do not fit in the list of differences
        mirror.write_bytes(true)
        for name in sorted(names):
            _spoil(mirror, name, change)
        verified = desk.verify()
        seen = {difference.table for difference in verified.differences}
        assert verified.result == "different"
        assert seen & names, names
        assert seen >= names or verified.total > len(verified.differences), names - seen
        names -= seen


@pytest.mark.parametrize("case", CASES)
def test_verify_finds_true_mirrors_equal(case: str, desk: FreshDesk) -> None:
    """A mirror that is as it should be is equal, and every cell was looked at."""
    mirror = desk.mirror((ODDITIES / f"{case}.yjs").read_bytes())
    with open_mirror(mirror) as connection:
        rows = connection.execute("SELECT total(rows) FROM _mirror_tables").fetchone()[0]
    verified = desk.verify()
    assert (verified.result, verified.integrity, verified.total) == ("equal", "ok", 0)
    assert verified.rows == rows


@pytest.mark.parametrize("case", CASES)
def test_inspect_counts_the_same_tables(case: str, desk: FreshDesk) -> None:
    """What `inspect` finds in the file is what the mirror shows of it."""
    update = (ODDITIES / f"{case}.yjs").read_bytes()
    with open_mirror(desk.mirror(update)) as connection:
        shown = connection.execute("SELECT source, rows, declared FROM _mirror_tables").fetchall()
    plain = plain_update(Content(update, len(update), "", 0))
    found = [(table.name, table.rows, int(table.declared)) for table in inspect_tables(plain)]
    assert sorted(found) == sorted(shown)


def test_document_that_cannot_be_decoded_is_said_and_looked_into(tmp_path: Path) -> None:
    """A document that ends inside a struct costs itself one clear failure, and no other one."""
    cut = tmp_path / "cut.yjs"
    cut.write_bytes((ODDITIES / "rows_nullable.yjs").read_bytes()[:-20])
    for document in (cut, ODDITIES / "rows_nullable.yjs"):
        place_by_name(document, tmp_path)
    done = run("sync", "--json", tmp_path / "workspaces")
    events = {event.get("workspace"): event for event in map(json.loads, done.out.splitlines())}
    assert done.code == 1
    assert events["cut"]["code"] == "undecodable"
    assert events["rows_nullable"]["type"] == "rebuilt"
    looked = run("inspect", "--json", cut)
    seen = json.loads(looked.out)
    assert looked.code == 1
    assert seen["code"] == "undecodable"
    assert {root["name"] for root in seen["roots"]} == {"definition", "tables"}
