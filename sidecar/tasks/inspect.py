"""The content of a .yjs file, as far as it can be read."""

import os

from sidecar.document.decode import decode
from sidecar.document.heads import inspect_head, inspect_registry
from sidecar.document.opened import plain_update
from sidecar.document.reading import read_with_retry
from sidecar.errors import Code, SidecarError
from sidecar.files import shown
from sidecar.model import Options, Source, Workspace
from sidecar.names import HEAD, REGISTRY, WORKSPACES
from sidecar.reference.inspect import inspect_tables
from sidecar.reports import (
    InspectedHead,
    InspectedTable,
    InspectedWorkspace,
    Inspection,
    OutlineRoot,
)
from sidecar.yjs.normalize import normalize
from sidecar.yjs.outline import layouts, outline
from sidecar.yjs.salvage import salvage


def inspect(source: Source, options: Options) -> Inspection:
    """Inspect a file. Failures raised on purpose are returned as its code; bugs are raised."""
    try:
        content = read_with_retry(source.document, options.max_document_bytes)
        tables = inspect_tables(plain_update(content))
        with decode(content, accept_trailing=True) as workspace:  # as a sync would
            return _report(source, content.again(), tables, workspace=workspace)
    except SidecarError as error:
        return _what_is_left(source, options, error)


def _what_is_left(source: Source, options: Options, error: SidecarError) -> Inspection:
    """Inspect a file that is not a whole update: its outline, and the tables of the whole part."""
    try:
        data = read_with_retry(source.document, options.max_document_bytes).data
        tables = inspect_tables(normalize(salvage(data)).update)
    except (SidecarError, ValueError, RecursionError):
        return outline_only(source, options, error.code, error.message)
    return _report(source, data, tables, failure=(error.code, error.message))


def outline_only(source: Source, options: Options, code: Code, message: str) -> Inspection:
    """Inspect a file without the decoder, for one that it refuses or at which it crashes.

    Args:
        source: The file.
        options: For its limits.
        code: How the decoder failed.
        message: The same for people.
    """
    try:
        data = read_with_retry(source.document, options.max_document_bytes).data
    except SidecarError as error:
        data, code, message = b"", error.code, error.message
    return _report(source, data, failure=(code, message))


def _report(
    source: Source,
    data: bytes,
    tables: tuple[InspectedTable, ...] = (),
    *,
    workspace: Workspace | None = None,
    failure: tuple[Code | None, str | None] = (None, None),
) -> Inspection:
    seen = outline(data)
    code, message = failure
    roots, found = seen.roots, layouts(seen.roots)
    if workspace:
        roots = tuple(OutlineRoot(root.name, root.kind) for root in workspace.roots)
        found = workspace.layouts
    if message and seen.encoding == "v1":
        message = f"{message} (its structs make sense up to byte {seen.read} of {len(data)})"
    head, workspaces = _of_the_host(source, data)
    return Inspection(
        path=shown(source.document),
        bytes=len(data),
        encoding=seen.encoding,
        code=code,
        layouts=_public(found),
        roots=roots,
        writers=seen.writers,
        tables=tables,
        message=message,
        head=head,
        workspaces=workspaces,
    )


def _of_the_host(
    source: Source, data: bytes
) -> tuple[InspectedHead | None, tuple[InspectedWorkspace, ...] | None]:
    """Return the content of a head.yjs or registry.yjs, which are recognised by their names."""
    folder, name = os.path.split(source.document)
    try:
        if name == HEAD:
            return inspect_head(data), None
        if name == REGISTRY:
            return None, inspect_registry(data, os.path.join(folder, WORKSPACES))
    except (ValueError, IndexError):
        pass  # the report's message already has the reason
    return None, None


def _public(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return the public names of layouts: ``tinybase`` counts as ``shape``."""
    shown = ["shape" if layout == "tinybase" else layout for layout in found]
    return tuple(dict.fromkeys(shown))
