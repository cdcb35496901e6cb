"""Rows and tables that the decoder shows empty though they are not: problem ``unreadable``.

Yjs 14 gives one type both entries and children. The structs tell, but reading them takes several
times the decode, so they are read only where the walk met an XML fragment without any text.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sidecar.document.walk import EMPTY_FRAGMENT
from sidecar.model import UNREADABLE, Block, Problem, RowProblem, Table

if TYPE_CHECKING:
    from sidecar.yjs.mixed import Path

_DETAIL = "a type with entries and children in one, as Yjs 14 writes it, which cannot be read yet"


def with_unreadable(tables: tuple[Table, ...], update: Callable[[], bytes]) -> tuple[Table, ...]:
    """Have tables say which of their rows and cells cannot be read, and which of them cannot.

    Args:
        tables: As they were found.
        update: Gives the update that the decoder holds; asked only where something looks like it.
    """

    @cache
    def hidden() -> "set[Path]":
        from sidecar.yjs.mixed import hidden_types  # noqa: PLC0415 - seldom needed

        try:
            return hidden_types(update())
        except ValueError:
            return set()

    return tuple(_told(table, hidden) for table in tables)


def _told(table: Table, hidden: "Callable[[], set[Path]]") -> Table:
    problems = table.problems
    is_empty = any(p.kind == "not_a_table" and p.detail == '""' for p in problems)
    is_told = any(p.kind == UNREADABLE and p.field is None for p in problems)
    if is_empty and not is_told and (table.root, table.name) in hidden():
        problems = (*problems, Problem(table.name, None, UNREADABLE, detail=_DETAIL))

    def checked(block: Block) -> Block:
        if all(p.kind != EMPTY_FRAGMENT for p in block.problems):
            return block
        return replace(block, problems=list(_checked(block.problems, table, hidden())))

    def picked(keys: Sequence[str]) -> Block:
        return checked(table.pick(keys) if table.pick else Block([], [], [], []))

    return replace(
        table,
        problems=problems,
        blocks=lambda: map(checked, table.blocks()),
        pick=picked if table.pick else None,
    )


def _checked(found: list[RowProblem], table: Table, hidden: "set[Path]") -> Iterator[RowProblem]:
    for problem in found:
        if problem.kind != EMPTY_FRAGMENT:
            yield problem
        elif any(_is_at(path, table, problem) for path in hidden):
            yield RowProblem(problem.row_id, problem.field, UNREADABLE, _DETAIL)


def _is_at(path: "Path", table: Table, problem: RowProblem) -> bool:
    """Tell whether a path leads to a row or a cell; elements of a list have no name in it."""
    if path[0] != table.root:
        return False
    if problem.field is None or path[-1] == problem.row_id:
        return path[-1] in {problem.row_id, None}
    return path[-1] == problem.field and path[-2] in {problem.row_id, None, "val"}
