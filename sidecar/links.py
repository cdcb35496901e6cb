"""Symbolic links: the components on the way to a path, and whether its target lies in a folder."""

import os

_MOST_LINKS = 40
"""As many as Linux follows."""


def steps_to(path: str) -> list[str]:
    """Return every entry on the way to a path, by its real name, links and their targets too.

    When one of them is replaced, the path may lead to something else. Components that do not
    exist are included.
    """
    steps: list[str] = []
    at, waiting = _split(path)
    links = 0
    while waiting and links <= _MOST_LINKS:
        part = waiting.pop()
        if part == os.pardir:
            at = os.path.dirname(at)
            continue
        step = os.path.join(at, part)
        steps.append(step)
        try:
            target = os.readlink(step)
        except OSError:
            at = step
            continue
        links += 1
        root, parts = _split(target)
        at = root or at
        waiting += parts
    return steps


def is_inside(path: str, boundary: str) -> bool:
    """Return whether the target of a path lies in a folder, which is given by its real path."""
    try:
        return os.path.commonpath((os.path.realpath(path), boundary)) == boundary
    except ValueError:  # on another drive
        return False


def _split(path: str) -> tuple[str, list[str]]:
    """Split a path into its root (empty if relative) and its names, the last one first."""
    drive, rest = os.path.splitdrive(path)
    root = drive + os.sep if os.path.isabs(path) else ""
    names = rest.replace(os.altsep or os.sep, os.sep).split(os.sep)
    return root, [name for name in reversed(names) if name not in {"", os.curdir}]
