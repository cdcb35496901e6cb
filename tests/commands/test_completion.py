"""``completion`` in the real shells, where they are installed: what a press of Tab gives."""

import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from tests.support.program import run
from tests.support.terminal import needs_terminal

LINES = [
    ("epicenter-sidecar sta", "status"),
    ("epicenter-sidecar sync --forc", "--force"),
    ("epicenter-sidecar completion zs", "zsh"),
    ("epicenter-sidecar service uninst", "uninstall"),
]
SHELL_SECONDS = 30

needs_fish = pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")


@needs_fish
@pytest.mark.parametrize(("line", "wanted"), LINES)
def test_fish_completes(line: str, wanted: str, tmp_path: Path) -> None:
    """As fish itself lists candidates."""
    script = tmp_path / "epicenter-sidecar.fish"
    script.write_text(run("completion", "fish").out, "utf-8")
    asked = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert wanted in [found.split("\t")[0] for found in done.stdout.splitlines()]


@needs_zsh
@needs_terminal
@pytest.mark.parametrize("road", ["fpath", "eval"])
def test_zsh_completes(road: str, tmp_path: Path) -> None:
    """On a terminal: from a folder of fpath, as the help says, or by eval in .zshrc."""
    script = tmp_path / "_epicenter-sidecar"
    script.write_text(run("completion", "zsh").out, "utf-8")
    begin = {
        "fpath": f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D",
        "eval": f'autoload -U compinit; compinit -u -D; eval "$(cat {script})"',
    }[road]
    with _Zsh(tmp_path) as zsh:
        zsh.ask(f"{begin}; print -r - be''gun", until="begun")
        for line, wanted in LINES:
            zsh.ask(f"{line}\t", end="", until=f"{wanted} ")
            zsh.ask("\x15print -r - ne''xt", until="next")


class _Zsh:
    """An interactive zsh without anybody's settings."""

    def __init__(self, home: Path) -> None:
        self._ours, theirs = os.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "PS1": "> "}
        self._process = subprocess.Popen(
            ["zsh", "-f", "-i"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)

    def ask(self, keys: str, until: str, end: str = "\r") -> None:
        """Type keys, and wait for what the terminal shows then."""
        os.write(self._ours, (keys + end).encode())
        seen, deadline = "", time.monotonic() + SHELL_SECONDS
        while until not in _plain(seen):
            assert select.select([self._ours], [], [], deadline - time.monotonic())[0], seen
            seen += os.read(self._ours, 1 << 16).decode("utf-8", "replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


def _plain(seen: str) -> str:
    """Leave out what moves the cursor and colours; zle may draw a word letter by letter."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x08|\r|\x07", "", seen)
