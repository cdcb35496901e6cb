"""Names that SQLite can take, as near to the app's own as can be."""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from operator import itemgetter

from sidecar.mirror.identifiers import fold

OURS = "_mirror"
"""Prefix of the catalog's tables."""

ID = "id"
EXTRA = "_extra"


def place_tables(names: Sequence[str], ranks: Sequence[int] | None = None) -> list[str]:
    """Find a name in the mirror for each table.

    Args:
        names: The document's names, in code point order. Of equal ones the first keeps its name.
        ranks: For each name its rank, never falling: those of a lower rank are placed first.
            None when all are equal.

    Returns:
        The mirror's names, in the same order, no two equal but for ASCII case.
    """
    placed: list[str] = []
    taken: set[str] = set()
    ranked = zip(ranks or [0] * len(names), names, strict=True)
    for _, group in groupby(ranked, key=itemgetter(0)):
        members = [name for _, name in group]
        placed += _place(members, taken, _allowed_table, lambda name: fold(name).startswith(OURS))
    return placed


def place_columns(names: Sequence[str]) -> list[str]:
    """Find a column name for each field, as ``place_tables`` does; ``id`` and ``_extra`` are ours.

    Args:
        names: The fields' names without ``id``, ours first, then in code point order.
    """
    return _place(names, {ID, EXTRA}, _without_nul, lambda _: False)


def free_name(name: str, taken: Collection[str]) -> str:
    """Give the first of ``name_2``, ``name_3``... whose folded form is not taken."""
    number = 2
    while fold(f"{name}_{number}") in taken:
        number += 1
    return f"{name}_{number}"


def _place(
    names: Sequence[str],
    taken: set[str],
    allowed: Callable[[str], str],
    is_ours: Callable[[str], bool],
) -> list[str]:
    """Place names, those that can stay as they are first; ``taken`` grows by what they get."""
    placed = [""] * len(names)
    adjusted: list[int] = []
    for index, name in enumerate(names):
        if allowed(name) != name or is_ours(name) or fold(name) in taken:
            adjusted.append(index)
        else:
            placed[index] = name
            taken.add(fold(name))
    for index in adjusted:
        name = allowed(names[index])
        if is_ours(name) or fold(name) in taken:
            name = free_name(name, taken)
        placed[index] = name
        taken.add(fold(name))
    return placed


def _without_nul(name: str) -> str:
    return name.replace("\0", "\ufffd")


def _allowed_table(name: str) -> str:
    name = _without_nul(name)
    return "_" + name if fold(name).startswith("sqlite_") else name
