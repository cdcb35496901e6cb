"""The command line: a list of commands, each in a module of its own that is loaded when it runs.

A command module has ``EXAMPLES`` (lines for its help), ``add_arguments(parser)`` and
``run(arguments) -> exit code``; ``error_line(error)`` where errors under ``--json`` have a shape.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sidecar.errors import LockedError, RootError, SidecarError, UsageError, is_scarcity

if TYPE_CHECKING:
    from types import ModuleType

COMMANDS = {
    "watch": "follow documents: keep each mirror in step until stopped",
    "sync": "bring every mirror in step once, then exit",
    "status": "say which mirrors are in step",
    "verify": "compare mirrors with their documents, cell by cell",
    "inspect": "show what a .yjs file holds",
    "diff": "show what changed between documents, moments or mirrors",
    "history": "list a document's snapshots, or build the mirror of one",
    "search": "find rows by their words, in mirrors built with --fts",
    "query": "answer a question in SQL, over one mirror or many",
    "problems": "say in words what could not be shown as asked, and what to do",
    "mcp": "serve agents: an MCP server on stdin and stdout (an extra)",
    "browse": "show mirrors in the web browser, by Datasette (an extra)",
    "export": "write all mirrors into one SQLite file",
    "schema": "print tables and columns as compact text, for people and prompts",
    "service": "have systemd keep watch running, or print what launchd needs",
    "clean": "list the mirrors that this program made, or remove them",
    "completion": "print what completes command lines in bash, zsh or fish",
    "protocol": "print the host protocol as JSON Schema or TypeScript",
}

EXITS = {
    "watch": ("asked to stop", "stdout was lost, or something failed"),
    "sync": ("all mirrors are in step", "some failed, or there are no documents"),
    "status": ("all mirrors are in step", "some are not, or there are no documents"),
    "verify": ("all mirrors are equal", "some are not, or there are no documents"),
    "inspect": ("the file was read", "it cannot be read"),
    "diff": ("no difference", "they differ, or cannot be read"),
    "history": ("done", "the document or the snapshot cannot be read"),
    "search": ("found", "nothing found, or nothing is indexed"),
    "problems": ("none", "there are some, or there is no mirror"),
}
"""What 0 and 1 mean, for the helps; what is not listed is done or has failed."""

OK, FAILED, USAGE, ROOT, LOCKED = 0, 1, 2, 3, 4
INTERRUPTED = 130

_NO_STDOUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What a write may be refused with; for files of ours the error has a name."""


def main(words: Sequence[str]) -> int:
    """Run one command and return its exit code: 2 usage, 3 root unusable, 4 locked."""
    try:
        try:
            return _run(words)
        finally:
            sys.stdout.flush()
    except (OSError, RuntimeError) as error:
        message = _hindrance(error)
        if message is None:
            raise
        with suppress(OSError):  # or the interpreter complains at its end of what is unwritten
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if message:
            _complain(message)
        return FAILED


def _hindrance(error: OSError | RuntimeError) -> str | None:
    """Say what the system refuses: nothing of a reader that has left, None of a bug of ours."""
    if isinstance(error, BrokenPipeError):
        return ""
    if is_scarcity(error):
        reason = error.strerror if isinstance(error, OSError) else error
        return f"the system has no room for this program: {reason}; see ulimit -a"
    if isinstance(error, OSError) and error.errno in _NO_STDOUT and error.filename is None:
        return f"stdout cannot be written: {error.strerror}"
    return None


def _run(words: Sequence[str]) -> int:
    name, *rest = words or ["--help"]
    if name == "help" and rest:
        name, rest = rest[0], ["--help"]
    if name in {"-h", "--help", "help"}:
        sys.stdout.write(_overview())
        return OK if words else USAGE
    if name in {"-V", "--version"}:
        from sidecar import __version__  # only what is needed

        sys.stdout.write(f"epicenter-sidecar {__version__}\n")
        return OK
    if name not in COMMANDS:
        from sidecar.commands.near import did_you_mean  # only after a mistake

        _complain(f"{name!r} is no command{did_you_mean(name, COMMANDS, most=len(COMMANDS))}")
        return USAGE
    return _guarded(importlib.import_module(f"sidecar.commands.{name}"), name, rest)


def _guarded(module: "ModuleType", name: str, words: list[str]) -> int:
    from sidecar.commands.arguments import parse  # argparse takes 9 ms

    try:
        code: int = module.run(parse(name, COMMANDS[name], module, words))
    except SidecarError as error:
        if "--json" in words:
            _print_error(module, error)
        _complain(error.message)
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _print_error(module: "ModuleType", error: SidecarError) -> None:
    """Print an error as JSON, for who reads that: a command may have a shape of its own."""
    if hasattr(module, "error_line"):
        line: str = module.error_line(error)
    else:
        import json  # only after a mistake

        code = "usage" if isinstance(error, UsageError) else error.code
        line = json.dumps({"v": 1, "error": {"code": code, "message": error.message}})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def exit_code(error: SidecarError) -> int:
    """Return the exit code for a failure that ends the command."""
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, RootError):
        return ROOT
    return LOCKED if isinstance(error, LockedError) else FAILED


def _complain(message: str) -> None:
    from sidecar.commands.terminal import complain  # only what is needed

    complain(message)


def _overview() -> str:
    commands = "\n".join(f"  {name:<11}{summary}" for name, summary in COMMANDS.items())
    return f"""usage: epicenter-sidecar COMMAND [PATH...] [options]

Mirrors the Yjs documents of an app into SQLite files beside them.

{commands}

A PATH is the app's data folder, its workspaces folder, a workspace, an epoch
or a document. help COMMAND tells more, with examples; -V tells the version.
"""
