"""What differs between two mirrors, from their table digests alone."""

from collections.abc import Mapping

from sidecar.model import Changes


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
    """Tell whether a state vector (client -> clock) went back for any client."""
    return any(new.get(client, 0) < clock for client, clock in old.items())


def collapsed(
    old_rows: int,
    old_vector: Mapping[int, int],
    new_rows: int,
    new_vector: Mapping[int, int],
    *,
    waits: bool = False,
) -> bool:
    """Tell whether a mirror is about to lose its rows to a document that is not its successor.

    True when rows would go to none, or to fewer under a state vector that shares no client with
    the old one: known hosts overwrite a document with an empty one after a failed load. True also
    for fewer rows of a document that waits for a lost update: a few torn files look the same.
    """
    if old_rows == 0:
        return False
    if waits and new_rows < old_rows:
        return True
    return new_rows == 0 or (new_rows < old_rows and not old_vector.keys() & new_vector.keys())
