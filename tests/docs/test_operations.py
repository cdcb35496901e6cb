"""docs/protocol.md and docs/operations.md keep their word."""

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sidecar.errors import Code
from sidecar.host.protocol import EVENTS, decode
from sidecar.settings import CHOICE, LIMITS, MIRROR, PLACE, WATCH
from tests.support.apps import document_path
from tests.support.documents import document, save
from tests.support.papers import DOCS
from tests.support.program import program, run

PROTOCOL = (DOCS / "protocol.md").read_text("utf-8")
OPERATIONS = (DOCS / "operations.md").read_text("utf-8")


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the pages have Linux's folders")


def lines_of(kind: str) -> list[str]:
    """Return the lines of the protocol page's JSON blocks of one kind."""
    blocks = re.findall(rf"^```json {kind}\n(.*?)^```$", PROTOCOL, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def commands_of(page: str) -> list[str]:
    """Return the command lines of a page's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("line", lines_of("event"))
def test_events_of_the_page_are_events(line: str) -> None:
    """Each is of a type of ours, with all of its fields and no other."""
    types = {event.__struct_config__.tag: event for event in EVENTS}
    kind = types[msgspec.json.decode(line)["type"]]
    event = msgspec.json.decode(line, type=kind)
    assert set(msgspec.json.decode(line)) == set(msgspec.to_builtins(event))


@pytest.mark.parametrize("line", lines_of("command"))
def test_commands_of_the_page_are_commands(line: str) -> None:
    """Each can be sent as it stands."""
    assert set(msgspec.json.decode(line)) <= set(msgspec.to_builtins(decode(line.encode())))


def test_the_page_has_every_event_and_code() -> None:
    """Nothing is said that the page does not explain."""
    for event in EVENTS:
        assert f"`{event.__struct_config__.tag}`" in PROTOCOL
    for code in msgspec.json.schema(Code)["enum"]:
        assert f"`{code}`" in PROTOCOL


def test_the_page_has_every_setting() -> None:
    """Each flag stands beside its variable."""
    for setting in (*PLACE, *CHOICE, *LIMITS, *MIRROR, *WATCH):
        assert f"`{setting.flag}`" in OPERATIONS
        assert f"`{setting.variable}`" in OPERATIONS


@on_linux
@pytest.mark.parametrize("command", [*commands_of(PROTOCOL), *commands_of(OPERATIONS)])
def test_every_command_of_the_pages_runs(command: str, tmp_path: Path) -> None:
    """As it stands, in a home with one app: to its end, or to `ready`."""
    folder = tmp_path / ".local" / "share" / "com.example.app"
    save(document_path(folder), document(3))
    words = command.replace("PATH", str(folder)).replace("~", str(tmp_path)).split()
    assert words[0] == "epicenter-sidecar"
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment.pop("XDG_DATA_HOME", None)
    with subprocess.Popen(
        [*program(), *words[1:]], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if words[1] == "watch" and '"ready"' in line:
                assert '"documents":1' in line
                process.terminate()
    assert process.returncode == 0


@on_linux
def test_the_unit_parses(tmp_path: Path) -> None:
    """As systemd parses units; tests/commands/test_service.py starts what it starts."""
    text = run("service", "show", tmp_path).out
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    assert unit["Service"]["ExecStart"].split()[1] == "watch"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"
