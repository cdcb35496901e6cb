"""Names of files: documents, their mirrors, and the host's other files.

Only this module decides which mirror belongs to which document, so that a copy, a backup or
``head.yjs`` can never replace the tables of a workspace.
"""

import os
import re
from collections.abc import Iterable

DOCUMENT = "workspace.yjs"
MIRROR = "tables.sqlite"
WORKSPACES = "workspaces"
HEAD = "head.yjs"
REGISTRY = "registry.yjs"

EPOCH = re.compile("0|[1-9][0-9]*")
"""The name of an epoch's folder."""

_SUFFIX = ".sqlite"
_LAST_GOOD = ".last-good"
_OURS = re.compile(r".*\.sqlite(\..*tmp)?(-journal|-wal|-shm)?", re.IGNORECASE | re.DOTALL)
"""Names of mirrors, of candidates, and of the files that SQLite keeps beside them."""
_GLOB = re.compile(r"[*?\[]")


def mirror_of(document: str) -> str:
    """Return the path of a document's mirror, beside it: the document's name is kept whole."""
    folder, name = os.path.split(document)
    return os.path.join(folder, MIRROR if name == DOCUMENT else name + _SUFFIX)


def document_of(mirror: str) -> str:
    """Return the path of the document to which a mirror of this name belongs."""
    folder, name = os.path.split(mirror)
    return os.path.join(folder, DOCUMENT if name == MIRROR else name.removesuffix(_SUFFIX))


def why_no_document(name: str) -> str | None:
    """Return why a file of this name is never a document; None when it may be one.

    The mirror of a document ``tables`` would be that of the workspace beside it, and the mirror of
    ``x.last-good`` would be the copy that is kept of the mirror of ``x``.
    """
    if is_mirror_name(name):
        return "its name is that of a mirror or of a file beside one"
    if "." not in name:
        return "its name has no dot"
    return "its name is that of a kept copy" if name.endswith(_LAST_GOOD) else None


def is_mirror_name(name: str) -> bool:
    """Return whether a name is one that we or SQLite give to files of mirrors."""
    return bool(_OURS.fullmatch(name))


def is_literal(pattern: str) -> bool:
    """Return whether a GLOB matches one name only."""
    return not _GLOB.search(pattern)


def matching(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Return the file names that are documents by these GLOBs, sorted.

    As in a shell, a wildcard at the beginning does not match a dot.
    """
    return sorted(name for name in names if _is_match(name, patterns))


def _is_match(name: str, patterns: tuple[str, ...]) -> bool:
    if name in {HEAD, REGISTRY} or why_no_document(name):
        return False
    return any(
        name == pattern if is_literal(pattern) else _is_like(name, pattern) for pattern in patterns
    )


def _is_like(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only where a GLOB is used

    return fnmatchcase(name, pattern) and (name[0] != "." or pattern[0] == ".")
