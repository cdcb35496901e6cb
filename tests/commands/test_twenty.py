"""The reading commands on a realistic folder of twenty workspaces."""

import re

import pytest

from sidecar.commands.layout import width_of
from tests.support.program import run
from tests.support.terminal import needs_terminal, run_on_terminal
from tests.support.twenty import (
    BIG,
    BIG_ROWS,
    DELETED,
    EPOCHS,
    IDS,
    NAMES,
    Twenty,
    rows_of,
)

ALL = 22
"""Documents: one workspace has three epochs."""
LIVING = [n for n in range(20) if n not in DELETED]
CODES = re.compile(r"\x1b\[[0-9;]*m")


def assert_no_row_breaks(out: str, columns: int, state: str, count: int) -> None:
    """One line for each document, none wider than the terminal, with its full name and state."""
    header, *lines, summary = out.splitlines()
    assert len(lines) == count
    assert all(width_of(line) <= columns for line in (header, *lines))
    assert summary.startswith(f"{count} documents")
    assert all(state in line for line in lines)
    for number, (workspace, name) in enumerate(zip(IDS, NAMES, strict=True)):
        if number != BIG or count == ALL:
            assert any(workspace[:6] in line and workspace[-4:] in line for line in lines)
            assert any(name[:10] in line for line in lines)


@pytest.mark.parametrize("columns", [80, 100])
def test_no_row_of_status_breaks(columns: int, twenty: Twenty) -> None:
    """However long names and states are."""
    done = run("status", twenty.root, environment={"COLUMNS": str(columns)})
    assert done.code == 0
    assert_no_row_breaks(done.out, columns, "in_step", ALL)


@pytest.mark.parametrize("columns", [80, pytest.param(100, marks=pytest.mark.slow)])
def test_no_row_of_verify_breaks(columns: int, small_twenty: Twenty) -> None:
    """However long names and results are."""
    done = run("verify", small_twenty.root, environment={"COLUMNS": str(columns)})
    assert done.code == 0
    assert_no_row_breaks(done.out, columns, "equal", ALL - 1)


@pytest.mark.slow
def test_verify_of_twenty_with_the_big_one(twenty: Twenty) -> None:
    """The same with 30,000 rows."""
    done = run("verify", twenty.root, environment={"COLUMNS": "80"})
    assert done.code == 0
    assert_no_row_breaks(done.out, 80, "equal", ALL)


@needs_terminal
def test_piped_is_as_on_a_terminal(twenty: Twenty) -> None:
    """Except for colours, which NO_COLOR removes too."""
    wide = {"COLUMNS": "80"}
    piped = run("status", twenty.root, environment=wide).out
    _, seen = run_on_terminal("status", twenty.root, environment=wide)
    assert CODES.sub("", seen).replace("\r\n", "\n").strip().endswith(piped.strip())
    _, plain = run_on_terminal("status", twenty.root, environment={**wide, "NO_COLOR": "1"})
    lasting = plain.rpartition("\r\x1b[K")[2]  # behind the progress that a slow machine shows
    assert lasting.replace("\r\n", "\n").strip() == piped.strip()


def test_deleted_and_older_ones_are_marked_at_80(twenty: Twenty) -> None:
    """The column that distinguishes two lines is not omitted first."""
    out = run("status", twenty.root, environment={"COLUMNS": "80"}).out
    assert out.count("deleted") == len(DELETED)
    assert out.count("not current") == 2


def test_query_takes_the_living_and_current(twenty: Twenty) -> None:
    """Older epochs and deleted workspaces with --all, or by a PATH of their own."""
    sql = "SELECT _workspace, _workspace_name, _epoch, count(*) FROM notes GROUP BY 1, 3"
    rows = run("query", twenty.root, "--json", sql).json()["rows"]
    living = [n for n in LIVING if rows_of(n, "notes")]
    assert sorted(map(tuple, rows)) == sorted(
        (IDS[n], NAMES[n], 1 if n == EPOCHS else 0, rows_of(n, "notes")) for n in living
    )
    done = run(
        "query", twenty.root, "--all", "--json", "SELECT count(*) FROM _mirror WHERE key = 'format'"
    )
    assert done.json()["rows"] == [[22]]
    assert len(done.json()["sources"]) == 22
    oldest = twenty.workspaces[EPOCHS] / "0"
    done = run("query", oldest, "--json", "SELECT value FROM _mirror WHERE key = 'epoch'")
    assert done.json()["rows"] == [["0"]]
    gone = twenty.workspaces[DELETED[0]]
    assert run("query", gone, "SELECT 1").code == 0


def test_all_rows_of_the_big_one_come_as_csv(twenty: Twenty) -> None:
    """CSV has no limit; JSON has one, and reports it."""
    sql = "SELECT id, title FROM notes WHERE _workspace_name = 'Big' ORDER BY id"
    done = run("query", twenty.root, "--csv", sql)
    assert len(done.out.splitlines()) == BIG_ROWS + 1
    told = run("query", twenty.root, "--json", sql).json()
    assert (len(told["rows"]), told["truncated"]) == (1000, True)
