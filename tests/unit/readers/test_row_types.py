"""Row types in TypeScript compile, whatever an app calls its tables."""

from pathlib import Path

import pytest

from sidecar.readers.row_types import row_types
from sidecar.readers.schemas import grouped
from sidecar.reports import SchemaColumn, SchemaDocument, SchemaTable
from tests.support.typescript import CLIENTS, RunNode

DOCUMENT = SchemaDocument(
    workspace="w",
    epoch=0,
    path="/p",
    name=None,
    current=True,
    deleted=False,
    mirror="/m",
    mirror_mtime_ms=0,
    rows=0,
)


def table(name: str, *columns: tuple[str, str | None, str, bool]) -> SchemaTable:
    """A table with columns of name, kind, SQLite type and whether they may be NULL."""
    made = (
        SchemaColumn(n, k, s, null, None, "ends */ here\nor not", ["a'"])
        for n, k, s, null in columns
    )
    return SchemaTable(name, "Label */", None, 1, tuple(made))


HOSTILE = [
    table("notes", ("id", "id", "TEXT", False), ("n", "integer", "INTEGER", True)),
    table("due dates", ("it's", "text", "TEXT", False), ("a\nb", None, "", False)),
    table("Due-Dates", ("🌱", "tags", "TEXT", True), ("_extra", None, "TEXT", True)),
    table("1st", ("class", "boolean", "INTEGER", False), ("", "real", "REAL", False)),
    table("表", ("x", "json", "TEXT", False)),
    table("tables", ("\u2028", "text", "TEXT", False), ("</script>", "date", "TEXT", False)),
]


def test_types_follow_kinds() -> None:
    """With NULL if the column may be null."""
    text = row_types(grouped([(DOCUMENT, (HOSTILE[0],))]))
    assert "  id: string\n" in text
    assert "  n: number | null\n" in text


def test_a_column_that_one_mirror_lacks_may_be_null() -> None:
    """As in a query over both; with two kinds it is a union."""
    other = table("notes", ("id", "id", "TEXT", False), ("m", "text", "TEXT", False))
    third = table("notes", ("id", "id", "TEXT", False), ("n", "text", "TEXT", False))
    schemas = grouped([(DOCUMENT, (one,)) for one in (HOSTILE[0], other, third)])
    text = row_types(schemas)
    assert "  m: string | null\n" in text
    assert "  n: number | string | null\n" in text
    assert text.count("export interface Notes") == 1


@pytest.mark.medium
@pytest.mark.node
def test_hostile_names_compile(run_node: RunNode, tmp_path: Path) -> None:
    """No name or description can end a comment or a string."""
    (tmp_path / "rows.ts").write_text(row_types(grouped([(DOCUMENT, tuple(HOSTILE))])), "utf-8")
    compiler = CLIENTS / "node_modules" / "typescript" / "bin" / "tsc"
    quick = ("--skipLibCheck", "--lib", "es2022")  # others' declarations are theirs to check
    done = run_node(compiler, "--strict", "--noEmit", *quick, tmp_path / "rows.ts")
    assert done.returncode == 0, done.stdout
