"""Reads the header of a file: whether it is a database, and whether it is a mirror.

By SQLite's file format (1.3). It imports no SQLite, because every command checks files.
"""

import os

APPLICATION_ID = 0x59534D31
HEADER_BYTES = 100
MAGIC = b"SQLite format 3\0"
COUNTERS = (24, 92)
"""Where the change counter is, and the one for which the size in the header is valid."""
_APPLICATION_ID = 68


def is_mirror(path: str) -> bool:
    """Return whether a file is a mirror of any format, which may be replaced."""
    return bears(path, APPLICATION_ID)


def bears(path: str, application_id: int) -> bool:
    """Return whether a file is a SQLite database with this application id in its header."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return False
    return is_of(header, application_id)


def is_of(header: bytes, application_id: int) -> bool:
    """Return whether a header is that of a database with this application id."""
    header = header.ljust(HEADER_BYTES, b"\0")
    return header.startswith(MAGIC) and field(header, _APPLICATION_ID) == application_id


def field(header: bytes, offset: int) -> int:
    """Return the 32-bit number at an offset of the header."""
    return int.from_bytes(header[offset : offset + 4], "big")
