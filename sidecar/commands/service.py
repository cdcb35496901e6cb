"""``service``: lets the user's service manager keep ``watch`` running."""

import os
import shutil
import subprocess
import sys
from typing import cast

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.terminal import complain, escape, say
from sidecar.commands.units import (
    MARK,
    launchd_agent,
    shell_line,
    systemd_unit,
    task_command,
    unit_name,
)
from sidecar.errors import SidecarError
from sidecar.files import shown
from sidecar.settings import CHOICE, LIMITS, MIRROR, PLACE, WATCH, Settings

EXAMPLES = (
    "epicenter-sidecar service show ~/.local/share/com.example.app",
    "epicenter-sidecar service install --identifier com.example.app",
    "epicenter-sidecar service uninstall --identifier com.example.app",
)

_MANAGERS = {"linux": "systemd", "darwin": "launchd", "win32": "task-scheduler"}
_OURS = {"identifier", "output", "stdin", "parent_pid", "wait_lock"}
"""Settings that the service sets itself."""
_SECONDS = 60


def add_arguments(parser: Parser) -> None:
    """Add what ``service`` takes."""
    parser.epilog = (
        "install writes a systemd unit for this user and starts it; for launchd and the"
        "\nTask Scheduler it prints what to install. It takes the options of watch, and"
        "\nkeeps them."
        f"\n\n{parser.epilog}"
    )
    parser.usage = f"{parser.prog} install|uninstall|show [PATH...] [options]"
    parser.add_argument("act", choices=("install", "uninstall", "show"), help="what to do")
    add_paths(parser, CHOICE, WATCH, LIMITS, MIRROR)
    parser.add_argument(
        "--manager",
        choices=tuple(_MANAGERS.values()),
        default=_MANAGERS.get(sys.platform, "systemd"),
        help="the service manager (default: that of this system)",
    )


def run(arguments: Arguments) -> int:
    """Install, uninstall or show the service of some roots."""
    settings = settings_of(arguments)
    command = _command(arguments, settings)
    name = unit_name(settings.roots)
    if arguments.manager != "systemd":
        return _print_other(arguments.manager, arguments.act, command, name)
    path = os.path.join(_unit_folder(), f"{name}.service")
    unit = systemd_unit(command, ", ".join(map(shown, settings.roots)))
    if arguments.act == "show":
        return _show(path, unit, name)
    return _install(path, unit, name) if arguments.act == "install" else _uninstall(path, name)


def _install(path: str, unit: str, name: str) -> int:
    """Write the unit, and let systemd start it now and at each log-in.

    Raises:
        SidecarError: A unit that is not ours has this name, or it cannot be written.
    """
    _refuse_foreign(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(unit)
    except OSError as error:
        raise SidecarError("denied", f"{shown(path)} cannot be written: {error}") from error
    say(f"wrote {escape(shown(path))}")
    if not _systemctl("daemon-reload") or not _systemctl("enable", "--now", name):
        return FAILED
    _systemctl("restart", name)  # it may be running with older options
    say(f"running; its log: journalctl --user -u {name} -f")
    say("to have it run while you are logged out: loginctl enable-linger")
    return OK


def _uninstall(path: str, name: str) -> int:
    """Stop the service and remove its unit.

    Raises:
        SidecarError: There is none, or it is not ours.
    """
    if not os.path.lexists(path):
        raise SidecarError("gone", f"there is no service for this: {shown(path)} is not there")
    _refuse_foreign(path)
    stopped = _systemctl("disable", "--now", name)
    os.unlink(path)
    say(f"removed {escape(shown(path))}")
    return OK if _systemctl("daemon-reload") and stopped else FAILED


def _show(path: str, unit: str, name: str) -> int:
    say(f"# {escape(shown(path))}")
    for line in unit.rstrip("\n").split("\n"):
        say(escape(line))
    is_there = os.path.lexists(path)
    say(f"# {'installed' if is_there else 'not installed: epicenter-sidecar service install'}")
    if is_there:
        _systemctl("--no-pager", "status", name, is_question=True)
    return OK


def _refuse_foreign(path: str) -> None:
    """Refuse to change a unit that is not ours.

    Raises:
        SidecarError: The file of the unit was not written by this program.
    """
    if not os.path.lexists(path):
        return
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            is_ours = file.readline().rstrip("\n") == MARK and not os.path.islink(path)
    except OSError:
        is_ours = False
    if not is_ours:
        raise SidecarError("denied", f"{shown(path)} is none of ours and is left alone")


def _systemctl(*words: str, is_question: bool = False) -> bool:
    """Run ``systemctl --user``, and print its error if it fails."""
    program = shutil.which("systemctl")
    command = [program or "systemctl", "--user", *words]
    if program is None:
        complain(f"systemctl is not there; where systemd runs: {shell_line(command)}")
        return False
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        complain(f"{shell_line(command)} failed: {error}")
        return False
    if is_question:
        for line in done.stdout.splitlines():
            say(escape(line))
    elif done.returncode:
        complain(f"{shell_line(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return not done.returncode


def _print_other(manager: str, act: str, command: list[str], name: str) -> int:
    """Print the configuration and command for a service manager that the user must call."""
    if manager == "launchd":
        path = f"~/Library/LaunchAgents/{name}.plist"
        if act == "uninstall":
            say(f"launchctl bootout gui/$(id -u)/{name} && rm {path}")
            return OK
        say(f"<!-- put this into {path}, then:")
        say(f"     launchctl bootstrap gui/$(id -u) {path} -->")
        for line in launchd_agent(command, name).rstrip("\n").split("\n"):
            say(escape(line.replace("\t", "  ")))
    elif act == "uninstall":
        say(f"schtasks /Delete /TN {name}")
    else:
        say(escape(task_command(command, name)))
    return OK


def _command(arguments: Arguments, settings: Settings) -> list[str]:
    """Return the ``watch`` command of a service: the program, the roots, the given options."""
    words = [*_program(), "watch", "--output", "text", "--stdin", "off", "--wait-lock"]
    for setting in (*PLACE, *CHOICE, *WATCH, *LIMITS, *MIRROR):
        if setting.name in _OURS:
            continue
        given = getattr(arguments, setting.name) or os.environ.get(setting.variable)
        if not given:
            continue
        if setting.metavar is None:
            if setting.parse(given):
                words.append(setting.flag)
            elif setting.is_kept:
                words.append(setting.off_flag)
        elif isinstance(given, list):
            words += [f"{setting.flag}={text}" for text in cast("list[str]", given)]
        elif setting.repeated:
            words += [f"{setting.flag}={text}" for text in given.split(os.pathsep)]
        else:
            words.append(f"{setting.flag}={_absolute(setting.name, given)}")
    return [*words, "--", *settings.roots]


def _absolute(name: str, text: str) -> str:
    return os.path.abspath(text) if name in {"into", "state_dir"} else text


def _program() -> list[str]:
    """Return the command that starts this program from any folder."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    script = shutil.which("epicenter-sidecar", path=os.path.dirname(sys.executable))
    return [os.path.abspath(script)] if script else [sys.executable, "-P", "-m", "sidecar"]


def _unit_folder() -> str:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    base = base if os.path.isabs(base) else os.path.expanduser("~/.config")
    return os.path.join(base, "systemd", "user")
