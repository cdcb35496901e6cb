"""What the first bytes of a file say: whether it is a database, and whether it is a mirror.

By SQLite's file format (1.3). Loads nothing, SQLite least of all: every command looks at files.
"""

import os

APPLICATION_ID = 0x59534D31
HEADER_BYTES = 100
MAGIC = b"SQLite format 3\0"
_APPLICATION_ID = 68


def is_mirror(path: str) -> bool:
    """Tell whether a file is a mirror of any format, so that it may be written over."""
    return bears(path, APPLICATION_ID)


def bears(path: str, application_id: int) -> bool:
    """Tell whether a file is an SQLite database with this application id in its header."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return False
    return is_of(header, application_id)


def is_of(header: bytes, application_id: int) -> bool:
    """Tell whether a header is that of a database with this application id."""
    header = header.ljust(HEADER_BYTES, b"\0")
    return header.startswith(MAGIC) and field(header, _APPLICATION_ID) == application_id


def field(header: bytes, offset: int) -> int:
    """Read one of its numbers."""
    return int.from_bytes(header[offset : offset + 4], "big")
