"""What the commands share that answer from mirrors: which are asked, and how fresh they are."""

import os
from collections.abc import Sequence

from sidecar.commands.arguments import Parser
from sidecar.commands.render import age, name_of
from sidecar.commands.targets import mirrors_of
from sidecar.commands.terminal import complain, plural
from sidecar.document.standing import standing_of
from sidecar.errors import SidecarError
from sidecar.files import shown
from sidecar.model import Source
from sidecar.readers.members import Queried
from sidecar.readers.query import Target
from sidecar.settings import Settings

_MOST_LINES = 3
_STATES = {
    "in_step": "in step",
    "changed": "its document has changed since",
    "missing": "no mirror",
}


def add_all(parser: Parser) -> None:
    """Add ``--all``."""
    parser.add_argument(
        "--all", action="store_true", help="older epochs and deleted workspaces too"
    )


def targets_of(settings: Settings, *, everything: bool) -> list[Target]:
    """Find the mirrors that are meant, each with its workspace's name.

    Args:
        settings: The roots.
        everything: Whether older epochs and deleted workspaces count; what a PATH names by
            itself always does.

    Raises:
        SidecarError: There are no documents.
    """
    found: list[Target] = []
    sources = mirrors_of(settings)
    for source in sources:
        standing = standing_of(source)
        is_living = standing.current and not standing.deleted
        if everything or is_living or _is_named(source, settings.roots):
            found.append(Target(source, standing.name))
    if not sources:
        places = ", ".join(map(shown, settings.roots))
        message = f"no documents in {places}; give the app's data folder, a workspace or a document"
        raise SidecarError("gone", message)
    if not found:
        message = (
            f"only older epochs and deleted workspaces in {', '.join(map(shown, settings.roots))};"
            " --all takes them too"
        )
        raise SidecarError("gone", message)
    return found


def say_freshness(sources: Sequence[Queried]) -> None:
    """Say on stderr how old the answers' mirrors are, and whether they are in step."""
    if len(sources) <= _MOST_LINES:
        for source in sources:
            published = source.mirror_mtime_ms
            when = "" if published is None else f", published {age(published)}"
            complain(f"{name_of(source)}: {_STATES[source.state]}{when}")
        return
    counts = {state: sum(one.state == state for one in sources) for state in _STATES}
    told = ", ".join(f"{count} {_STATES[state]}" for state, count in counts.items() if count)
    complain(f"{plural(len(sources), 'mirror')}: {told}")


def _is_named(source: Source, roots: Sequence[str]) -> bool:
    """Tell whether a PATH means just this document: it, its mirror, or its epoch's folder."""
    folder = os.path.dirname(source.document)
    named = {source.document, source.mirror}
    if source.epoch is not None:
        named.add(folder)
    return not named.isdisjoint(roots)
