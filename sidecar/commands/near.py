"""What somebody may have meant: names and paths near a mistyped one."""

import os
from collections.abc import Iterable

from sidecar.files import shown

_MOST = 3
_MOST_LISTED = 2000
"""Names of a folder that are compared; more would take noticeable time."""


def near(word: str, words: Iterable[str]) -> list[str]:
    """Return the words that are like one, the most alike first."""
    from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

    folded = {candidate.casefold(): candidate for candidate in words}
    return [folded[one] for one in get_close_matches(word.casefold(), folded, _MOST)]


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the end of a message: what was meant, or what there is."""
    words = list(dict.fromkeys(words))
    close = near(word, words)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    if not words:
        return "; there is none at all"
    more = len(words) - 2 * _MOST
    return f"; there are {', '.join(words[: 2 * _MOST])}" + (
        f" and {more} more" if more > 0 else ""
    )


def near_path(path: str) -> str:
    """Return a question, with a space behind it, about a path that does not exist; or nothing.

    Asks for the first part of it that does not exist, as identifiers and folders are mistyped.
    """
    above, name = os.path.split(path)
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        above, name = os.path.split(above)
    try:
        names = os.listdir(above)[:_MOST_LISTED]
    except OSError:
        return ""
    close = [shown(os.path.join(above, one)) for one in near(name, names)]
    return f"did you mean {' or '.join(close)}? Else " if close else ""
