"""What docs/reading.md shows of other people's programs works when it is pasted."""

import importlib.util
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts.nodejs import find_node
from tests.support.data import PROJECT
from tests.support.papers import blocks_of
from tests.support.program import program, run
from tests.support.systems import needs_package, needs_signals

BENCH = PROJECT / "scripts" / "bench"
EXTENSION = importlib.util.find_spec("duckdb_extension_sqlite_scanner")
needs_duckdb = pytest.mark.skipif(
    EXTENSION is None, reason="DuckDB's reader of SQLite is a package"
)


def open_duckdb() -> Any:
    """Open DuckDB with its reader of SQLite, where there is no internet."""
    import duckdb  # noqa: PLC0415 - where it is installed

    assert EXTENSION is not None
    (file,) = Path(str(EXTENSION.origin)).parent.rglob("*.duckdb_extension*")
    database = duckdb.connect()
    database.execute(f"LOAD '{file}'")
    return database


@needs_duckdb
def test_duckdb_reads_a_mirror_and_an_export(app: Path, studio: Path, tmp_path: Path) -> None:
    """Its SQL of the page counts each tag, and the next query sees a rebuild."""
    ((_, sql, _),) = blocks_of("reading.md", "sql duckdb")
    database = open_duckdb()
    attach, question = sql.replace("'tables.sqlite'", f"'{studio / 'tables.sqlite'}'").split(
        ";\n\n"
    )
    database.execute(attach)
    rows = database.execute(question).fetchall()
    assert dict(rows) == {"brand": 2, "print": 3, "signage": 1, "web": 1}
    out = tmp_path / "all.sqlite"
    assert run("export", app, "--out", out).code == 0
    database.execute(f"ATTACH '{out}' AS everything (TYPE sqlite, READ_ONLY)")
    found = database.execute(
        "SELECT _workspace_name, count(*) FROM everything.notes GROUP BY 1"
    ).fetchall()
    assert found == [("Juniper Studio", 3)]


def test_pandas_reads_a_mirror_and_an_export(app: Path, studio: Path, tmp_path: Path) -> None:
    """The lines of the page print the budget of each tag."""
    pd = pytest.importorskip("pandas")
    ((_, code, _),) = blocks_of("reading.md", "python pandas")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=studio,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^print +13280\.0$", done.stdout, re.MULTILINE), done.stdout
    out = tmp_path / "all.sqlite"
    assert run("export", app, "--out", out).code == 0
    with closing(sqlite3.connect(out)) as connection:
        frame = pd.read_sql("SELECT _workspace, total FROM invoices", connection)
    assert frame.groupby("_workspace")["total"].sum().to_dict() == {"juniper-studio": 6530.0}


@pytest.mark.skipif(
    not (BENCH / "node_modules" / "better-sqlite3").is_dir() or find_node() is None,
    reason="better-sqlite3 is not installed: npm ci in scripts/bench",
)
def test_better_sqlite3_prints_what_is_shown(studio: Path, tmp_path: Path) -> None:
    """With the file that ``protocol --better-sqlite3`` prints."""
    ((_, code, shown),) = blocks_of("reading.md", "js better-sqlite3")
    shutil.copy(studio / "tables.sqlite", tmp_path)
    (tmp_path / "mirror.mjs").write_text(run("protocol", "--better-sqlite3").out, "utf-8")
    (tmp_path / "main.mjs").write_text(code, "utf-8")
    (tmp_path / "node_modules").symlink_to(BENCH / "node_modules")
    done = subprocess.run(
        [str(find_node()), "main.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == shown.strip()


@needs_package("datasette")
@needs_package("mcp")
@needs_signals
def test_browse_and_mcp_start_as_shown(app: Path) -> None:
    """The first prints a link, the second answers its client."""
    line = next(
        line
        for line in (PROJECT / "docs" / "reading.md").read_text("utf-8").splitlines()
        if line.startswith("epicenter-sidecar browse ")
    )
    words = line.replace("~/.local/share/com.example.app", str(app)).split()
    with subprocess.Popen(
        [*program(), *words[1:], "--no-open"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    assert "`epicenter-sidecar mcp PATH`" in (PROJECT / "docs" / "agents.md").read_text(
        "utf-8"
    ).replace("\n", " ")
    with subprocess.Popen(
        [*program(), "mcp", str(app)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(hello) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert answer["result"]["serverInfo"]["name"] == "epicenter-sidecar"
        process.stdin.close()
    assert process.returncode == 0
