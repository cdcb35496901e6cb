"""Compares two mirrors by their table digests, row counts and state vectors."""

from collections.abc import Collection, Mapping

from sidecar.mirror.state import Mirror
from sidecar.model import Changes, Root, Workspace

_MOST_NAMES = 3
"""Roots named in the reason of a collapse."""
_LONGEST_NAME = 40


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> Changes:
    """Compare table digests by mirror name.

    Args:
        old: name -> digest of the mirror in place, empty when there is none.
        new: name -> digest of the candidate.
    """
    return Changes(
        changed=tuple(sorted(name for name in new if new[name] != old.get(name))),
        removed=tuple(sorted(name for name in old if name not in new)),
    )


def regressed(old: Mapping[int, int], new: Mapping[int, int]) -> bool:
    """Return whether a state vector (client -> clock) went back for any client."""
    return any(new.get(client, 0) < clock for client, clock in old.items())


def collapsed(
    old_rows: int,
    old_vector: Mapping[int, int],
    new_rows: int,
    new_vector: Mapping[int, int],
    *,
    waits: bool = False,
) -> bool:
    """Return whether a mirror is about to lose rows because its document was overwritten.

    True when no rows would be left, or fewer rows and the state vectors share no client: known
    hosts overwrite a document with an empty one after a failed load. Also true for fewer rows when
    the document waits for a missing update: some torn files look like that.
    """
    if old_rows == 0:
        return False
    if waits and new_rows < old_rows:
        return True
    return new_rows == 0 or (new_rows < old_rows and not old_vector.keys() & new_vector.keys())


def nature_of_collapse(mirror: Mirror, tables: Collection[str], workspace: Workspace) -> str:
    """Tell in words what a collapse looks like, so that moved data is not taken for lost data.

    Args:
        mirror: The mirror in place.
        tables: Names of the tables with rows of the one that will replace it.
        workspace: What the document holds.
    """
    if waits(workspace):
        return "the document builds on an update that is missing"
    if tables and mirror.digests.keys().isdisjoint(tables):
        return "all tables are others now: the app may have moved its data"
    if tables:
        return "the document was overwritten with another one"
    elsewhere = [root for root in workspace.roots if _holds_more_than_tables(root)]
    if elsewhere:
        names = [f"{_short(root.name)} ({root.kind})" for root in elsewhere[:_MOST_NAMES]]
        names += ["..."] if len(elsewhere) > _MOST_NAMES else []
        return f"no rows are left, but {', '.join(names)}: the app may have moved its data"
    if not mirror.state_vector.keys().isdisjoint(workspace.state_vector):
        return "all rows of the document were deleted"
    return "the document was overwritten with an empty one"


def waits(workspace: Workspace) -> bool:
    """Tell whether a document waits for a missing update."""
    return any(problem.kind == "waiting" for problem in workspace.problems)


def _holds_more_than_tables(root: Root) -> bool:
    """Tell of a root of a document without rows whether something else is in it."""
    return root.kind != "unknown" and root.layout in {None, "shape", "tinybase"}


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
