"""Configurations of service managers: a systemd unit, a launchd agent, a Windows task. Pure."""

import hashlib
import os
import re
import shlex
from collections.abc import Sequence

MARK = "# by epicenter-sidecar service install"
"""First line of our units. Units without it are never overwritten or removed."""


def unit_name(roots: Sequence[str]) -> str:
    """Return a readable name for the service, unique for each set of roots."""
    digest = hashlib.sha256("\0".join(sorted(roots)).encode("utf-8", "surrogateescape")).hexdigest()
    words = re.sub(r"[^A-Za-z0-9.]+", "-", os.path.basename(roots[0])).strip("-.") or "root"
    return f"epicenter-sidecar-{words[:40]}-{digest[:6]}"


def systemd_unit(command: Sequence[str], what: str) -> str:
    """Return the text of a user's unit (systemd.service(5)).

    Args:
        command: The program, by its absolute path, and its arguments.
        what: What is mirrored, for people.
    """
    return f"""{MARK}
[Unit]
Description=SQLite mirrors of the Yjs documents in {_one_line(what)}

[Service]
ExecStart={" ".join(map(_systemd_word, command))}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 3
TimeoutStopSec=5
Nice=5
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def launchd_agent(command: Sequence[str], label: str) -> str:
    """Return the property list of a launchd agent (launchd.plist(5))."""
    import plistlib  # 15 ms

    return plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 5,
            "ProcessType": "Background",
        },
        sort_keys=False,
    ).decode("utf-8")


def task_command(command: Sequence[str], name: str) -> str:
    """Return the command that makes Windows' Task Scheduler start a program at logon."""
    from subprocess import list2cmdline  # only here

    words = ["schtasks", "/Create", "/TN", name, "/SC", "ONLOGON", "/TR", list2cmdline(command)]
    return list2cmdline(words)


def shell_line(words: Sequence[str]) -> str:
    """Return a command quoted for a shell."""
    return shlex.join(words)


def _systemd_word(word: str) -> str:
    """Quote a word for systemd, where %, $, quotes and spaces have a meaning."""
    escaped = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    escaped = "".join(f"\\x{ord(c):02x}" if ord(c) < 32 else c for c in escaped)  # noqa: PLR2004
    return escaped if re.fullmatch(r"[A-Za-z0-9_./:=@,+$%-]+", escaped) else f'"{escaped}"'


def _one_line(text: str) -> str:
    return " ".join(text.replace("%", "%%").split())
