"""The command line: a list of commands, each in its own module, which is loaded when it runs.

A command module has ``EXAMPLES`` (lines for its help), ``add_arguments(parser)``,
``run(arguments) -> exit code``, and optionally ``error_line(error)``, its errors under ``--json``.
"""

import errno
import gc
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
    "status": "show which mirrors are in step",
    "verify": "compare mirrors with their documents, cell by cell",
    "inspect": "show the content of a .yjs file",
    "diff": "show what changed between documents, moments or mirrors",
    "history": "list a document's snapshots, or build the mirror of one",
    "search": "search rows for words, in mirrors built with --fts",
    "query": "run a SQL query over one mirror or many",
    "problems": "explain what mirrors could not show as declared, and what to do",
    "mcp": "serve agents: an MCP server on stdin and stdout (an extra)",
    "browse": "show mirrors in the web browser, by Datasette (an extra)",
    "export": "write all mirrors into one SQLite file",
    "schema": "print tables and columns as compact text, for people and prompts",
    "service": "let systemd keep watch running, or print the file for launchd",
    "clean": "list the mirrors that this program made, or remove them",
    "completion": "print the completion script for bash, zsh or fish",
    "protocol": "print the host protocol as JSON Schema or TypeScript",
}

EXITS = {
    "watch": ("stopped on request", "stdout could not be written, or something failed"),
    "sync": ("all mirrors are in step", "some failed, or there are no documents"),
    "status": ("all mirrors are in step", "some are not, or there are no documents"),
    "verify": ("all mirrors are equal", "some differ, or there are no documents"),
    "inspect": ("the file was read", "it cannot be read"),
    "diff": ("no difference", "they differ, or cannot be read"),
    "history": ("done", "the document or the snapshot cannot be read"),
    "search": ("found", "nothing found, or nothing is indexed"),
    "problems": ("none", "there are some, or there is no mirror"),
}
"""Meaning of exit codes 0 and 1, for the help; other commands have "done" and "failed"."""

_HABITS = ("-q", "--quiet", "-v", "-vv", "--verbose", "--color")

OK, FAILED, USAGE, ROOT, LOCKED = 0, 1, 2, 3, 4
INTERRUPTED = 130

_NO_STDOUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""Errors of a write to stdout. Writes to our own files raise a ``SidecarError`` instead."""


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
        with suppress(OSError):  # else the interpreter reports unwritten data at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if message:
            _complain(message)
        return FAILED


def _hindrance(error: OSError | RuntimeError) -> str | None:
    """Return what the system refused: empty if the reader closed stdout, None for a bug of ours."""
    if isinstance(error, BrokenPipeError):
        return ""
    if is_scarcity(error):
        reason = error.strerror if isinstance(error, OSError) else error
        return f"the system has no free process, thread or descriptor: {reason}; see ulimit -a"
    if isinstance(error, OSError) and error.errno in _NO_STDOUT and error.filename is None:
        return f"stdout cannot be written: {error.strerror}"
    return None


def _run(words: Sequence[str]) -> int:
    words = _habits_last(words)
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


def _habits_last(words: Sequence[str]) -> Sequence[str]:
    """Put habits that stand in front of the command behind it: ``-q status`` is ``status -q``."""
    at = 0
    while at < len(words) and (words[at] in _HABITS or words[at].startswith("--color=")):
        at += 2 if words[at] == "--color" else 1
    return [*words[at : at + 1], *words[:at], *words[at + 1 :]] if at < len(words) else words


def _guarded(module: "ModuleType", name: str, words: list[str]) -> int:
    from sidecar.commands.arguments import parse  # argparse takes 9 ms

    try:
        arguments = parse(name, COMMANDS[name], module, words)
        gc.freeze()  # see __main__
        gc.enable()
        code: int = module.run(arguments)
    except SidecarError as error:
        if "--json" in words:
            _print_error(module, error)
        _complain(error.message)
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _print_error(module: "ModuleType", error: SidecarError) -> None:
    """Print an error as JSON, in the form of the command if it has its own."""
    if hasattr(module, "error_line"):
        line: str = module.error_line(error)
    else:
        line = error_json(error.word or error.code, error.message)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def error_json(code: str, message: str) -> str:
    """Return the form in which errors are printed under ``--json``."""
    import json  # only after a mistake

    return json.dumps({"v": 1, "error": {"code": code, "message": message}})


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
or a document. help COMMAND prints details and examples; -V prints the version.
"""
