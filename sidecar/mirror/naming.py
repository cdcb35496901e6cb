"""Names of tables and columns: the app's own names, changed only where SQLite requires it."""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from operator import itemgetter

from sidecar.mirror.identifiers import fold

OURS = "_mirror"
"""Prefix of the catalog's tables."""

ID = "id"
EXTRA = "_extra"


def place_tables(names: Sequence[str], ranks: Sequence[int] | None = None) -> list[str]:
    """Choose the name in the mirror of each table.

    Args:
        names: The document's names, in code point order. Of equal ones the first keeps its name.
        ranks: The rank of each name, ascending: those of a lower rank are placed first. None
            when all are equal.

    Returns:
        The mirror's names, in the same order. No two differ only in ASCII case.
    """
    places = _Places((), _allowed_table, lambda name: fold(name).startswith(OURS))
    placed: list[str] = []
    for _, group in groupby(zip(ranks or [0] * len(names), names, strict=True), itemgetter(0)):
        placed += places.take([name for _, name in group])
    return placed


def place_columns(names: Sequence[str]) -> list[str]:
    """Choose a column name for each field; ``id`` and ``_extra`` are reserved.

    Args:
        names: The fields' names without ``id``, ours first, then in code point order.
    """
    return _Places((ID, EXTRA), _without_nul, lambda _: False).take(names)


class _Places:
    """The names that are already used."""

    def __init__(
        self,
        reserved: Collection[str],
        allowed: Callable[[str], str],
        is_ours: Callable[[str], bool],
    ) -> None:
        self._taken = set(reserved)
        self._allowed = allowed
        self._is_ours = is_ours
        self._next_number: dict[str, int] = {}

    def take(self, names: Sequence[str]) -> list[str]:
        """Choose a name for each: first for those that need no change, then for the others."""
        placed = [""] * len(names)
        adjusted: list[int] = []
        for index, name in enumerate(names):
            if self._allowed(name) != name or not self._is_free(name):
                adjusted.append(index)
            else:
                placed[index] = name
                self._taken.add(fold(name))
        for index in adjusted:
            name = self._allowed(names[index])
            placed[index] = name if self._is_free(name) else self._numbered(name)
            self._taken.add(fold(placed[index]))
        return placed

    def _is_free(self, name: str) -> bool:
        return fold(name) not in self._taken and not self._is_ours(name)

    def _numbered(self, name: str) -> str:
        """Return the first of ``name_2``, ``name_3``... that is free.

        Used names never become free, so the next call for this name continues from the last number.
        """
        base = fold(name)
        number = self._next_number.get(base, 2)
        while f"{base}_{number}" in self._taken:
            number += 1
        self._next_number[base] = number + 1
        return f"{name}_{number}"


def _without_nul(name: str) -> str:
    return name.replace("\0", "\ufffd")


def _allowed_table(name: str) -> str:
    name = _without_nul(name)
    return "_" + name if fold(name).startswith("sqlite_") else name
