"""``completion``: prints the completion script of a shell. The only user of shtab."""

import argparse
from importlib import import_module

from sidecar.commands import COMMANDS, OK
from sidecar.commands.arguments import Arguments, Parser, fill
from sidecar.commands.terminal import say

EXAMPLES = (
    "source <(epicenter-sidecar completion bash)  # in ~/.bashrc",
    "epicenter-sidecar completion zsh > ~/.zfunc/_epicenter-sidecar",
    "epicenter-sidecar completion fish | source  # in ~/.config/fish/config.fish",
)

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: Parser) -> None:
    """Add the shell."""
    parser.usage = f"{parser.prog} bash|zsh|fish"
    parser.add_argument("shell", choices=SHELLS, help="which shell")


def run(arguments: Arguments) -> int:
    """Print the script."""
    shtab = import_module("shtab")
    say(shtab.complete(_everything(shtab.FILE), shell=arguments.shell).rstrip("\n"))
    return OK


def _everything(files: object) -> argparse.ArgumentParser:
    """Return one parser of all commands, whose arguments are completed as files."""
    parser = Parser(prog="epicenter-sidecar", add_help=False)
    commands = parser.add_subparsers(dest="command")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        fill(command, name, import_module(f"sidecar.commands.{name}"))
        for action in command._actions:  # noqa: SLF001 - shtab reads it too
            if action.dest == "paths" or action.metavar in {"FILE", "DIR"}:
                setattr(action, "complete", files)  # noqa: B010 - shtab requires it
    commands.add_parser("help", help="show the help of a command").add_argument(
        "name", choices=tuple(COMMANDS)
    )
    return parser
