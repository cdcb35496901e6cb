"""Helpers that reopen mirrors: for better-sqlite3, and for tauri-plugin-sql in the client."""

import shutil
from pathlib import Path

import pytest

from tests.support.apps import document_path, mirror_of
from tests.support.data import PROJECT
from tests.support.documents import document, save
from tests.support.program import run, sync
from tests.support.typescript import CLIENTS, RunNode

HELPER = PROJECT / "sidecar" / "host" / "better-sqlite3.mjs"
BENCH = PROJECT / "scripts" / "bench"
needs_better_sqlite3 = pytest.mark.skipif(
    not (BENCH / "node_modules" / "better-sqlite3").is_dir(),
    reason="better-sqlite3 is not installed: npm ci in scripts/bench",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two mirrors to be published in turn."""
    path = document_path(tmp_path / "app")
    for name, rows in (("old.sqlite", 3), ("new.sqlite", 5)):
        save(path, document(rows))
        sync(path.parent)
        shutil.copy(mirror_of(path), tmp_path / name)
    return tmp_path


@needs_better_sqlite3
def test_the_helper_for_better_sqlite3_reads_the_newest_mirror(
    run_node: RunNode, folder: Path
) -> None:
    """Statements that are kept, iterators, transactions; no file stays open."""
    environment = {"MODULES": str(BENCH), "FOLDER": str(folder)}
    done = run_node("--test", CLIENTS / "better-sqlite3.test.mjs", **environment)
    assert done.returncode == 0, done.stdout


@needs_better_sqlite3
def test_the_helper_for_tauri_plugin_sql_reads_the_newest_mirror(
    run_node: RunNode, folder: Path
) -> None:
    """It closes and loads again after ``rebuilt``, and no question is lost meanwhile."""
    bundle = folder / "sql-mirror.test.mjs"
    made = run_node(CLIENTS / "bundle.mjs", "node", CLIENTS / "sql-mirror.test.ts", bundle)
    assert made.returncode == 0, made.stderr
    environment = {"MODULES": str(BENCH), "FOLDER": str(folder)}
    done = run_node("--test", bundle, **environment)
    assert done.returncode == 0, done.stdout


def test_the_helper_is_printed_as_it_is_tested() -> None:
    """``protocol --better-sqlite3`` prints the very file."""
    assert run("protocol", "--better-sqlite3").out == HELPER.read_text("utf-8")
