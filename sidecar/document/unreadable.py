"""Rows, cells, tables and roots that the decoder shows empty though they are not: ``unreadable``.

Yjs 14 gives one type both entries and children. The structs tell, but reading them takes several
times the decode, so they are read only where an XML fragment was met that has no XML in it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sidecar.document.walk import BARE_FRAGMENT
from sidecar.model import UNREADABLE, Block, Problem, RowProblem, Table

if TYPE_CHECKING:
    from sidecar.yjs.mixed import Path

_DETAIL = "a type with entries and children in one, as Yjs 14 writes it, which cannot be read yet"
_VALUES = frozenset(("val", "value"))
"""Where an entry of a keyed array has its row, and where the mirror shows what is no record."""


class Hidden:
    """The types of one document that hold what is shown to nobody, found when asked for."""

    def __init__(self, update: Callable[[], bytes]) -> None:
        """Prepare; ``update`` gives the update that the decoder holds."""

        @cache
        def found() -> "set[Path]":
            from sidecar.yjs.mixed import hidden_types  # noqa: PLC0415 - seldom needed

            try:
                return hidden_types(update())
            except ValueError:
                return set()

        self._found = found

    def problems(self, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """Have problems of no table say which roots hold something that cannot be read."""
        return tuple(
            replace(problem, kind=UNREADABLE, detail=f"in the root {problem.detail}: {_DETAIL}")
            if problem.kind == BARE_FRAGMENT
            else problem
            for problem in problems
            if problem.kind != BARE_FRAGMENT or any(p[0] == problem.detail for p in self._found())
        )

    def tables(self, tables: tuple[Table, ...]) -> tuple[Table, ...]:
        """Have tables say which of them, their rows and their cells cannot be read."""
        return tuple(map(self._told, tables))

    def _told(self, table: Table) -> Table:
        def checked(block: Block) -> Block:
            if all(p.kind != BARE_FRAGMENT for p in block.problems):
                return block
            return replace(block, problems=list(self._checked(block.problems, table)))

        def picked(keys: Sequence[str]) -> Block:
            return checked(table.pick(keys) if table.pick else Block([], [], [], []))

        return replace(
            table,
            problems=tuple(self._of_table(table)),
            blocks=lambda: map(checked, table.blocks()),
            pick=picked if table.pick else None,
        )

    def _of_table(self, table: Table) -> Iterator[Problem]:
        for problem in table.problems:
            if problem.kind != BARE_FRAGMENT:
                yield problem
            elif any(_is_table(path, table) for path in self._found()):
                yield replace(problem, kind=UNREADABLE, detail=_DETAIL)

    def _checked(self, found: list[RowProblem], table: Table) -> Iterator[RowProblem]:
        for problem in found:
            if problem.kind != BARE_FRAGMENT:
                yield problem
            elif any(_is_at(path, table, problem) for path in self._found()):
                yield RowProblem(problem.row_id, problem.field, UNREADABLE, _DETAIL)


def _is_table(path: "Path", table: Table) -> bool:
    """Tell whether a path leads to a table, or to an element of its array."""
    return path[0] == table.root and path[-1] in {table.name, None}


def _is_at(path: "Path", table: Table, problem: RowProblem) -> bool:
    """Tell whether a path leads to a row or a cell, or into it; elements have no name in it."""
    if path[0] != table.root:
        return False
    for at, step in enumerate(path[1:], 1):
        if step == problem.row_id or (step is None and at == 1):
            inside = path[at + 1 : at + 2]
            if problem.field in {None, "value", *path[at + 1 :]} or _VALUES.issuperset(inside):
                return True
    return False
