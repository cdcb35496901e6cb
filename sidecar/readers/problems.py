"""The lines of ``_mirror_problems``: read, and put into words with what to do."""

from typing import Any

import msgspec

from sidecar.mirror.describe import reading
from sidecar.reports import DocumentFields


class ProblemLine(msgspec.Struct, frozen=True):
    """One line: what was adjusted, in how many rows, and where the first of them is."""

    table: str | None
    field: str | None
    kind: str
    rows: int
    row_id: str | None
    detail: str | None


class ProblemList(DocumentFields, frozen=True, kw_only=True):
    """The problems of one document, as its mirror lists them."""

    problems: tuple[ProblemLine, ...]


_NOTHING = "nothing to do: all of it is there"
_IN_THE_APP = "correct it in the app"
_WORDS = {
    "name": ("is not called so in the document", "ask by the name that the mirror has"),
    "id_mismatch": ("has another id inside than its key", "join by id, the key; _extra has theirs"),
    "missing": ("has no value where one is required", f"expect NULL, or {_IN_THE_APP}"),
    "kind": ("holds another kind of value than is declared", f"{_IN_THE_APP}, or cast in SQL"),
    "not_finite": ("was no number that SQL or JSON has, and is NULL", _IN_THE_APP),
    "too_deep": ("is nested too deep, and is NULL", "read it from the document"),
    "too_large": ("is larger than a row of SQLite may be, and is left out", "keep it elsewhere"),
    "not_a_row": ("is no map, so it has no columns", "read it in _extra"),
    "not_a_table": ("is no map, so it has no rows", "see detail for what it is"),
    "definition": ("is defined in a way that is not understood", "correct the app's definition"),
    "too_many": ("is a field more than SQLite takes columns", "read it in _extra"),
    "entry": ("has no key or no time, so it is no row", "let the app write it anew"),
    "unaccounted": ("goes on behind its end", "nothing to do, unless it stays: then save it again"),
    "waiting": ("builds on an update that is not there", "let the app sync; the rest is shown"),
    "repaired": ("holds what no decoder reads, shown as near as can be", _IN_THE_APP),
    "unreadable": ("holds what cannot be read yet", "what is shown of it is not all"),
    "fts": ("cannot be indexed for full-text search", "name other columns with --fts"),
}
"""Kind -> what is so, and what to do about it."""


def read_problems(path: str) -> tuple[ProblemLine, ...]:
    """Read the problems that a mirror lists.

    Raises:
        MirrorDamagedError: It is not there, or not whole.
    """
    with reading(path) as connection:
        rows: Any = connection.execute(
            "SELECT table_name, field, kind, rows, row_id, detail FROM _mirror_problems"
            " ORDER BY table_name, field, kind"
        )
        return tuple(ProblemLine(*row) for row in rows)


def in_words(line: ProblemLine) -> tuple[str, str]:
    """Say what a line means, and what to do about it."""
    what, advice = _WORDS.get(line.kind, (f"has a problem of kind {line.kind}", _NOTHING))
    text = f"{_subject(line)} {what}"
    if line.rows:
        first = "" if line.row_id is None else f", first {line.row_id}"
        text += f" ({line.rows} {'row' if line.rows == 1 else 'rows'}{first})"
    if line.detail:
        text += f": {line.detail}"
    return text, advice


def _subject(line: ProblemLine) -> str:
    if line.table is None:
        return "the document" if line.field is None else f"field {line.field}"
    return line.table if line.field is None else f"{line.table}.{line.field}"
