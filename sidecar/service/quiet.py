"""For how long a file has not been changed: the one use of its times but for equality.

File events are heard late, and what is heard may be over. A clock that jumps, or a server's that is
another one, makes a debounce shorter by the lag of the events, or longer by itself, and no more.
"""

import sys
import time

from sidecar.discovery import CTIME_NS, MTIME_NS, Signature

_CHANGED = {"win32": MTIME_NS}.get(sys.platform, CTIME_NS)
"""ctime cannot be set; on Windows it is the time of creation."""


def quiet_s(version: Signature) -> float:
    """Return the seconds since a file was changed, negative when that cannot be told."""
    return time.time() - version[_CHANGED] / 1e9
