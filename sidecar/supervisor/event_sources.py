"""Sources of file events: by watchfiles, or by looking often. The only user of watchfiles."""

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
    """A source of paths at which something happened, in folders, each for its own entries only.

    What happened is not said: kinds of events differ between systems, and files are looked at.
    """

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; True when one is watched that was not before."""
        ...

    def wait(self, seconds: float) -> set[str] | None:
        """Return paths, an empty set after ``seconds``, None when anything may have changed.

        A followed folder is among them when it may not be the same folder any more.
        """
        ...

    def wake(self) -> None:
        """End a wait, now and for ever, from another thread."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


_POLL_S = 0.25


_POLL_SHARE = 10.0
"""Polling rests ten times as long as a look takes, so that it costs a tenth of a core at most."""


_STEP_MS = 50, 250
"""Least and most of a step. watchfiles wakes up once a step, which costs 0.08 ms of CPU, and gives
changes out in the second or third one: late, but sooner than a debounce of two steps ends."""


def step_ms(debounce_ms: int) -> int:
    """Return how often to look for file events: as seldom as the debounce allows."""
    least, most = _STEP_MS
    return min(most, max(least, debounce_ms // 2))


def lag_s(debounce_ms: int) -> float:
    """Return how late an event may be heard: two steps."""
    return 2 * step_ms(debounce_ms) / 1000


class Polling:
    """No events at all: looks often, for network folders and exhausted systems."""

    def __init__(self) -> None:
        """Begin."""
        self._woken = threading.Event()
        self._since = time.monotonic()

    def follow(self, folders: Iterable[str]) -> bool:  # noqa: ARG002 - as Events has it
        """Nothing needs to be armed."""
        return False

    def wait(self, seconds: float) -> set[str] | None:  # noqa: ARG002 - as Events has it
        """Rest, and have everything looked at."""
        looked_s = time.monotonic() - self._since
        self._woken.wait(max(_POLL_S, looked_s * _POLL_SHARE))
        self._since = time.monotonic()
        return None

    def wake(self) -> None:
        """End a wait, now and for ever."""
        self._woken.set()

    def close(self) -> None:
        """Nothing to give back."""


class Notify:
    """File events by watchfiles: inotify, FSEvents, ReadDirectoryChangesW.

    Each folder is watched for its own entries only: recursive watching would follow links out of
    the root. watchfiles' own ``watch`` cannot be used, as its first ``next`` waits for a change.
    """

    def __init__(self, step_ms: int) -> None:
        """Begin with nothing watched."""
        self._step_ms = step_ms
        self._stopping = threading.Event()
        self._followed: dict[str, tuple[int, int]] = {}
        self._watcher: RustNotify | None = None

    def follow(self, folders: Iterable[str]) -> bool:
        """Watch these folders; one that was replaced under its name counts as new."""
        wanted = {folder: _identity(folder) for folder in folders if os.access(folder, os.R_OK)}
        if wanted == self._followed:
            return False
        self.close()
        self._followed = wanted
        try:
            self._watcher = _arm(list(wanted))
        except (FileNotFoundError, PermissionError):  # gone or closed since we looked
            self._followed = {}
        except (RuntimeError, UnicodeEncodeError) as error:  # watches used up, no UTF-8
            raise OSError(str(error)) from error
        return True

    def wait(self, seconds: float) -> set[str] | None:
        """Return paths; when the watch fails, everything has to be looked at."""
        if self._watcher is None or not self._followed:
            self._stopping.wait(min(seconds, _POLL_S))
            return None
        try:
            changes = self._watcher.watch(
                self._step_ms, self._step_ms, max(1, int(seconds * 1000)), self._stopping
            )
        except (OSError, RuntimeError, ValueError) as error:  # a name that is no UTF-8
            log.debug("watching begins anew: %s", error)
            self._followed = {}
            return None
        if isinstance(changes, str):  # a time-out, or woken
            return set()
        paths = {path for _, path in changes}
        for path in paths:  # a folder that itself changed may be a new one, to be armed anew; its
            self._followed.pop(path, None)  # inode says nothing: systems give it out again
        return paths

    def wake(self) -> None:
        """End a wait, now and for ever."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the watch."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


def _arm(folders: list[str]) -> "RustNotify":
    """Watch folders from now on.

    Raises:
        FileNotFoundError: One of them is gone.
        OSError, RuntimeError: The system refuses.
    """
    make: type[RustNotify] = load_extension("watchfiles", "_rust_notify").RustNotify
    # reported to pass over folders that are denied, it passes over used up watches as well
    debug = polling = recursive = pass_over = False
    return make(folders, debug, polling, 0, recursive, pass_over)


def _identity(folder: str) -> tuple[int, int]:
    try:
        seen = os.stat(folder)
    except OSError:
        return (0, 0)
    return (seen.st_dev, seen.st_ino)
