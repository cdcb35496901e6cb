"""The README names every command, and its second example runs as it stands."""

import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from scripts import nodejs
from sidecar.commands import COMMANDS
from tests.interop.test_apps import WRITERS
from tests.support.data import APPS, PROJECT
from tests.support.program import program

README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = dict(
    re.findall(
        r"^```(js|sh)\n(.*?)^```$", README.split("## Two commands")[0], re.DOTALL | re.MULTILINE
    )
)


def test_every_command_is_in_the_table() -> None:
    """In README as in the overview of ``help``."""
    named = re.findall(r"^\| `epicenter-sidecar (\w+)", README, re.MULTILINE)
    assert set(named) == set(COMMANDS)


def write(folder: Path) -> None:
    """Save the app's document as the README does; by the committed one where Node is missing."""
    try:
        nodejs.install_once(WRITERS)
    except nodejs.NodeUnavailableError:
        (folder / "pets.yjs").write_bytes((APPS / "tinybase-yjs.yjs").read_bytes())
        return
    (folder / "node_modules").symlink_to(WRITERS / "node_modules")
    (folder / "app.mjs").write_text(BLOCKS["js"], "utf-8")
    subprocess.run([str(nodejs.find_node()), "app.mjs"], cwd=folder, check=True, timeout=60)


def test_the_second_example_runs(tmp_path: Path) -> None:
    """Its two lines find the cat."""
    write(tmp_path)
    first, second = BLOCKS["sh"].splitlines()
    command = [*program(), *shlex.split(first)[1:]]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60, capture_output=True)
    _, mirror, sql = shlex.split(second, comments=True)
    with closing(sqlite3.connect(tmp_path / mirror)) as connection:
        rows = connection.execute(sql).fetchall()
    told = second.split("# ")[1]
    assert ["|".join(map(str, row)) for row in rows] == [told]
