"""What is whole in an update that was cut or overwritten, as an update of its own. Pure."""

from sidecar.yjs.encoding import write_varuint
from sidecar.yjs.update import UpdateReader


def salvage(data: bytes) -> bytes:
    """Return a V1 update of the structs at the front of another one that can be read.

    The delete set stands at the end and is lost: what was deleted may be among it.

    Args:
        data: An update that does not end where it should, or makes no sense from some place on.

    Returns:
        An update; what its structs refer to may be missing in it.
    """
    reader = UpdateReader(data)
    sections: list[bytes] = []
    try:
        for _ in range(reader.number()):
            count, client, clock = reader.number(), reader.number(), reader.number()
            start = reader.at
            whole, end = _whole(reader, count, client, clock)
            if whole:
                head = b"".join(map(write_varuint, (whole, client, clock)))
                sections.append(head + data[start:end])
            if whole < count:
                break
    except ValueError:
        pass  # what was read until here is the answer
    return write_varuint(len(sections)) + b"".join(sections) + write_varuint(0)


def _whole(reader: UpdateReader, count: int, client: int, clock: int) -> tuple[int, int]:
    """Read structs of one client; return how many are whole, and where the last of them ends."""
    whole, end = 0, reader.at
    try:
        for _ in range(count):
            found = reader.struct(client, clock)
            if not found.length:  # zeros, as a file has them that was not written to its end
                break
            clock += found.length
            whole, end = whole + 1, reader.at
    except ValueError:
        pass
    return whole, end
