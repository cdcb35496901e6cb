"""What SQLite's errors mean for whoever wrote the query, with what there is instead."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

_NO_TABLE = re.compile(r"no such table: (.+)")
_NO_COLUMN = re.compile(r"no such column: (.+?)(?: - should this be a string literal.*)?$")
_MOST_SHOWN = 30
_MATCH = (
    "over several mirrors an index is asked by itself, with rank among the columns where it orders:"
    " SELECT _workspace, id, rank FROM notes_fts WHERE notes_fts MATCH 'words' ORDER BY rank;"
    " or epicenter-sidecar search"
)
_REFUSED = (
    "not authorized",
    "attempt to write a readonly database",
    "prohibited",
    "because it is a view",
    " to a view",
    "cannot VACUUM",
)


def explain(message: str, sql: str, tables: Mapping[str, Sequence[str]]) -> str:
    """Say what is wrong with a query.

    Args:
        message: SQLite's.
        sql: The query.
        tables: Names of the tables there are, and of their columns.
    """
    if found := _NO_TABLE.fullmatch(message):
        name = found[1].rpartition(".")[2]
        return f"{message}{_instead(name, sorted(tables), 'tables')}"
    if found := _NO_COLUMN.fullmatch(message):
        return _no_column(found[1], sql, tables)
    if "unable to use function" in message:
        return f"{message}; {_MATCH}"
    if any(word in message for word in _REFUSED):
        return f"{message}: nothing but reading is possible here"
    return message


def _no_column(name: str, sql: str, tables: Mapping[str, Sequence[str]]) -> str:
    bare = name.rpartition(".")[2].strip('"')
    message = f"no such column: {name}"
    if name.startswith('"'):
        message += "; a text stands in single quotes"
    named = _named(sql, tables)
    columns = [column for table in named or sorted(tables) for column in tables[table]]
    unique = list(dict.fromkeys(columns))
    if not named:
        close = get_close_matches(bare, unique, 3)
        return message + (f"; did you mean {' or '.join(close)}?" if close else "")
    return message + _instead(bare, unique, f"columns of {', '.join(named)}")


def _named(sql: str, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """Give the tables whose names stand in a query."""
    folded = sql.casefold()
    return [
        name
        for name in sorted(tables)
        if name and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", folded)
    ]


def _instead(name: str, names: Sequence[str], what: str) -> str:
    folded = {known.casefold(): known for known in names}
    close = [folded[match] for match in get_close_matches(name.casefold(), folded, 3)]
    if close:
        return f"; did you mean {' or '.join(close)}?"
    if not names:
        return f"; there are no {what}"
    shown = ", ".join(names[:_MOST_SHOWN])
    return f"; the {what} are {shown}" + (", ..." if len(names) > _MOST_SHOWN else "")
