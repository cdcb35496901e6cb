"""A document's snapshots: the rows of each, and the mirror of one of them."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sidecar.digests import digest_bytes
from sidecar.document.decode import decode
from sidecar.document.reading import Content, read_stable, read_with_retry
from sidecar.document.snapshots import Past
from sidecar.errors import DocumentUnavailableError, SidecarError
from sidecar.links import is_inside
from sidecar.mirror.schema import plan
from sidecar.mirror.state import read_mirror
from sidecar.model import Options, Restored, Source
from sidecar.reports import History, Moment, doc_fields
from sidecar.tasks.sync import sync

_NAME = re.compile(r"([0-9]{1,15})\.ysnap")
_MOST_BYTES = 64 << 20

Found = tuple[int, str]
"""A snapshot: its Unix milliseconds and its path."""


def history(source: Source, options: Options, *, root: str | None = None) -> History:
    """Look at every snapshot beside a document, oldest first.

    Args:
        source: The document.
        options: For its limits.
        root: Folder that links of snapshots may not leave; the document's own when not given.

    Raises:
        DocumentUnavailableError: The document cannot be read now.
        DocumentUnusableError: It cannot be decoded.
    """
    past = Past(read_with_retry(source.document, options.max_document_bytes).data)
    root = os.path.realpath(root or os.path.dirname(source.document))
    tables = read_mirror(source.mirror).options.tables
    every = list(snapshots_of(source, root))
    moments = [_moment(past, found, every, root, tables) for found in every]
    return History(**doc_fields(source), exact=past.exact, snapshots=tuple(moments))


def restore(
    source: Source, options: Options, *, at_ms: int, out: str, root: str | None = None
) -> Restored:
    """Build the mirror of a snapshot, as ``sync`` would have built it then.

    Args:
        source: The document.
        options: As for ``sync``.
        at_ms: Unix milliseconds; the newest snapshot not later than this is used.
        out: Absolute path of the new mirror.
        root: As for ``history``.

    Raises:
        DocumentUnavailableError: ``gone``: there is no snapshot that old; or the document cannot
            be read now.
        DocumentUnusableError: The document or the snapshot cannot be read at all.
    """
    unix_ms, state = state_at(source, options, at_ms, root)
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "workspace.yjs")
        document.write_bytes(state)
        document.chmod(os.stat(source.document).st_mode & 0o777)
        then = Source(str(document), out, source.workspace, source.epoch)
        tables = options.tables or read_mirror(source.mirror).options.tables
        chosen = msgspec.structs.replace(options, last_good=False, tables=tables)
        outcome = sync(then, chosen, rested=True, force=True)
    return Restored(unix_ms, outcome)


def state_at(
    source: Source, options: Options, at_ms: int, root: str | None = None
) -> tuple[int, bytes]:
    """Return the time of a snapshot and the document as it was then, as a Yjs V1 update.

    Raises:
        DocumentUnavailableError: ``gone``: there is no snapshot that old; or the document cannot
            be read now.
        DocumentUnusableError: The document or the snapshot cannot be read at all.
    """
    every = list(snapshots_of(source, os.path.realpath(root or os.path.dirname(source.document))))
    found = [(unix_ms, path) for unix_ms, path in every if unix_ms <= at_ms]
    if not found:
        message = "there are no snapshots beside the document"
        if every:
            message = f"there is no snapshot that old; the first one is {every[0][0]}"
        raise DocumentUnavailableError("gone", message)
    unix_ms, path = found[-1]
    past = Past(read_with_retry(source.document, options.max_document_bytes).data)
    return unix_ms, past.state_at(_read(path), _others(unix_ms, every))


def snapshots_of(source: Source, root: str) -> Iterator[Found]:
    """Yield time and path of every snapshot beside a document, oldest first.

    Links that lead out of ``root``, which is a real path, are not followed.
    """
    folder = Path(source.document).parent / "snapshots"
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return
    moments = {int(match[1]): name for name in names if (match := _NAME.fullmatch(name))}
    for unix_ms, name in sorted(moments.items()):
        if is_inside(str(folder / name), root):
            yield unix_ms, str(folder / name)


def _read(path: str) -> bytes:
    return read_stable(path, _MOST_BYTES).data


def _others(unix_ms: int, every: list[Found]) -> Iterator[bytes]:
    """Read the other snapshots, the nearest in time first, without those that cannot be read."""
    for at, path in sorted(every, key=lambda found: abs(found[0] - unix_ms)):
        if at != unix_ms:
            with suppress(SidecarError):
                yield _read(path)


def _moment(
    past: Past, found: Found, every: list[Found], root: str, chosen: tuple[str, ...]
) -> Moment:
    unix_ms, path = found
    size = 0
    try:
        snapshot = _read(path)
        size = len(snapshot)
        tables = _count(past.state_at(snapshot, _others(unix_ms, every)), chosen)
    except SidecarError as error:
        about = _describe(path, root)
        return Moment(unix_ms, about, size, error.code, None, {}, error.message)
    return Moment(unix_ms, _describe(path, root), size, None, sum(tables.values()), tables)


def _count(state: bytes, tables: tuple[str, ...]) -> dict[str, int]:
    content = Content(data=state, size=len(state), digest=digest_bytes(state), mode=0o600)
    with decode(content, accept_trailing=True, tables=tables) as workspace:
        return {
            schema.name: sum(len(block.ids) for block in schema.table.blocks())
            for schema in plan(workspace.tables)
        }


class _Beside(msgspec.Struct):
    """The .json beside a snapshot."""

    description: str | None = None


def _describe(path: str, root: str) -> str | None:
    """Read the description of a snapshot; None when its file is missing or not valid."""
    about = path.removesuffix(".ysnap") + ".json"
    if not is_inside(about, root):
        return None
    try:
        beside = read_stable(about, _MOST_BYTES)
        return msgspec.json.decode(beside.data, type=_Beside).description
    except (SidecarError, msgspec.MsgspecError, ValueError):
        return None
