"""What an update holds, read from its structs alone: writers, roots, layouts."""

import msgspec

from sidecar.errors import SidecarError
from sidecar.reports import Encoding, OutlineRoot, Writer
from sidecar.yjs.encoding import is_v2, read_varuint, refuse_foreign
from sidecar.yjs.update import ANY, DOC, EMBED, FORMAT, STRING, TYPE, Struct, UpdateReader
from sidecar.yjs.v2 import to_v1

_XML_TYPES = (3, 4, 5, 6)


_MAP, _XML, _TEXT, _ARRAY = "map", "xml", "text", "array"


class Outline(msgspec.Struct, frozen=True):
    """What the structs of an update tell, as far as they can be read.

    Attributes:
        encoding: Of the update.
        roots: By name.
        writers: By client.
        read: Bytes up to where the structs make sense.
    """

    encoding: Encoding
    roots: tuple[OutlineRoot, ...] = ()
    writers: tuple[Writer, ...] = ()
    read: int = 0


def outline(data: bytes) -> Outline:
    """Read the outline of whatever a file holds, without the decoder. Nothing is raised."""
    if not data:
        return Outline("unknown")
    try:
        refuse_foreign(data)
    except SidecarError:
        return Outline("unknown")
    if is_v2(data):
        try:
            update, end = to_v1(data)
        except ValueError:
            return Outline("v2")
        return msgspec.structs.replace(_outline(update), encoding="v2", read=end)
    return _outline(data)


def _outline(data: bytes) -> Outline:
    reader = UpdateReader(data)
    reached: dict[int, int] = {}
    kinds: dict[str, set[str]] = {}
    read, is_whole = 0, False
    try:
        for item in reader.structs():
            reached[item.client] = max(reached.get(item.client, 0), item.clock + item.length)
            if isinstance(item.parent, str):
                kinds.setdefault(item.parent, set()).add(_kind_of_root(item, data))
            read = reader.at
        reader.deleted()
        read, is_whole = reader.at, True
    except ValueError:
        pass  # what was read until here is the answer
    return Outline(
        encoding="v1" if reached or is_whole else "unknown",
        roots=tuple(OutlineRoot(name, _joined(kinds[name])) for name in sorted(kinds)),
        writers=tuple(Writer(client, reached[client]) for client in sorted(reached)),
        read=read,
    )


def layouts(roots: tuple[OutlineRoot, ...]) -> tuple[str, ...]:
    """Recognise the layouts of a document from the names of its roots."""
    names = {root.name for root in roots}
    is_keyed = any(name.startswith("table:") for name in names)
    maps = names & {"tables", "definition", "schema"}
    others = {name for name in names - maps if not name.startswith("table:")}
    has_shapes = bool(others - ({"kv"} if maps or is_keyed else set()))
    layouts = (("maps", bool(maps)), ("keyed_arrays", is_keyed), ("shape", has_shapes))
    return tuple(name for name, found in layouts if found)


def _kind_of_root(item: Struct, data: bytes) -> str:
    """Tell what a root is from something directly in it."""
    if item.key is not None:
        return _MAP
    if item.kind in {STRING, FORMAT, EMBED}:
        return _TEXT
    if item.kind == TYPE:
        reference, _ = read_varuint(data, item.at)
        return _XML if reference in _XML_TYPES else _ARRAY
    return _ARRAY if item.kind in {ANY, DOC} else "unknown"


def _joined(kinds: set[str]) -> str:
    return " and ".join(sorted(kinds - {"unknown"})) or "unknown"
