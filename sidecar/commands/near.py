"""Suggestions for mistyped names and paths."""

import os
from collections.abc import Iterable, Iterator, Sequence

from sidecar.files import shown
from sidecar.model import Selection
from sidecar.names import DOCUMENT, WORKSPACES, matching

_MOST = 3
_ALIKE = 0.7
"""Least similarity, of 1. At 0.6, difflib's default, `state` is similar to `com.example.app`."""
_MOST_LISTED = 2000
"""Most names of a folder that are compared, to limit the time."""
_MOST_FOLDERS, _DEEPEST = 200, 3
"""Limits of the search for documents below a folder."""


def near(word: str, words: Iterable[str]) -> list[str]:
    """Return the words that are similar to one, the most similar first."""
    from difflib import get_close_matches  # only after a mistake

    folded = {candidate.casefold(): candidate for candidate in words}
    return [folded[one] for one in get_close_matches(word.casefold(), folded, _MOST, _ALIKE)]


def did_you_mean(word: str, words: Iterable[str], *, most: int = 6) -> str:
    """Return the end of a message: similar words, or at most ``most`` of all words."""
    words = list(dict.fromkeys(words))
    close = near(word, words)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    if not words:
        return "; there are none"
    more = len(words) - most
    return f"; there are {', '.join(words[:most])}" + (f" and {more} more" if more > 0 else "")


def near_path(path: str) -> str:
    """Return a suggestion for a path that does not exist, with a space at its end; or "".

    Only the first part that does not exist is compared with its neighbours.
    """
    above, name = os.path.split(path)
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        above, name = os.path.split(above)
    close = [shown(os.path.join(above, one)) for one in near(name, _names(above))]
    return f"did you mean {' or '.join(close)}? Otherwise " if close else ""


def nothing_here(roots: Sequence[str], selection: Selection) -> str:
    """Return a message for roots without documents, with the nearest ones if there are any."""
    text = f"no documents in {', '.join(map(shown, roots))}"
    for root in roots:
        if advice := _advice(root, selection):
            return f"{text}; {advice}"
    return (
        f"{text}; give the app's data folder, its workspaces folder, a workspace, an epoch or a"
        " document"
    )


def _advice(root: str, selection: Selection) -> str | None:
    others = [name for name in matching(_names(root), ("*.yjs",)) if name != DOCUMENT]
    if others and not matching(others, selection.documents):
        return f"there is {others[0]}; to include it, give --documents '*.yjs'"
    for folder in (*_below(root), os.path.dirname(root)):
        names = _names(folder)
        if WORKSPACES in names or matching(names, selection.documents):
            return f"there are some in {shown(folder)}"
    return None


def _below(root: str) -> Iterator[str]:
    """Yield some folders below a folder, the nearest first; links are not followed."""
    waiting = [(root, 0)]
    for count, (folder, depth) in enumerate(waiting):
        if count > _MOST_FOLDERS:
            return
        if folder != root:
            yield folder
        if depth < _DEEPEST:
            paths = (os.path.join(folder, name) for name in sorted(_names(folder)))
            waiting += [(path, depth + 1) for path in paths if _is_real_folder(path)]


def _is_real_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)[:_MOST_LISTED]
    except OSError:
        return []
