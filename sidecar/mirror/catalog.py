"""Writes the catalog of a mirror, which people, agents and the next sync read."""

from collections.abc import Mapping, Sequence

import apsw
import msgspec

from sidecar.digests import digest_root, digest_tables
from sidecar.files import shown
from sidecar.javascript import dump_json
from sidecar.mirror.header import APPLICATION_ID
from sidecar.mirror.naming import EXTRA, ID
from sidecar.mirror.schema import Column
from sidecar.mirror.summaries import ChunkLine
from sidecar.model import Problem, Root, Source, Table, Workspace

FORMAT = 2
ROOTS = "_mirror_roots"
"""The table of roots; it can be in the list of changed tables."""

TABLES = """
CREATE TABLE _mirror (key TEXT NOT NULL PRIMARY KEY, value TEXT);
CREATE TABLE _mirror_tables (
  name TEXT NOT NULL PRIMARY KEY, source TEXT NOT NULL, label TEXT, description TEXT, icon TEXT,
  declared INTEGER NOT NULL, rows INTEGER NOT NULL, digest TEXT NOT NULL, layout TEXT NOT NULL
);
CREATE TABLE _mirror_columns (
  table_name TEXT NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, source TEXT, type TEXT,
  sqlite_type TEXT NOT NULL, nullable INTEGER NOT NULL, label TEXT, description TEXT, icon TEXT,
  options TEXT
);
CREATE TABLE _mirror_problems (
  table_name TEXT, field TEXT, kind TEXT NOT NULL, rows INTEGER NOT NULL, row_id TEXT, detail TEXT
);
CREATE TABLE _mirror_roots (
  name TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, layout TEXT, entries INTEGER NOT NULL,
  tables TEXT NOT NULL, text TEXT, digest TEXT
);
CREATE TABLE _mirror_chunks (
  table_name TEXT NOT NULL, first_id TEXT NOT NULL, rows INTEGER NOT NULL, digest TEXT NOT NULL,
  summary TEXT NOT NULL, PRIMARY KEY (table_name, first_id)
);
"""


class Built(msgspec.Struct, frozen=True):
    """One finished table.

    Attributes:
        name: In the mirror.
        table: The document's table.
        columns: Each column with its SQLite type and whether it may be null.
        rows: Number of rows.
        digest: Of its definition and rows.
        chunks: In the order of their ids.
    """

    name: str
    table: Table
    columns: Sequence[tuple[Column, str, bool]]
    rows: int
    digest: str
    chunks: Sequence[ChunkLine]


def identity(source: Source) -> dict[str, str | None]:
    """Return the entries of ``_mirror`` that identify the document."""
    return {
        "workspace": None if source.workspace is None else shown(source.workspace),
        "epoch": None if source.epoch is None else str(source.epoch),
    }


def problems_of(workspace: Workspace) -> dict[str, str]:
    """Return the entry of ``_mirror`` that lists the problems of the document as a whole.

    The problems of tables are part of their digests. Problems of reading the file are left out: a
    stale tail comes and goes without a change of the content.
    """
    found = [[p.kind, p.detail] for p in workspace.problems if p.kind != "unaccounted"]
    return {"document_problems": dump_json(found)}


def digest_roots(roots: Sequence[Root]) -> str:
    """Digest what all roots show beside their tables."""
    return digest_tables({root.name: digest for root in roots if (digest := digest_root(root))})


def write_catalog(
    connection: apsw.Connection,
    facts: Mapping[str, str | None],
    tables: Sequence[Built],
    problems: Sequence[Problem],
    roots: Sequence[Root],
) -> None:
    """Fill the catalog's tables, which exist and are empty.

    Args:
        connection: Inside the transaction that builds the mirror.
        facts: The entries of ``_mirror``.
        tables: All tables, in the order of their names.
        problems: All problems; ``table`` is the name in the mirror.
        roots: All roots.
    """
    connection.executemany("INSERT INTO _mirror VALUES (?,?)", sorted(facts.items()))
    connection.executemany(
        "INSERT INTO _mirror_tables VALUES (?,?,?,?,?,?,?,?,?)", map(_table_line, tables)
    )
    connection.executemany(
        "INSERT INTO _mirror_columns VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [line for built in tables for line in column_lines(built)],
    )
    connection.executemany(
        "INSERT INTO _mirror_chunks VALUES (?,?,?,?,?)",
        (
            (built.name, *msgspec.structs.astuple(chunk))
            for built in tables
            for chunk in built.chunks
        ),
    )
    connection.executemany(
        "INSERT INTO _mirror_problems VALUES (?,?,?,?,?,?)",
        [msgspec.structs.astuple(problem) for problem in problems],
    )
    connection.executemany(
        "INSERT INTO _mirror_roots VALUES (?,?,?,?,?,?,?)", _root_lines(roots, tables)
    )
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}")


def _table_line(built: Built) -> tuple[str | int | None, ...]:
    about = built.table.definition
    return (
        built.name,
        built.table.name,
        about.label if about else None,
        about.description if about else None,
        about.icon if about else None,
        int(built.table.declared is not None),
        built.rows,
        built.digest,
        built.table.layout,
    )


def _root_lines(
    roots: Sequence[Root], tables: Sequence[Built]
) -> list[tuple[str | int | None, ...]]:
    shown_in: dict[str, list[str]] = {}
    for built in tables:
        shown_in.setdefault(built.table.root, []).append(built.name)
    return [
        (
            root.name,
            root.kind,
            root.layout,
            root.entries,
            dump_json(shown_in.get(root.name, [])),
            root.text,
            digest_root(root),
        )
        for root in roots
    ]


def column_lines(built: Built) -> list[tuple[str | int | None, ...]]:
    """Return the rows of ``_mirror_columns`` for a table."""
    fields = built.table.declared or ()
    key = Column(ID, ID, next((field for field in fields if field.name == ID), None))
    all_columns = [(key, "TEXT", False), *built.columns, (Column(EXTRA, "", None), "TEXT", True)]
    return [
        (
            built.name,
            column.name,
            position,
            None if column.name == EXTRA else column.source,
            column.type,
            declared,
            int(nullable),
            *_about(column),
        )
        for position, (column, declared, nullable) in enumerate(all_columns)
    ]


def _about(column: Column) -> tuple[str | None, ...]:
    field = column.field
    if field is None:
        return None, None, None, None
    options = None if field.options is None else dump_json(field.options)
    return field.label, field.description, field.icon, options
