"""``query``: the command as people, scripts and agents use it."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from sidecar.commands.layout import width_of
from tests.support.documents import document
from tests.support.program import program, run
from tests.support.terminal import needs_terminal, run_on_terminal

ENDLESS = "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r"
HANGING = "SELECT instr(printf('%.*c', 200000000, 'a'), printf('%.*c', 100000000, 'a') || 'b')"
"""One function of SQLite's that works for hours and asks nobody whether it shall go on."""

CODES = re.compile(r"\x1b\[[0-9;]*m")


def test_json_is_the_documented_shape(app: Path) -> None:
    """Columns, rows, and the age and state of each mirror."""
    done = run("query", app, "--json", "SELECT id, budget, NULL AS n FROM projects ORDER BY id")
    assert (done.code, done.err) == (0, "")
    told = done.json()
    assert list(told) == ["v", "columns", "rows", "truncated", "sources"]
    assert (told["v"], told["columns"], told["truncated"]) == (1, ["id", "budget", "n"], False)
    assert told["rows"][0] == ["pr-bakery-brand", 8400, None]
    assert [(one["workspace"], one["epoch"], one["name"]) for one in told["sources"]] == [
        ("harvest-kitchen", 0, "Harvest Kitchen"),
        ("juniper-studio", 0, "Juniper Studio"),
    ]
    source = told["sources"][0]
    assert source["state"] == "in_step"
    assert source["path"].endswith("workspace.yjs")
    assert abs(source["mirror_mtime_ms"] / 1000 - time.time()) < 3600


def test_cells_lose_nothing(app: Path) -> None:
    """Bytes, wide integers and infinities are wrapped as everywhere."""
    sql = "SELECT x'00ff' AS b, 9223372036854775807 AS i, -9e999 AS r, 'ü\x1b' AS t, 1 AS b"
    (row,) = run("query", app, "--json", sql).json()["rows"]
    whole = [{"$bytes": "AP8="}, {"$int": "9223372036854775807"}, {"$real": "-Infinity"}]
    assert row == [*whole, "ü\x1b", 1]
    lines = run("query", app, "--ndjson", sql).out.splitlines()
    assert json.loads(lines[0]) == dict(zip(["b", "i", "r", "t", "b_2"], row, strict=True))
    assert lines[0].isascii()


def test_csv_tells_null_from_an_empty_text(app: Path) -> None:
    """Texts are quoted where needed."""
    sql = "SELECT NULL AS \"a,b\", '' AS e, 'x\"y' AS q, 'l1' || char(10) || 'l2' AS l, x'ff' AS b"
    done = run("query", app, "--csv", sql)
    assert done.out == '"a,b",e,q,l,b\n,"","x""y","l1\nl2",/w==\n'
    assert next(csv.reader(io.StringIO(done.out.split("\n", 1)[1]))) == [
        *("", "", 'x"y', "l1\nl2", "/w=="),
    ]


