"""One view for each table that several mirrors have, as SQL. Values in, text out."""

from collections.abc import Mapping, Sequence

import msgspec

from sidecar.mirror.identifiers import fold, quote
from sidecar.mirror.naming import EXTRA, ID

WORKSPACE = "_workspace"
NAME = "_workspace_name"
EPOCH = "_epoch"
OURS = (WORKSPACE, NAME, EPOCH)
"""The columns in front, which say where a row is from."""

_MOST_COLUMNS = 2000
"""SQLite takes no more."""


class Origin(msgspec.Struct, frozen=True):
    """Where the rows of one mirror are from: what stands in the columns in front."""

    workspace: str | None
    name: str | None
    epoch: int | None


class Shape(msgspec.Struct, frozen=True):
    """One table of one mirror.

    Attributes:
        name: In the mirror.
        columns: Names and declared types, in their order.
        indexed: The table whose full-text index this is, None for tables themselves. The columns
            of an index are ``id`` of the row, the indexed ones, ``rank`` and its own name.
        rowid: What that table calls the number by which the index knows a row.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    indexed: str | None = None
    rowid: str = "rowid"


class Member(msgspec.Struct, frozen=True):
    """One mirror of several: the name it is attached by, where it is from, what it holds."""

    schema: str
    origin: Origin
    shapes: tuple[Shape, ...]


class View(msgspec.Struct, frozen=True):
    """One view.

    Attributes:
        name: As in the first mirror that has the table.
        columns: Names and types of all its columns.
        arms: A SELECT for each mirror that has it.
        left_out: Columns beyond those that SQLite takes.
        indexed: The table whose full-text indexes these are, None for tables themselves.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    arms: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    indexed: str | None = None

    @property
    def create(self) -> str:
        """The statement that makes it."""
        return f"CREATE TEMP VIEW {quote(self.name)} AS {' UNION ALL '.join(self.arms)}"


def plan_views(members: Sequence[Member]) -> list[View]:
    """Plan the views over several mirrors, sorted by name.

    Tables and columns are the same where SQLite takes their names for the same. A user's table
    wins over an index of its name. A column that a mirror lacks is NULL there, of the type that
    it has elsewhere, so that it compares as it does elsewhere.
    """
    found: dict[str, list[tuple[Member, Shape]]] = {}
    for is_index in (False, True):
        tables = set(found)
        for member in members:
            for shape in member.shapes:
                if (shape.indexed is not None) is is_index and fold(shape.name) not in tables:
                    found.setdefault(fold(shape.name), []).append((member, shape))
    views = [_view(owners) for owners in found.values()]
    return sorted(views, key=lambda view: view.name)


def _view(owners: Sequence[tuple[Member, Shape]]) -> View:
    all_columns = _aligned([shape for _, shape in owners])
    taken = {fold(name) for name in OURS}
    named = [(_free(name, taken), name, kind) for name, kind in all_columns.values()]
    room = _MOST_COLUMNS - len(OURS)
    ours = ((WORKSPACE, "TEXT"), (NAME, "TEXT"), (EPOCH, "INTEGER"))
    return View(
        owners[0][1].name,
        (*ours, *((name, kind) for name, _, kind in named[:room])),
        tuple(_arm(member, shape, named[:room]) for member, shape in owners),
        tuple(name for name, _, _ in named[room:]),
        owners[0][1].indexed,
    )


def _aligned(shapes: Sequence[Shape]) -> Mapping[str, tuple[str, str]]:
    """Give the columns of all mirrors by folded name: id first, _extra last, those between by name.

    The type is the first that a mirror declares.
    """
    found: dict[str, tuple[str, str]] = {}
    for shape in shapes:
        for name, kind in shape.columns:
            known = found.get(fold(name))
            if known is None or not known[1]:
                found[fold(name)] = (known[0] if known else name, kind)
    if shapes[0].indexed is not None or len(shapes) == 1:
        return found
    return dict(sorted(found.items(), key=lambda item: _place(item[1][0])))


def _place(name: str) -> tuple[int, str]:
    return {ID: 0, EXTRA: 2}.get(name, 1), name


def _free(name: str, taken: set[str]) -> str:
    """Give a name that is not taken, and take it."""
    free, number = name, 2
    while fold(free) in taken:
        free = f"{name}_{number}"
        number += 1
    taken.add(fold(free))
    return free


def _arm(member: Member, shape: Shape, columns: Sequence[tuple[str, str, str]]) -> str:
    """Select the rows of one mirror, with what it lacks as NULL."""
    there = {fold(name): name for name, _ in shape.columns}
    origin = member.origin
    front = [
        f"{_text(origin.workspace)} AS {WORKSPACE}",
        f"{_text(origin.name)} AS {NAME}",
        f"CAST({'NULL' if origin.epoch is None else origin.epoch} AS INTEGER) AS {EPOCH}",
    ]
    cells = [_cell(shape, there, shown, name, kind) for shown, name, kind in columns]
    source = f"{member.schema}.{quote(shape.name)} AS t"
    if shape.indexed is not None:
        source += f" JOIN {member.schema}.{quote(shape.indexed)} AS r ON r.{shape.rowid} = t.rowid"
    return f"SELECT {', '.join([*front, *cells])} FROM {source}"


def _cell(shape: Shape, there: Mapping[str, str], shown: str, name: str, kind: str) -> str:
    if fold(name) in there:
        source = "r" if shape.indexed is not None and name == ID else "t"
        return f"{source}.{quote(there[fold(name)])} AS {quote(shown)}"
    null = f"CAST(NULL AS {kind})" if kind in {"TEXT", "INTEGER", "REAL"} else "NULL"
    return f"{null} AS {quote(shown)}"


def _text(value: str | None) -> str:
    """Write a text for SQL, with a column's affinity so that it compares like one."""
    if value is None:
        return "CAST(NULL AS TEXT)"
    quoted = value.replace("'", "''").replace("\0", "\ufffd")
    return f"CAST('{quoted}' AS TEXT)"
