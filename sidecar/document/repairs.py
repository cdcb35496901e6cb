"""Which cells were repaired: from paths in the document to the tables that show them."""

from collections.abc import Sequence

from msgspec.structs import replace

from sidecar.document.opened import Repair
from sidecar.document.roots import ARRAY_PREFIX
from sidecar.model import Problem, Table

_ENTRY = "val"
"""Where the entry of a keyed array has its row."""


def place_repairs(
    tables: Sequence[Table], repairs: Sequence[Repair]
) -> tuple[tuple[Table, ...], tuple[Problem, ...]]:
    """Write up what was repaired: in the table whose cell it is, else in the document.

    Returns:
        The tables with their problems, and the problems of no table.
    """
    of_tables: dict[int, list[Problem]] = {}
    unplaced: list[Problem] = []
    for repair in repairs:
        index, rest = _find(tables, repair.path)
        if index is None:
            where = " > ".join("?" if step is None else step for step in repair.path)
            detail = f"{repair.detail}, in {where}"
            unplaced.append(Problem(None, None, "repaired", detail=detail))
            continue
        row_id = rest[0] if rest else None
        field = rest[1] if len(rest) > 1 else None
        rows = int(row_id is not None)
        problem = Problem(None, field, "repaired", rows, row_id, repair.detail)
        of_tables.setdefault(index, []).append(problem)
    changed = [
        replace(table, problems=(*table.problems, *_once(of_tables[index])))
        if index in of_tables
        else table
        for index, table in enumerate(tables)
    ]
    return tuple(changed), tuple(unplaced)


def _once(problems: list[Problem]) -> list[Problem]:
    """Keep one problem a cell, however much in it was repaired."""
    return list({(p.field, p.row_id): p for p in reversed(problems)}.values())[::-1]


def _find(
    tables: Sequence[Table], path: tuple[str | None, ...]
) -> tuple[int | None, tuple[str | None, ...]]:
    """Find the table of a path, and what of the path lies in it: row, field, and so on."""
    root, rest = path[0], path[1:]
    for index, table in enumerate(tables):
        if table.layout in {"keyed_arrays", "cells"} and root == ARRAY_PREFIX + table.name:
            is_entry = len(rest) > 1 and rest[1] == _ENTRY
            return index, (*rest[:1], *rest[2:]) if is_entry else rest
        if table.root == root and table.name == root:
            return index, rest
        if table.root == root and rest and rest[0] == table.name:
            return index, rest[1:]
    return None, ()