def test_table_shows_null_and_the_size_of_bytes(app: Path) -> None:
    """One row a line; the age of the mirror is on stderr."""
    done = run("query", app, "SELECT NULL AS n, x'00ff' AS b, 'a' || char(10) AS t, 7 AS i")
    assert done.out == "n     b          t    i\nNULL  (2 bytes)  a\\n  7\n"
    told = r"Juniper Studio \(juniper-studio/0\): in step, published (just now|\d+ min ago)"
    assert re.search(told, done.err)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["SELECT titel FROM projects"], 1, "did you mean title"),
        (["SELECT * FROM project"], 1, "did you mean projects"),
        (["DELETE FROM projects"], 1, "cannot modify"),
        (["ATTACH 'x' AS y"], 1, "nothing but reading"),
        (["SELECT 1; SELECT 2"], 1, "more than one statement"),
        ([], 2, "which SQL?"),
        ([""], 2, "SQL is empty"),
        (["SELECT 1", "--limit", "0"], 2, "--limit"),
        (["SELECT 1", "--max-seconds", "-1"], 2, "--max-seconds"),
        (["SELECT 1", "--max-seconds", "nan"], 2, "--max-seconds"),
        (["nowhere", "SELECT 1"], 3, "does not exist"),
    ],
)
def test_what_cannot_be_answered(arguments: list[str], code: int, said: str, app: Path) -> None:
    """1 for wrong SQL, 2 for wrong usage, 3 for a wrong path, one line each."""
    done = run("query", app, *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_missing_mirrors_are_named(app: Path, studio: Path, tmp_path: Path) -> None:
    """The others are queried; if there is no other, it is a failure."""
    (studio / "tables.sqlite").unlink()
    done = run("query", app, "--json", "SELECT count(*) FROM _mirror_tables")
    assert (done.code, done.json()["rows"]) == (0, [[2]])
    assert [one["state"] for one in done.json()["sources"]] == ["in_step", "missing"]
    assert "has no mirror yet; run sync" in done.err
    assert run("query", studio, "SELECT 1").code == 1
    assert run("query", tmp_path / "app" / "workspaces" / "harvest-kitchen", "SELECT 1").code == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("query", empty, "SELECT 1")
    assert (done.code, "no documents" in done.err) == (1, True)


def test_sync_comes_first_when_asked_for(studio: Path) -> None:
    """Without it the old mirror is queried, and reported as out of date."""
    (studio / "workspace.yjs").write_bytes(document(5))
    done = run("query", studio, "SELECT count(*) FROM projects")
    assert done.out.split()[-1] == "5"
    assert "its document has changed since" in done.err
    done = run("query", studio, "--sync", "SELECT count(*) FROM notes")
    assert (done.code, done.out.split()[-1]) == (0, "5")
    assert "in step" in done.err


def test_sql_from_stdin_and_root_from_the_environment(app: Path) -> None:
    """As scripts like it."""
    where = {"SIDECAR_ROOT": str(app)}
    done = run("query", "-", "--csv", environment=where, stdin="SELECT count(*)\nFROM clients")
    assert done.out == "count(*)\n4\n"
    done = run("query", "SELECT 2 AS two", environment=where)
    assert done.out == "two\n  2\n"


def test_rows_are_cut_and_that_is_said(app: Path) -> None:
    """By ``--limit``, or by the default of the output format."""
    endless = ENDLESS.replace("count(*)", "x")
    done = run("query", app, "--json", "--limit", "3", endless)
    assert (done.json()["rows"], done.json()["truncated"]) == ([[1], [2], [3]], True)
    assert len(run("query", app, "--json", endless).json()["rows"]) == 1000
    done = run("query", app, "--ndjson", "--limit", "2", endless)
    assert (done.out, "--limit shows more" in done.err) == ('{"x":1}\n{"x":2}\n', True)


@pytest.mark.parametrize("sql", [ENDLESS, HANGING], ids=["endless", "hanging"])
def test_what_takes_too_long_is_ended(sql: str, app: Path) -> None:
    """Also inside a function of SQLite that cannot be interrupted."""
    done = run("query", app, "--max-seconds", "0.5", sql)
    assert (done.code, done.out) == (124, "")
    assert "took longer than 0.5 s" in done.err


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("sql", [ENDLESS, HANGING], ids=["endless", "hanging"])
def test_ctrl_c_ends_it(sql: str, app: Path) -> None:
    """At once, without a traceback."""
    marked = sql.replace("SELECT", "SELECT 'begun' UNION ALL SELECT", 1)
    if sql == ENDLESS:
        marked = sql.replace("SELECT count(*)", "SELECT 'begun' UNION ALL SELECT count(*)")
    process = subprocess.Popen(
        [*program(), "query", str(app), "--ndjson", marked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert b"begun" in process.stdout.readline()
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert time.monotonic() - begun < 10


def test_a_reader_that_leaves_is_no_traceback(app: Path) -> None:
    """As with ``head``."""
    process = subprocess.Popen(
        [*program(), "query", str(app), "--csv", ENDLESS.replace("count(*)", "x")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 1


def test_nothing_is_left_beside_a_mirror(app: Path, studio: Path) -> None:
    """A query creates and changes no file."""
    before = {path: path.stat().st_mtime_ns for path in studio.iterdir()}
    run("query", app, "SELECT * FROM notes ORDER BY body")
    run("query", studio / "tables.sqlite", "SELECT * FROM notes ORDER BY body")
    assert {path: path.stat().st_mtime_ns for path in studio.iterdir()} == before


@needs_terminal
def test_a_table_fits_the_terminal_and_cannot_steer_it(app: Path) -> None:
    """Cells are shortened, omitted columns are named, escape sequences are shown as text."""
    sql = "SELECT *, char(27) || '[2J' AS evil FROM projects"
    code, seen = run_on_terminal("query", app, sql, environment={"COLUMNS": "80"})
    assert code == 0
    assert all(width_of(line) <= 80 for line in CODES.sub("", seen).splitlines())
    assert "\x1b[2J" not in seen
    assert "no room for" in seen
    _, seen = run_on_terminal("query", app, "--csv", sql)
    assert "\x1b[2J" not in seen


@needs_terminal
def test_where_there_is_no_room_empty_columns_go_first(app: Path) -> None:
    """They tell nothing; then those at the end."""
    asked = "SELECT 'first', NULL AS void, 'x' AS one, 'y' AS two FROM recipes"
    _, seen = run_on_terminal("query", app, asked, environment={"COLUMNS": "18"})
    assert seen.split()[:3] == ["\x1b[1m'first'\x1b[0m", "\x1b[1mone\x1b[0m", "\x1b[1mtwo\x1b[0m"]


def test_mirrors_from_anywhere_answer_together(app: Path, studio: Path) -> None:
    """PATHs may be mirrors, documents and folders."""
    kitchen = app / "workspaces" / "harvest-kitchen" / "0" / "workspace.yjs"
    done = run(
        "query",
        studio / "tables.sqlite",
        kitchen,
        "--csv",
        "SELECT _workspace FROM _mirror WHERE key = 'format' ORDER BY 1",
    )
    assert done.out == "_workspace\nharvest-kitchen\njuniper-studio\n"


BOMBS = {
    "endless": ENDLESS,
    "doubling": "WITH RECURSIVE r (x) AS (SELECT 'a' UNION ALL SELECT x || x FROM r)"
    " SELECT max(length(x)) FROM r",
    "sort": "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 1000000000)"
    " SELECT x FROM r ORDER BY random()",
    "cross join": "SELECT count(*) FROM " + ", ".join(f"_mirror_columns AS t{n}" for n in range(9)),
    "zeroblob": "SELECT zeroblob(1000000000)",
    "printf": "SELECT printf('%.*c', 2000000000, 'x')",
    "many large": "SELECT " + ", ".join(["hex(zeroblob(20000000))"] * 40),
    "group_concat": "SELECT group_concat(hex(zeroblob(1000000))) FROM _mirror_columns AS a,"
    " _mirror_columns AS b, _mirror_columns AS c",
    "json_group_array": "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r)"
    " SELECT json_group_array(x) FROM r",
    "json_each": "SELECT count(*) FROM json_each('[' || replace(hex(zeroblob(20000000)), '0',"
    " '1,') || '1]') AS a, json_each('[1,2]')",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system tells no child's memory")
def test_a_bomb_takes_neither_the_time_nor_the_memory_of_the_machine(bomb: str, app: Path) -> None:
    """It ends with 1 or 124 in little more than its time, within 1.5 GB."""
    words = ["query", "--max-seconds", "0.4", str(app), BOMBS[bomb]]
    began = time.monotonic()
    with subprocess.Popen(
        [*program(), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {1, 124}
    assert time.monotonic() - began < 20
    assert used.ru_maxrss < 1536 * 1024  # kilobytes on Linux


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM sqlite_dbpage", "SELECT * FROM pragma_journal_mode('wal')"]
)
def test_nothing_of_sqlite_leads_round_the_tables(sql: str, app: Path) -> None:
    """Neither raw pages nor pragmas that change something, in the form of tables."""
    assert run("query", app, sql).code == 1


def test_one_mirror_is_asked_without_what_is_not_needed(studio: Path) -> None:
    """The decoder, what builds mirrors, and views are loaded by those who use them."""
    code = (
        "import sys; from sidecar.commands import main; "
        f"main(['query', {str(studio)!r}, 'SELECT 1']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sidecar.readers.query" in loaded
    for name in ("document.opened", "mirror.state", "mirror.catalog", "readers.views", "host"):
        assert f"sidecar.{name}" not in loaded, name
    assert not loaded & {"rich", "asyncio", "pycrdt", "watchfiles", "platformdirs"}
    assert not loaded & {"json", "shlex", "typing_extensions", "sqlite3"}


def test_a_mirror_is_named_without_what_writes_mirrors(studio: Path) -> None:
    """Asked by its own path, as by the folder of its document."""
    code = (
        "import sys; from sidecar.commands import main; "
        f"main(['query', {str(studio / 'tables.sqlite')!r}, 'SELECT 1']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sidecar.mirror.state", "sidecar.mirror.catalog"} & set(done.stdout.split())


def test_a_brief_command_ends_with_all_that_it_wrote(app: Path) -> None:
    """Its process ends without taking modules apart, and loses nothing on a pipe."""
    count = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 50000)"
    done = run("query", app, "--csv", f"{count} SELECT * FROM c")
    assert (done.code, len(done.out.splitlines())) == (0, 50001)
    assert "in step" in done.err
    assert run("query", app, "SELECT nothing").code == 1


@pytest.fixture
def shadowed(app: Path, studio: Path) -> Path:
    """An app whose document has tables that are called as functions of SQLite are."""
    doc: Doc[Any] = Doc()
    row = {"id": "a", "title": "paper bags", "odd": {"x": 1.0}}
    names = ("pragma_table_info", "pragma_table_xinfo", "json_each", "sqlite_master", "notes")
    with doc.transaction():
        doc["definition"] = Map(
            {"tables": {name: {"fields": {"title": {"type": "text"}}} for name in names}}
        )
        doc["tables"] = Map({name: Map({"a": Map(row)}) for name in names})
    (studio / "workspace.yjs").write_bytes(doc.get_update())
    assert run("sync", "--fts", app).code == 0
    return app


@pytest.mark.parametrize("is_one", [True, False])
def test_a_table_that_is_called_as_a_function_hides_nothing_from_us(
    shadowed: Path, studio: Path, *, is_one: bool
) -> None:
    """Whoever shares a document may make one: every reader goes on, with all it has to tell."""
    place = studio if is_one else shadowed
    told = run("query", place, "--json", 'SELECT title FROM "pragma_table_info"').json()
    assert told["rows"] == [["paper bags"]]
    assert run("query", place, "SELECT * FROM nowhere").err.count("the tables are") == 1
    schema = run("schema", place)
    assert (schema.code, schema.out.count("  _extra TEXT json: odd\n")) == (0, 5)
    assert len(run("search", place, "--json", "paper").json()["hits"]) >= 5
    assert run("verify", place).code == 0
    out = shadowed.parent / "all.sqlite"
    assert run("export", place, "--out", out).code == 0


def test_errors_are_json_with_a_code_of_their_own(app: Path) -> None:
    """Wrong SQL is no fault inside, and a query that takes too long is told on stdout too."""
    wrong = run("query", app, "--json", "SELECT nothing")
    assert (wrong.code, wrong.json()["error"]["code"]) == (1, "sql")
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    late = run("query", app, "--json", "--max-seconds", "0.2", endless)
    assert (late.code, late.json()["error"]["code"]) == (124, "timeout")
    assert late.json()["error"]["message"] in late.err
