"""Read a document that another program may be writing, and refuse early what is no document."""

import errno
import os
import stat
import time
from collections.abc import Callable

import msgspec

from sidecar.digests import digest_bytes, digest_stream
from sidecar.errors import DocumentUnavailableError, DocumentUnusableError, SidecarError
from sidecar.files import FileVersion, reason_of

KEPT = 1 << 20
"""Bytes of a file that stay in memory while it is decoded: reading a small one again costs more,
and a host that saves on each keystroke has written the next state by then."""
_WAITS_S = (0.02, 0.05, 0.1, 0.25)
"""Hosts truncate and rewrite in place; most are done within these."""


class Content(msgspec.Struct):
    """The whole of a document at one moment.

    Attributes:
        data: Its bytes; empty when they are the expected ones, or many and taken.
        size: How many.
        digest: Their digest.
        mode: The file's permission bits.
        read_again: Reads the same bytes once more, None where that cannot be done.
    """

    data: bytes
    size: int
    digest: str
    mode: int
    read_again: Callable[[], bytes] | None = None

    def take(self) -> bytes:
        """Give the bytes away, so that many can be freed: a decode holds twenty times as many."""
        data = self.data
        if self.read_again and len(data) > KEPT:
            self.data = b""
        return data

    def again(self) -> bytes:
        """Return the bytes after they were taken.

        Raises:
            DocumentUnavailableError: ``torn``: the file is another one by now.
        """
        if not self.data and self.read_again:
            self.data = self.read_again()
        return self.data


class Expected(msgspec.Struct, frozen=True):
    """Bytes that need not be read into memory again: their size, and the digests they may have."""

    size: int
    digests: tuple[str | None, ...]


def read_stable(path: str, max_bytes: int, expected: Expected | None = None) -> Content:
    """Read a document between two equal stats.

    Hosts truncate and rewrite in place, so a file may be empty, short or changing at any moment.

    Args:
        path: The document, a regular file.
        max_bytes: Larger files are refused before they are read.
        expected: What the file probably still is. Then it is only digested, block by block, which
            takes half of the time: fresh memory is what costs.

    Raises:
        DocumentUnavailableError: ``gone``, ``denied``, ``empty`` or ``torn`` (changed meanwhile).
        DocumentUnusableError: ``foreign`` (no regular file) or ``too_large``.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise DocumentUnusableError("foreign", f"{path} is no regular file")
        descriptor = os.open(path, os.O_RDONLY | _OPEN_FLAGS)
    except OSError as error:
        raise _open_error(path, error) from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise DocumentUnusableError("foreign", f"{path} is no regular file")
        if before.st_size > max_bytes:
            raise DocumentUnusableError(
                "too_large",
                f"{path} has {before.st_size / (1 << 20):.1f} MB, more than --max-document-mb "
                f"{max_bytes >> 20} allows",
            )
        data, digest, size = b"", None, before.st_size
        if expected and expected.size == size:
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                digest = digest_stream(file.readinto)
            os.lseek(descriptor, 0, os.SEEK_SET)
        if expected is None or digest is None or digest not in expected.digests:
            data = _read_all(descriptor, before.st_size)
            digest, size = digest_bytes(data), len(data)
        after = os.fstat(descriptor)
    except OSError as error:
        raise DocumentUnavailableError("denied", f"{path} cannot be read: {error}") from error
    finally:
        os.close(descriptor)
    if size != after.st_size or FileVersion.of(before) != FileVersion.of(after):
        raise DocumentUnavailableError("torn", f"{path} changed while it was read")
    if not size:
        raise DocumentUnavailableError("empty", f"{path} is empty; its app may be writing it")
    return Content(
        data=data,
        size=size,
        digest=digest,
        mode=after.st_mode & 0o777,
        read_again=lambda: _read_again(path, max_bytes, digest),
    )


def read_with_retry(path: str, max_bytes: int, expected: Expected | None = None) -> Content:
    """Read a document, with some patience for an app that is writing it just now.

    Args:
        path: The document.
        max_bytes: Larger files are refused.
        expected: As for ``read_stable``.

    Raises:
        DocumentUnavailableError: As ``read_stable``, also after the last try.
        DocumentUnusableError: As ``read_stable``.
    """
    for wait_s in _WAITS_S:
        try:
            return read_stable(path, max_bytes, expected)
        except DocumentUnavailableError as error:
            if error.code not in {"empty", "torn"}:
                raise
        time.sleep(wait_s)
    return read_stable(path, max_bytes, expected)


def _read_again(path: str, max_bytes: int, digest: str) -> bytes:
    content = read_stable(path, max_bytes)
    if content.digest != digest:
        raise DocumentUnavailableError("torn", f"{path} changed while it was read")
    return content.data


_OPEN_FLAGS = (
    getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
"""Without O_NONBLOCK, opening a FIFO would wait for its writer."""


def _read_all(descriptor: int, expected: int) -> bytes:
    data = os.read(descriptor, expected + 1)
    if len(data) == expected:
        return data
    parts = [data]
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
        if sum(map(len, parts)) > expected:
            break
    return b"".join(parts)


def _open_error(path: str, error: OSError) -> SidecarError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return DocumentUnavailableError("gone", f"{path} is not there")
    if error.errno in (errno.ENXIO, errno.EISDIR, errno.ELOOP):
        return DocumentUnusableError("foreign", f"{path} is no regular file")
    return DocumentUnavailableError("denied", f"{path} cannot be opened: {reason_of(error)}")
