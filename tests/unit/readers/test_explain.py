"""SQLite's errors, with what there is instead."""

import pytest

from sidecar.readers.explain import explain

TABLES = {"notes": ("id", "title"), "tasks": ("id", "done")}


@pytest.mark.parametrize(
    ("message", "sql", "expected"),
    [
        ("no such table: note", "SELECT * FROM note", "no such table: note; did you mean notes?"),
        (
            "no such table: m0.zebra",
            "SELECT * FROM m0.zebra",
            "no such table: m0.zebra; the tables are notes, tasks",
        ),
        (
            "no such column: titel",
            "SELECT titel FROM notes",
            "no such column: titel; did you mean title?",
        ),
        (
            "no such column: zebra",
            "SELECT zebra FROM notes",
            "no such column: zebra; the columns of notes are id, title",
        ),
        (
            'no such column: "x" - should this be a string literal in single-quotes?',
            'SELECT "x" FROM notes',
            (
                'no such column: "x"; a text stands in single quotes; the columns of notes are id,'
                " title"
            ),
        ),
        *(
            (refused, "", f"{refused}: nothing but reading is possible here")
            for refused in (
                "cannot modify t because it is a view",
                "Cannot add a column to a view",
                "cannot VACUUM from within a transaction",
            )
        ),
        ("not authorized", "DROP TABLE t", "not authorized: nothing but reading is possible here"),
        ("something new", "SELECT 1", "something new"),
    ],
)
def test_errors_say_what_there_is(message: str, sql: str, expected: str) -> None:
    """A similar name, or all of them."""
    assert explain(message, sql, TABLES) == expected


def test_without_tables_there_is_nothing_to_name() -> None:
    """That is said."""
    assert explain("no such table: x", "SELECT * FROM x", {}).endswith("; there are no tables")


def test_an_index_over_several_mirrors_is_asked_by_itself() -> None:
    """With an example."""
    told = explain("unable to use function MATCH in the requested context", "SELECT 1", TABLES)
    assert "WHERE notes_fts MATCH 'words'" in told
