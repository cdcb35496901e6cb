"""Compares the catalogs of two mirrors whose tables are equal."""

import json
from typing import Any

import apsw

from sidecar.mirror.describe import reading
from sidecar.reference.compare import Comparison

_OWN_FACTS = {"change_counter", "generator", "patches"}
"""What a mirror says of its own making."""
_FACTS_OF_BYTES = {"layout", "source_bytes", "source_digest", "state_vector"}
"""What may change without a change in any table."""
_FACTS = "SELECT key, value FROM _mirror"
_DIGESTS = "SELECT name, digest FROM _mirror_tables"
_CHUNKS = "SELECT table_name, first_id, rows, digest, summary FROM _mirror_chunks"
_ROOTS = (
    "SELECT name, kind, layout, tables, text, digest FROM _mirror_roots WHERE digest IS NOT NULL"
)
_ROOTS_OF_BYTES = "SELECT name, kind, layout, entries, tables, text, digest FROM _mirror_roots"
_SCHEMA = "SELECT name, sql FROM sqlite_schema"
_PROBLEMS = (
    "SELECT table_name, field, kind, rows, row_id, detail"
    " FROM _mirror_problems WHERE kind <> 'unaccounted'"
)


def compare_catalogs(found: Comparison, path: str, fresh: str, *, same_bytes: bool) -> None:
    """Compare problems, digests and facts of two mirrors whose tables are equal.

    Where another version of the program built the mirror, its words may differ: nothing is said.

    Args:
        found: Gets the differences.
        path: The mirror.
        fresh: A mirror that was built from the same content just now.
        same_bytes: Whether it was also built from the same bytes.
    """
    with reading(fresh) as other, reading(path) as connection:
        expected, facts = _pairs(other, _FACTS), _pairs(connection, _FACTS)
        if facts.get("generator") != expected["generator"]:
            return
        for name in sorted(
            expected.keys() - _OWN_FACTS - (set() if same_bytes else _FACTS_OF_BYTES)
        ):
            if facts.get(name) != expected[name]:
                found.note("_mirror", name, "value", expected[name], facts.get(name))
        digests, schema = _pairs(connection, _DIGESTS), _pairs(connection, _SCHEMA)
        for name, digest in _pairs(other, _DIGESTS).items():
            if digests.get(name) != digest:
                found.note("_mirror_tables", name, "digest", digest, digests.get(name))
        for name, sql in _pairs(other, _SCHEMA).items():
            if schema.get(name) != sql:
                found.note(name, None, None, sql, schema.get(name))
        for table, sql in (
            ("_mirror_problems", _PROBLEMS),
            ("_mirror_chunks", _CHUNKS),
            ("_mirror_roots", _ROOTS_OF_BYTES if same_bytes else _ROOTS),
        ):
            _compare_lines(found, table, sql, other, connection)


def _compare_lines(
    found: Comparison, table: str, sql: str, fresh: apsw.Connection, connection: apsw.Connection
) -> None:
    wanted, lines = (set(one.execute(sql)) for one in (fresh, connection))
    for line in sorted(wanted ^ lines, key=str):
        shown = json.dumps(line, ensure_ascii=False, default=repr)
        sides = (shown, None) if line in wanted else (None, shown)
        found.note(table, None, None, *sides)


def _pairs(connection: apsw.Connection, sql: str) -> dict[str, Any]:
    rows: Any = connection.execute(sql)
    return dict(rows)
