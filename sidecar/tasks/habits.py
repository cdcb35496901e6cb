"""Options of a mirror when no flag sets them: those of the last mirror, or of its neighbours.

A mirror stores its own options. For mirrors that were lost or damaged, the last options are also
stored in the user's state folder. A new workspace is indexed if most of those beside it are.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice

import msgspec

from sidecar.digests import digest_bytes
from sidecar.errors import SidecarError
from sidecar.mirror.state import Mirror, MirrorOptions, read_mirror
from sidecar.model import Options, Source
from sidecar.names import DOCUMENT, EPOCH, MIRROR, WORKSPACES

_FOLDER = "options"
_MOST_NEIGHBOURS = 8
_MOST_LOOKS = 32
"""Most workspaces to look at, spread over all, because a first pass does it for each document."""
_CACHE_S = 2.0
"""How long the result for the neighbours is cached."""


def habits_of(source: Source, mirror: Mirror, options: Options) -> MirrorOptions:
    """Return the options to build a mirror with: those given now, else the last ones."""
    found = mirror.options
    if mirror.fault is not None and found == MirrorOptions():
        noted = _noted(_note_path(source, options))
        if noted is None and mirror.fault == "missing" and options.fts is None:
            noted = MirrorOptions(_of_neighbours(source))
        found = noted or found
    return found.changed_by(options)


def note_habits(source: Source, options: Options, habits: MirrorOptions) -> None:
    """Store the options of a mirror in the state folder, if they differ. Nothing is raised.

    Default options are stored only if a flag set them: most mirrors need no such file.
    """
    path = _note_path(source, options)
    noted = _noted(path)
    said = (options.fts, options.tables, options.in_place)
    if noted == habits or (noted is None and habits == MirrorOptions() and said == (None,) * 3):
        return
    beside = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(beside, "wb") as file:
            file.write(msgspec.json.encode(habits))
        os.replace(beside, path)


def _note_path(source: Source, options: Options) -> str:
    return _path_of(source.mirror, options.state_folder, int(time.monotonic() / _CACHE_S))


@lru_cache(maxsize=1)
def _path_of(mirror: str, state_folder: str, _now: int) -> str:
    """Give the place of a note; to resolve links is most of it, and each sync asks twice."""
    name = digest_bytes(os.fsencode(os.path.realpath(mirror)))[:32]
    return os.path.join(state_folder, _FOLDER, f"{name}.json")


def _noted(path: str) -> MirrorOptions | None:
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=MirrorOptions)
    except (OSError, msgspec.MsgspecError):
        return None


def _of_neighbours(source: Source) -> tuple[str, ...]:
    """Return the ``fts`` option of most other workspaces of the app."""
    folder = os.path.dirname(source.document)
    above = os.path.dirname(folder if source.epoch is None else os.path.dirname(folder))
    if os.path.basename(source.document) != DOCUMENT or os.path.basename(above) != WORKSPACES:
        return ()
    mirrors = os.path.dirname(source.mirror)
    mirrors = os.path.dirname(mirrors if source.epoch is None else os.path.dirname(mirrors))
    return _habit(mirrors, int(time.monotonic() / _CACHE_S))


@lru_cache(maxsize=4)
def _habit(folder: str, _now: int) -> tuple[str, ...]:
    found: Counter[tuple[str, ...]] = Counter()
    for mirror in _mirrors_in(folder):
        with suppress(SidecarError):  # what is wrong with a neighbour is no concern of this one
            state = read_mirror(mirror)
            if state.facts:
                found[state.options.fts] += 1
        if found.total() >= _MOST_NEIGHBOURS:
            break
    return found.most_common(1)[0][0] if found else ()


def _mirrors_in(folder: str) -> Iterator[str]:
    """Yield the mirrors of some workspaces in a folder, one of each workspace."""
    with suppress(OSError):
        names = sorted(os.listdir(folder))
        for workspace in names[:: 1 + len(names) // _MOST_LOOKS]:
            inner = os.path.join(folder, workspace)
            with suppress(OSError):
                within = os.listdir(inner)
                epochs = sorted((n for n in within if EPOCH.fullmatch(n)), key=int, reverse=True)
                places = [inner, *(os.path.join(inner, epoch) for epoch in epochs)]
                paths = (os.path.join(place, MIRROR) for place in places)
                yield from islice(filter(os.path.isfile, paths), 1)
