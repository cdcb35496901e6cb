"""Runs the command, once or as a long-running ``watch``."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.children import ChildError, LineProcess, Watch, program
from tests.support.prepared import can_fork, prepared

__all__ = ["ChildError", "Finished", "LineProcess", "Watch", "program", "run", "run_anew", "sync"]

RUN_SECONDS = 240


class Finished(NamedTuple):
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    def events(self) -> list[dict[str, Any]]:
        """Return stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def json(self) -> Any:
        """Return stdout as one JSON value."""
        return json.loads(self.out)


def run(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> Finished:
    """Run a command to its end, in a process that had its modules loaded where that can be."""
    if not can_fork or any(name.startswith("PYTHON") for name in environment or {}):
        return run_anew(*arguments, environment=environment, stdin=stdin)
    words, variables = list(map(str, arguments)), {**os.environ, **(environment or {})}
    return Finished(*prepared().run(words, variables, stdin, RUN_SECONDS))


def run_anew(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> Finished:
    """Run the installed command to its end."""
    done = subprocess.run(
        [*program(), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **(environment or {})},
        timeout=RUN_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def sync(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> Finished:
    """Run ``sync --json``, which must succeed."""
    done = run("sync", "--json", *arguments, environment=environment)
    assert done.code == 0, done.err or done.out
    return done
