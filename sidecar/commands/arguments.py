"""Command lines: parsers made of the settings, so that flags and variables never differ."""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from sidecar.errors import UsageError
from sidecar.settings import PLACE, Setting, Settings, resolve

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Arguments = argparse.Namespace

_FTS = "--fts"
_END = "--"
"""What follows is no option."""
_WIDTH = 78
_PLACES = (
    "the app's data folder, its workspaces folder, a workspace, an epoch or a document"
    " [SIDECAR_ROOT]"
)
_FIELD_LIST = re.compile(r"[^/\\]+\.[^/\\]+")


class Parser(argparse.ArgumentParser):
    """One that says in one line what is wrong, as everything here does."""

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Write the help; argparse itself says nothing of a stdout that cannot be written."""
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            UsageError: Always.
        """
        advice = f"{message}; {self.prog} --help tells more"
        raise UsageError(advice)


def parse(name: str, summary: str, module: ModuleType, words: list[str]) -> Arguments:
    """Parse the words behind a command's name.

    Raises:
        UsageError: They are wrong.
    """
    parser = Parser(
        prog=f"epicenter-sidecar {name}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES),
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    end = words.index(_END) if _END in words else len(words)
    arguments = parser.parse_intermixed_args(list(_with_bare_fts(words[:end])))
    if behind := words[end + 1 :]:  # argparse would drop a second one, and refuse what has a dash
        if "paths" not in arguments:
            parser.error(f"unrecognized arguments: {' '.join(behind)}")
        arguments.paths += behind
    return arguments


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """One width for all: asking the terminal costs 3 ms, each time an argument is added."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def add_paths(
    parser: Parser, *groups: tuple[Setting, ...], metavar: str = "PATH", places: str = _PLACES
) -> None:
    """Add PATH arguments, the settings that say where, and groups of other settings."""
    parser.add_argument("paths", nargs="*", metavar=metavar, help=places)
    for setting in (*PLACE, *(setting for group in groups for setting in group)):
        help_ = f"{setting.help} [{setting.variable}]"
        if setting.metavar is None:
            parser.add_argument(
                setting.flag, dest=setting.name, action="store_const", const="1", help=help_
            )
        else:
            parser.add_argument(
                setting.flag,
                dest=setting.name,
                metavar=setting.metavar,
                help=help_,
                action="append" if setting.repeated else "store",
            )
    parser.set_defaults(settings=[s.name for s in (*PLACE, *(s for g in groups for s in g))])


def counted(text: str) -> int:
    """Read a number of things to show, for ``add_argument``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        message = f"{text!r} will not do; it takes a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def settings_of(arguments: Arguments) -> Settings:
    """Resolve what ``add_paths`` added, with the environment.

    Raises:
        UsageError: No root is named, or a value makes no sense.
    """
    flags = {name: getattr(arguments, name) for name in arguments.settings}
    return resolve(arguments.paths, flags, os.environ)


def _with_bare_fts(words: Iterable[str]) -> Iterable[str]:
    """Let ``--fts`` stand alone: what follows is its value only if it reads like one."""
    waiting = False
    for word in words:
        if waiting:
            waiting = False
            is_list = _FIELD_LIST.fullmatch(word) and not os.path.exists(word)
            if word == "none" or (is_list and not word.startswith("-")):
                yield f"{_FTS}={word}"
                continue
            yield f"{_FTS}=*"
        if word == _FTS:
            waiting = True
        else:
            yield word
    if waiting:
        yield f"{_FTS}=*"
