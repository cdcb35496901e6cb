"""Parsers for command lines, made from the settings, so that flags and variables agree."""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from sidecar import __version__
from sidecar.commands import EXITS
from sidecar.commands.terminal import HABITS
from sidecar.errors import UsageError
from sidecar.settings import COLOR, PLACE, Setting, Settings, resolve, value_of

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Arguments = argparse.Namespace

_UNKNOWN = "unrecognized arguments: "
_FTS = "--fts"
_END = "--"
"""Words after it are not options."""
_WIDTH = 78
_PLACES = (
    "the app's data folder, its workspaces folder, a workspace, an epoch or a document"
    " [SIDECAR_ROOT]"
)
_FIELD_LIST = re.compile(r"[^/\\]+\.[^/\\]+")


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, as all commands do."""

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Write the help; argparse itself ignores a stdout that cannot be written."""
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Report an error in the command line.

        Raises:
            UsageError: Always.
        """
        advice = f"{message}{self._meant(message)}; {self.prog} --help shows what it takes"
        raise UsageError(advice)

    def _meant(self, message: str) -> str:
        """Return a suggestion for a flag that does not exist."""
        if not message.startswith(_UNKNOWN):
            return ""
        from sidecar.commands.near import near  # only after a mistake

        flags = [word.partition("=")[0] for word in message[len(_UNKNOWN) :].split()]
        close = [near(flag, self._option_string_actions) for flag in flags if flag[:1] == "-"]
        meant = [names[0] for names in close if names]
        return f"; did you mean {' '.join(meant)}?" if meant else ""


def parse(name: str, summary: str, module: ModuleType, words: list[str]) -> Arguments:
    """Parse the words after a command's name, and set the ``HABITS`` among them.

    Raises:
        UsageError: They are not valid.
    """
    parser = parser_of(name, summary, module)
    end = words.index(_END) if _END in words else len(words)
    arguments = parser.parse_intermixed_args(list(_with_bare_fts(words[:end])))
    if behind := words[
        end + 1 :
    ]:  # argparse would drop a second "--", and refuse words with a dash
        if "paths" not in arguments:
            parser.error(f"{_UNKNOWN}{' '.join(behind)}")
        arguments.paths += behind
    HABITS.is_quiet = arguments.quiet
    HABITS.color = str(value_of(COLOR, arguments.color, os.environ) or "auto")
    return arguments


def parser_of(name: str, summary: str, module: ModuleType) -> Parser:
    """Return the parser of one command."""
    parser = Parser(
        prog=f"epicenter-sidecar {name}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES),
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    return fill(parser, name, module)


def fill(parser: Parser, name: str, module: ModuleType) -> Parser:
    """Add the arguments of a command, and those of all commands; return the parser."""
    module.add_arguments(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what is wrong")
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="log more on stderr; -vv logs everything"
    )
    parser.add_argument(COLOR.flag, metavar=COLOR.metavar, help=f"{COLOR.help} [{COLOR.variable}]")
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"epicenter-sidecar {__version__}",
        help="print the version",
    )
    if "xit codes" not in (parser.epilog or ""):
        parser.epilog = f"{_exits(name)}\n\n{parser.epilog}"
    return parser


def _exits(name: str) -> str:
    ok, failed = EXITS.get(name, ("done", "failed"))
    return (
        f"exit codes:\n  0 {ok}\n  1 {failed}\n"
        "  2 wrong command line, 3 root unusable, 4 locked by another process"
    )


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """A fixed width: asking the terminal takes 3 ms, each time an argument is added."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def add_paths(
    parser: Parser, *groups: tuple[Setting, ...], metavar: str = "PATH", places: str = _PLACES
) -> None:
    """Add PATH arguments, the settings in ``PLACE``, and groups of other settings."""
    parser.usage = parser.usage or f"{parser.prog} [{metavar}...] [options]"
    parser.add_argument("paths", nargs="*", metavar=metavar, help=places)
    for setting in (*PLACE, *(setting for group in groups for setting in group)):
        help_ = f"{setting.help} [{setting.variable}]"
        if setting.metavar is None:
            parser.add_argument(
                setting.flag, dest=setting.name, action="store_const", const="1", help=help_
            )
            if setting.is_kept:
                parser.add_argument(
                    setting.off_flag,
                    dest=setting.name,
                    action="store_const",
                    const="0",
                    help=argparse.SUPPRESS,
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
    """Return the number in an argument, for ``add_argument``.

    Raises:
        argparse.ArgumentTypeError: It is not a whole number from 1.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        message = f"{text!r} is not valid; give a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def settings_of(arguments: Arguments) -> Settings:
    """Resolve the arguments of ``add_paths``, with the environment.

    Raises:
        UsageError: No root is given, or a value is not valid.
    """
    flags = {name: getattr(arguments, name) for name in arguments.settings}
    if arguments.verbose and flags.get("log_level") is None:
        flags["log_level"] = "info" if arguments.verbose == 1 else "debug"
    return resolve(arguments.paths, flags, os.environ)


def _with_bare_fts(words: Iterable[str]) -> Iterable[str]:
    """Allow ``--fts`` without a value: the next word is its value only if it looks like one."""
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
