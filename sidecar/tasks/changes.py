"""Compares two mirrors by their table digests, row counts and state vectors."""

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
