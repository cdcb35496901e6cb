"""``service``: systemd units, and the output for launchd and the Task Scheduler."""

import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sidecar.commands.units import MARK, systemd_unit, task_command, unit_name
from tests.support.program import program, run
from tests.support.systems import needs_shell

FAKE = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *{fails}*) echo "no bus" >&2; exit 1;; esac
"""


class Manager:
    """A systemctl that records its calls.

    Attributes:
        environment: Variables under which it is found.
        units: Where units go.
    """

    def __init__(self, folder: Path) -> None:
        """Create it in a folder."""
        self._log, self._program = folder / "log", folder / "bin" / "systemctl"
        self._program.parent.mkdir()
        self.units = folder / "config" / "systemd" / "user"
        self.environment = {
            "PATH": f"{self._program.parent}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self.fail_at("nothing")

    def fail_at(self, word: str) -> None:
        """Make it fail for this verb."""
        self._program.write_text(FAKE.format(log=self._log, fails=word))
        self._program.chmod(0o755)

    def asked(self) -> list[str]:
        """Return its recorded calls, by verb."""
        return [line.split()[1] for line in self._log.read_text().splitlines()]


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    """Return the fake service manager."""
    return Manager(tmp_path)


@needs_shell
def test_install_writes_a_unit_and_starts_it(manager: Manager, app: Path) -> None:
    """The absolute path of the program, the folder, the options; uninstall removes the unit."""
    options = ("--fts=notes.body", "--documents", "*.yjs", "--no-last-good")
    done = run("service", "install", app, *options, environment=manager.environment)
    assert done.code == 0, done.err
    (unit,) = manager.units.iterdir()
    (line,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart="))
    assert words[:2] == [program()[0], "watch"]
    assert words[-2:] == ["--", str(app)]
    assert {"--fts=notes.body", "--documents=*.yjs", "--no-last-good", "--wait-lock"} <= set(words)
    assert manager.asked() == ["daemon-reload", "enable", "restart"]
    shown = run("service", "show", app, *options, environment=manager.environment)
    assert line in shown.out
    assert "# installed" in shown.out
    assert run("service", "uninstall", app, environment=manager.environment).code == 0
    assert not list(manager.units.iterdir())
    assert manager.asked()[-2:] == ["disable", "daemon-reload"]
    assert run("service", "uninstall", app, environment=manager.environment).code == 1


@needs_shell
def test_the_command_of_the_unit_runs(app: Path, manager: Manager, tmp_path: Path) -> None:
    """As systemd starts it: from another folder and without any variable."""
    shown = run("service", "show", app, environment=manager.environment).out
    (line,) = [line for line in shown.splitlines() if line.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart="))
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            words, cwd="/", stdin=subprocess.DEVNULL, stdout=out, env={"HOME": str(tmp_path)}
        )
    from tests.support.waiting import wait_until  # noqa: PLC0415

    wait_until(lambda: "ready " in log.read_text(), "ready")
    process.terminate()
    assert process.wait(30) == 0


@needs_shell
def test_what_fails_is_told(manager: Manager, app: Path) -> None:
    """A system without a user's bus, and one without systemd."""
    manager.fail_at("enable")
    done = run("service", "install", app, environment=manager.environment)
    assert done.code == 1
    assert "no bus" in done.err
    (Path(manager.environment["PATH"].split(":")[0]) / "systemctl").unlink()
    if shutil.which("systemctl") is None:
        done = run("service", "install", app, environment=manager.environment)
        assert done.code == 1
        assert "systemctl is not there" in done.err


@needs_shell
def test_a_unit_of_somebody_else_is_left_alone(manager: Manager, app: Path) -> None:
    """Neither overwritten nor removed."""
    manager.units.mkdir(parents=True)
    unit = manager.units / f"{unit_name([str(app)])}.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    for act in ("install", "uninstall"):
        done = run("service", act, app, environment=manager.environment)
        assert done.code == 1
        assert "none of ours" in done.err
    assert unit.read_text().startswith("[Service]")


def test_launchd_and_the_task_scheduler_are_told_in_print(app: Path) -> None:
    """A valid property list, and a command."""
    out = run("service", "install", app, "--manager", "launchd").out
    agent = plistlib.loads(out[out.index("<?xml") :].encode())
    assert agent["ProgramArguments"][-1] == str(app)
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert run("service", "install", app, "--manager", "task-scheduler").out.startswith("schtasks ")
    assert "bootout" in run("service", "uninstall", app, "--manager", "launchd").out


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/plain/path", "/plain/path"),
        ("/with blank", '"/with blank"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("a\nExecStart=/bin/sh", '"a\\x0aExecStart=/bin/sh"'),
        ("", '""'),
    ],
)
def test_no_name_of_a_folder_becomes_more_than_a_word(word: str, quoted: str) -> None:
    """Systemd expands % and $, and a line break would begin another setting."""
    unit = systemd_unit(["/bin/x", word], word)
    assert f"ExecStart=/bin/x {quoted}\n" in unit
    assert unit.startswith(f"{MARK}\n[Unit]\n")
    assert sum(line.startswith("ExecStart=") for line in unit.splitlines()) == 1
    description = next(line for line in unit.splitlines() if line.startswith("Description="))
    assert "% " not in description


def test_each_set_of_roots_has_a_name_of_its_own() -> None:
    """Readable, whatever the folder is called, and the same in any order."""
    assert unit_name(["/a/com.example.app"]).startswith("epicenter-sidecar-com.example.app-")
    assert unit_name(["/a/x"]) != unit_name(["/b/x"])
    assert unit_name(["/a", "/b"])[-6:] == unit_name(["/b", "/a"])[-6:]
    assert "/" not in unit_name(["/ü/\udcff ../"])


def test_a_task_is_one_argument() -> None:
    """Quoted as Windows takes it apart."""
    assert task_command(["C:\\x y.exe", "watch"], "n").endswith('/TR "\\"C:\\x y.exe\\" watch"')
