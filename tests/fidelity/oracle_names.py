"""A second reading of the format's rules for names, for the second reading of documents."""

import string
from collections.abc import Sequence

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """Make names equal that SQLite takes for equal."""
    return name.translate(_LOWER)


def place_tables(names: Sequence[str], taken: set[str]) -> list[str]:
    """Name tables; of equal names the first comes first, otherwise code point order."""
    wished = []
    for name in names:
        bent = name.replace("\0", "\ufffd")
        wished.append("_" + bent if fold(bent).startswith("sqlite_") else bent)
    ours = [fold(name).startswith("_mirror") for name in names]
    return _place(names, wished, ours, taken)


def place_columns(names: Sequence[str]) -> list[str]:
    """Name columns beside ``id`` and ``_extra``."""
    wished = [name.replace("\0", "\ufffd") for name in names]
    return _place(names, wished, [False] * len(names), {"id", "_extra"})


def _place(
    names: Sequence[str], wished: Sequence[str], ours: Sequence[bool], taken: set[str]
) -> list[str]:
    placed: dict[int, str] = {}
    for index, name in enumerate(names):
        if wished[index] == name and not ours[index] and fold(name) not in taken:
            placed[index] = name
            taken.add(fold(name))
    for index, wish in enumerate(wished):
        if index not in placed:
            number, name = 1, wish
            while (number == 1 and ours[index]) or fold(name) in taken:
                number += 1
                name = f"{wish}_{number}"
            placed[index] = name
            taken.add(fold(name))
    return [placed[index] for index in range(len(names))]
