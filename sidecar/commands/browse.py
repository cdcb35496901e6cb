"""``browse``: mirrors in the web browser, by Datasette."""

import socket
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sidecar.commands import OK
from sidecar.commands.answers import add_all, meant
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.extras import needs
from sidecar.commands.terminal import complain, escape, say
from sidecar.commands.workspaces import Target
from sidecar.errors import MirrorDamagedError, SidecarError
from sidecar.readers.doorkeeper import Doorkeeper
from sidecar.readers.guard import check
from sidecar.readers.query import NamedMirror
from sidecar.settings import CHOICE

if TYPE_CHECKING:
    from sidecar.readers.datasette import NamedDatabase

EXAMPLES = (
    "epicenter-sidecar browse ~/.local/share/com.example.app",
    "epicenter-sidecar browse --identifier com.example.app --no-open",
)

_HOST = "127.0.0.1"


def add_arguments(parser: Parser) -> None:
    """Add what ``browse`` takes."""
    add_paths(parser, CHOICE, places="a mirror, a document, or a folder of them")
    parser.add_argument("--no-open", action="store_true", help="only print the link")
    add_all(parser)


def run(arguments: Arguments) -> int:
    """Serve until a signal comes.

    Raises:
        UsageError: The extra is not installed, or no root is named.
        SidecarError: No mirror can be read.
    """
    settings = settings_of(arguments)
    if not _readable(meant(settings, every=arguments.all).targets):
        raise SidecarError("gone", "no mirror can be read here; run sync to build them")
    with needs("browse"):
        import uvicorn

        from sidecar.readers.datasette import make_app, make_datasette

    def find() -> "list[NamedDatabase]":
        targets: list[Target] = []
        with suppress(SidecarError):  # there may be none for a moment
            targets = _readable(meant(settings, every=arguments.all).targets)
        return [
            (NamedMirror(target.source, target.standing.name), name, target.standing.icon)
            for target, name in zip(targets, names_of(targets), strict=True)
        ]

    datasette = make_datasette(find)
    listener = socket.create_server((_HOST, 0))
    port = listener.getsockname()[1]
    door = Doorkeeper(make_app(datasette), port)
    link = f"http://{_HOST}:{port}/?token={door.token}"
    say(escape(link))
    if not arguments.no_open:
        webbrowser.open(link)
    config = uvicorn.Config(door, log_level="warning", access_log=False, lifespan="on")
    uvicorn.Server(config).run(sockets=[listener])
    return OK


def names_of(targets: list[Target]) -> list[str]:
    """Name each database by its workspace, and by more where two are called alike."""
    names = [target.standing.name or target.source.workspace or "mirror" for target in targets]
    full = [
        f"{name} ({target.source.workspace}/{target.source.epoch})"
        if names.count(name) > 1 or name.startswith("_")
        else name
        for name, target in zip(names, targets, strict=True)
    ]
    return [
        f"{name} {number}" if full.count(name) > 1 else name for number, name in enumerate(full, 1)
    ]


def _readable(targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if _is_there(target)]


def _is_there(target: Target) -> bool:
    try:
        check(target.source.mirror)
    except MirrorDamagedError as error:
        complain(error.message)
        return False
    return True
