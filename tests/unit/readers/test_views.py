"""Views over several mirrors: tables and columns aligned by name, after the workspace columns."""

import apsw
import pytest

from sidecar.readers.views import Member, Origin, Shape, View, plan_views

ONE, TWO = Origin("w1", "First", 0), Origin("w'2", None, None)
FRONT = [("_workspace", "TEXT"), ("_workspace_name", "TEXT"), ("_epoch", "INTEGER")]


def member(schema: str, origin: Origin, **tables: list[tuple[str, str]]) -> Member:
    """A mirror with these tables."""
    return Member(schema, origin, tuple(Shape(n, tuple(c)) for n, c in tables.items()))


def view(name: str, *members: Member) -> View:
    """Plan the views and give one of them."""
    return next(view for view in plan_views(members) if view.name == name)


ID = ("id", "TEXT")
EXTRA = ("_extra", "TEXT")


@pytest.mark.parametrize(
    ("first", "second", "columns"),
    [
        ([ID, ("a", "TEXT"), EXTRA], [ID, ("a", "TEXT"), EXTRA], [("a", "TEXT")]),
        (
            [ID, ("b", "TEXT"), EXTRA],
            [ID, ("a", "REAL"), EXTRA],
            [("a", "REAL"), ("b", "TEXT")],
        ),
        ([ID, ("a", "TEXT"), EXTRA], [ID, ("A", "INTEGER"), EXTRA], [("a", "TEXT")]),
        ([ID, ("a", ""), EXTRA], [ID, ("a", "INTEGER"), EXTRA], [("a", "INTEGER")]),
        (
            [ID, ("_epoch", "TEXT"), EXTRA],
            [ID, ("_EPOCH_2", ""), EXTRA],
            [("_EPOCH_2", ""), ("_epoch_3", "TEXT")],
        ),
    ],
)
def test_columns_are_aligned_by_name(
    first: list[tuple[str, str]], second: list[tuple[str, str]], columns: list[tuple[str, str]]
) -> None:
    """As SQLite compares names; our columns keep their names, others take the next free name."""
    found = view("t", member("m0", ONE, t=first), member("m1", TWO, t=second))
    assert list(found.columns) == [*FRONT, ID, *columns, EXTRA]
    assert len(found.arms) == 2


def test_a_table_of_one_mirror_keeps_its_columns_in_order() -> None:
    """The catalog's tables above all."""
    columns = [("table_name", "TEXT"), ("position", "INTEGER"), ("name", "TEXT")]
    (found,) = plan_views([member("m0", ONE, t=columns)])
    assert list(found.columns) == [*FRONT, *columns]


def test_tables_that_differ_by_case_are_one() -> None:
    """SQL does not distinguish them."""
    found = plan_views([member("m0", ONE, Tasks=[ID]), member("m1", TWO, tasks=[ID])])
    assert [(one.name, len(one.arms)) for one in found] == [("Tasks", 2)]


def test_a_users_table_wins_over_an_index() -> None:
    """In whichever mirror it is."""
    index = Shape("notes_fts", (ID, ("body", "")), "notes")
    found = plan_views(
        [Member("m0", ONE, (index,)), member("m1", TWO, notes_fts=[ID, ("x", "TEXT")])]
    )
    assert [(one.name, len(one.arms)) for one in found] == [("notes_fts", 1)]


def test_more_columns_than_sqlite_takes_are_left_out() -> None:
    """They are named."""
    many = [(f"c{n:04}", "") for n in range(1998)]
    found = view("t", member("m0", ONE, t=[ID, *many]), member("m1", TWO, t=[ID]))
    assert (len(found.columns), found.left_out) == (2000, ("c1996", "c1997"))


def test_what_is_planned_is_what_sqlite_gives() -> None:
    """Values keep their types, missing columns are NULL and compare like their column."""
    connection = apsw.Connection(":memory:")
    for number, create in enumerate(
        (
            "CREATE TABLE m0.t (id TEXT, n INTEGER, x); INSERT INTO m0.t VALUES ('a', 7, x'00')",
            "CREATE TABLE m1.t (id TEXT, n TEXT); INSERT INTO m1.t VALUES ('b', '007')",
            "CREATE TABLE m2.t (id TEXT); INSERT INTO m2.t VALUES ('c')",
        )
    ):
        connection.execute(f"ATTACH ':memory:' AS m{number}; {create}")
    (found,) = plan_views(
        [
            member("m0", ONE, t=[ID, ("n", "INTEGER"), ("x", "")]),
            member("m1", TWO, t=[ID, ("n", "TEXT")]),
            member("m2", TWO, t=[ID]),
        ]
    )
    connection.execute(found.create)
    assert connection.execute("SELECT * FROM t ORDER BY id").fetchall() == [
        ("w1", "First", 0, "a", 7, b"\0"),
        ("w'2", None, None, "b", "007", None),
        ("w'2", None, None, "c", None, None),
    ]
    assert connection.execute("SELECT id FROM t WHERE _epoch = '0'").get == "a"
