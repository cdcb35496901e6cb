"""Sources of file events: watchfiles, or polling. The only user of watchfiles."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from sidecar.extensions import load_extension

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

log = logging.getLogger(__name__)


class Events(Protocol):
    """A source of the paths that changed in some folders, each without its subfolders.

    The kind of event is left out, because it differs between systems.
    """

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; True when at least one was not watched before."""
        ...

    def wait(self, seconds: float) -> set[str] | None:
        """Return paths, an empty set after ``seconds``, None when anything may have changed.

        The path of a watched folder is returned when another folder may be there now.
        """
        ...

    def wake(self) -> None:
        """End the present wait and all later ones, from another thread."""
        ...

    def close(self) -> None:
        """Stop watching and free everything."""
        ...


_POLL_S = 0.25


_POLL_SHARE = 10.0
"""Polling pauses for ten times as long as a scan takes: at most a tenth of a core."""


_STEP_MS = 50, 250
"""Shortest and longest step. watchfiles wakes up once a step, which takes 0.08 ms of CPU, and
returns changes in the second or third one: late, but before a debounce of two steps ends."""


def step_ms(debounce_ms: int) -> int:
    """Return the time between two checks for file events: as long as the debounce allows."""
    least, most = _STEP_MS
    return min(most, max(least, debounce_ms // 2))


def lag_s(debounce_ms: int) -> float:
    """Return how late an event may arrive: two steps."""
    return 2 * step_ms(debounce_ms) / 1000


class Polling:
    """Polling instead of events, for network folders and systems without free watches."""

    def __init__(self) -> None:
        """Begin."""
        self._woken = threading.Event()
        self._since = time.monotonic()

    def follow(self, folders: Iterable[str]) -> bool:  # noqa: ARG002 - as Events has it
        """Do nothing: no folder needs to be watched."""
        return False

    def wait(self, seconds: float) -> set[str] | None:  # noqa: ARG002 - as Events has it
        """Pause, then return None: anything may have changed."""
        looked_s = time.monotonic() - self._since
        self._woken.wait(max(_POLL_S, looked_s * _POLL_SHARE))
        self._since = time.monotonic()
        return None

    def wake(self) -> None:
        """End the present wait and all later ones."""
        self._woken.set()

    def close(self) -> None:
        """Do nothing."""


class Notify:
    """File events by watchfiles: inotify, FSEvents, ReadDirectoryChangesW.

    Folders are watched without their subfolders: recursive watching would follow links out of the
    root. watchfiles' own ``watch`` cannot be used, because its first ``next`` waits for a change.
    """

    def __init__(self, step_ms: int) -> None:
        """Begin without any folder."""
        self._step_ms = step_ms
        self._stopping = threading.Event()
        self._followed: dict[str, tuple[int, int]] = {}
        self._watcher: RustNotify | None = None

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; a folder that replaced another one of its name counts as new."""
        wanted = {folder: _identity(folder) for folder in folders if os.access(folder, os.R_OK)}
        if wanted == self._followed:
            return False
        self.close()
        self._followed = wanted
        try:
            self._watcher = _arm(list(wanted))
        except (FileNotFoundError, PermissionError):  # since the scan
            self._followed = {}
        except (RuntimeError, UnicodeEncodeError) as error:  # no free watches, not UTF-8
            raise OSError(str(error)) from error
        return True

    def wait(self, seconds: float) -> set[str] | None:
        """Return paths; None when the watch failed, because anything may have changed."""
        if self._watcher is None or not self._followed:
            self._stopping.wait(min(seconds, _POLL_S))
            return None
        try:
            changes = self._watcher.watch(
                self._step_ms, self._step_ms, max(1, int(seconds * 1000)), self._stopping
            )
        except (OSError, RuntimeError, ValueError) as error:  # a name that is not UTF-8
            log.debug("file events failed (%s); watching all folders again", error)
            self._followed = {}
            return None
        if isinstance(changes, str):  # a time-out, or ``wake``
            return set()
        paths = {path for _, path in changes}
        for path in paths:  # a folder with an event of its own may be a new folder, which must be
            self._followed.pop(path, None)  # watched again; its inode may have been reused
        return paths

    def wake(self) -> None:
        """End the present wait and all later ones."""
        self._stopping.set()

    def close(self) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


def _arm(folders: list[str]) -> "RustNotify":
    """Start to watch folders.

    Raises:
        FileNotFoundError: One of them does not exist.
        OSError, RuntimeError: The system cannot watch them.
    """
    make: type[RustNotify] = load_extension("watchfiles", "_rust_notify").RustNotify
    # not ``pass_over``: it ignores not only folders without permission, but also a lack of watches
    debug = polling = recursive = pass_over = False
    return make(folders, debug, polling, 0, recursive, pass_over)


def _identity(folder: str) -> tuple[int, int]:
    try:
        seen = os.stat(folder)
    except OSError:
        return (0, 0)
    return (seen.st_dev, seen.st_ino)
