"""``mcp``: an MCP server on stdin and stdout, for agents."""

import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sidecar.commands import OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.extras import needs
from sidecar.commands.targets import find
from sidecar.settings import CHOICE

if TYPE_CHECKING:
    from sidecar.readers.mcp import Ask

EXAMPLES = (
    "epicenter-sidecar mcp ~/.local/share/com.example.app",
    "claude mcp add app -- epicenter-sidecar mcp --identifier com.example.app",
)

_MAX_SECONDS = 60.0
"""For one call: a query has half of it by itself."""


def add_arguments(parser: Parser) -> None:
    """Add what ``mcp`` takes."""
    add_paths(parser, CHOICE)


def run(arguments: Arguments) -> int:
    """Serve until stdin ends.

    Raises:
        UsageError: The extra is not installed, or no root is named.
        RootError: A root does not exist or cannot be read.
    """
    settings = settings_of(arguments)
    find(settings)  # a wrong path is said at once, to whoever set this up
    with needs("mcp"):
        import anyio

        from sidecar.readers.mcp import make_server

        server = make_server(asker(settings.roots, _flags(arguments)))
    anyio.run(server.run_stdio_async)
    return OK


def asker(roots: Sequence[str], flags: Sequence[str]) -> "Ask":
    """Give what answers the tools: each command over the roots, in a process of its own."""
    import anyio

    from sidecar.readers.mcp import refusal

    async def ask(words: Sequence[str], behind: Sequence[str]) -> str:
        if words[0] != "search":
            return await run_command(words, [*roots, *behind])
        found = [await run_command(words, [root, *behind]) for root in roots]  # it takes one PATH
        return "\n".join(found)

    async def run_command(words: Sequence[str], behind: Sequence[str]) -> str:
        command = [*_program(), *words, "-q", *flags, "--", *behind]
        try:
            with anyio.fail_after(_MAX_SECONDS):
                done = await anyio.run_process(command, stdin=subprocess.DEVNULL, check=False)
        except TimeoutError:
            message = f"{words[0]} took longer than {_MAX_SECONDS:g} s and was ended"
            raise refusal(message) from None
        said = done.stderr.decode("utf-8", "replace").strip()
        out = done.stdout.decode("utf-8", "replace")
        if done.returncode != OK and (not out.strip() or out.startswith('{"v": 1, "error"')):
            raise refusal(said or f"{words[0]} failed")
        return out

    return ask


def _flags(arguments: Arguments) -> list[str]:
    """Give the options that say which documents are meant, for the commands that answer."""
    flags: list[str] = []
    switches = {setting.name for setting in CHOICE if setting.metavar is None}
    for name in arguments.settings:
        value = getattr(arguments, name)
        if name == "identifier" or value is None:  # that one is among the roots by now
            continue
        flag = f"--{name.replace('_', '-')}"
        values = list(map(str, value)) if isinstance(value, list) else [str(value)]  # pyright: ignore[reportUnknownArgumentType] - argparse's
        flags += [flag] if name in switches else [f"{flag}={one}" for one in values]
    return flags


def _program() -> list[str]:
    """Return how this program is started; never with modules of the current folder."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-P", "-m", "sidecar"]
