"""Compares two mirrors that must have the same content, cell by cell."""

from typing import Any

import apsw

from sidecar.mirror.identifiers import quote
from sidecar.mirror.sqlite_files import open_reader

_OURS = frozenset(("patches", "change_counter"))
"""Entries of ``_mirror`` about how the file was made; they may differ."""


def first_difference(path: str, other: str) -> str | None:
    """Compare tables, catalog, problems and digests of two mirrors; rowids and pages may differ.

    Returns:
        The first difference, None when there is none.
    """
    mine, theirs = _content(path), _content(other)
    if mine.keys() != theirs.keys():
        return f"tables: {sorted(mine)} and {sorted(theirs)}"
    for name, lines in mine.items():
        if lines != theirs[name]:
            pairs = zip(lines, theirs[name], strict=False)
            found = next((pair for pair in pairs if pair[0] != pair[1]), "a number of rows")
            return f"{name}: {found!r:.1000}"
    return None


def _content(path: str) -> dict[str, list[Any]]:
    reader = open_reader(path)
    try:
        tables: Any = reader.execute(_TABLES)
        return {name: [sql, *_lines(reader, name)] for name, sql in list(tables)}
    finally:
        reader.close(force=True)


def _lines(reader: apsw.Connection, table: str) -> list[Any]:
    found: Any = reader.execute(f"SELECT * FROM {quote(table)}")
    lines = [line for line in found if table != "_mirror" or line[0] not in _OURS]
    return sorted(lines, key=repr) if table.startswith("_mirror") else lines


_TABLES = r"""
    SELECT name, sql FROM sqlite_schema AS found
    WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE '% fts5(%'
    AND NOT EXISTS (
        SELECT 1 FROM sqlite_schema AS an_index
        JOIN temp.json_each('["data", "idx", "content", "docsize", "config"]') AS shadow
        WHERE an_index.sql LIKE '% fts5(%' AND found.name = an_index.name || '_' || shadow.value
    )
"""
"""All tables except full-text indexes and their shadow tables."""
