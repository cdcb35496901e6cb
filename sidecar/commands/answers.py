"""Shared by the commands that read mirrors: which mirrors they read, and how old those are."""

import os
from collections.abc import Sequence

from sidecar.commands.arguments import Parser
from sidecar.commands.render import age, called
from sidecar.commands.targets import Chosen, chosen, command_line
from sidecar.commands.terminal import HABITS, complain, plural
from sidecar.errors import SidecarError
from sidecar.files import shown
from sidecar.readers.members import Queried, queried
from sidecar.readers.query import NamedMirror
from sidecar.settings import Settings

_MOST_LINES = 3
_STATES = {
    "in_step": "in step",
    "changed": "its document has changed since",
    "missing": "no mirror",
}
_OF_MANY = {"in_step": "in step", "changed": "changed since", "missing": "without a mirror"}


def add_all(parser: Parser) -> None:
    """Add ``--all``."""
    parser.add_argument(
        "--all", action="store_true", help="include older epochs and deleted workspaces"
    )


def meant(settings: Settings, *, every: bool) -> Chosen:
    """Return the selected mirrors.

    Args:
        settings: The roots and the selection.
        every: Include older epochs and deleted workspaces.

    Raises:
        SidecarError: There are none.
    """
    found = chosen(settings, every=every)
    if not found.targets:
        places = ", ".join(map(shown, settings.roots))
        message = f"no documents in {places}; give the app's data folder, a workspace or a document"
        if found.older or found.deleted:
            message = f"only older epochs and deleted workspaces in {places}; --all includes them"
        raise SidecarError("gone", message)
    return found


def need_a_mirror(settings: Settings, found: Chosen) -> None:
    """Raise an error with the command to build the mirrors, if there is none.

    Raises:
        SidecarError: There is none.
    """
    if not any(os.path.lexists(target.source.mirror) for target in found.targets):
        message = f"no mirrors yet; build them with: {command_line('sync', settings)}"
        raise SidecarError("gone", message)


def mirrors_of(found: Chosen) -> list[NamedMirror]:
    """Return the mirrors in the form that ``readers/`` use."""
    return [NamedMirror(target.source, target.standing.name) for target in found.targets]


def sources_of(found: Chosen) -> tuple[Queried, ...]:
    """Return the age of each mirror, and whether its document has changed since."""
    from sidecar.mirror.state import read_mirror  # for commands that do not open mirrors by SQL

    states: list[Queried] = []
    for target in found.targets:
        try:
            facts = read_mirror(target.source.mirror).facts or None
        except SidecarError:
            facts = None
        states.append(queried(target.source, target.standing.name, facts))
    return tuple(states)


def say_freshness(sources: Sequence[Queried]) -> None:
    """Print on stderr how old the mirrors are, and whether they are in step."""
    if HABITS.is_quiet:
        return
    if len(sources) <= _MOST_LINES:
        for source in sources:
            published = source.mirror_mtime_ms
            when = "" if published is None else f", published {age(published)}"
            complain(f"{called(source, source.name)}: {_STATES[source.state]}{when}")
        return
    counts = {state: sum(one.state == state for one in sources) for state in _OF_MANY}
    states = ", ".join(f"{count} {_OF_MANY[state]}" for state, count in counts.items() if count)
    complain(f"{plural(len(sources), 'workspace')}: {states}")
