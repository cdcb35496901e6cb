"""Flags, environment and folders, resolved once into a frozen value.

The only user of platformdirs.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from sidecar.errors import UsageError
from sidecar.model import Options, Selection
from sidecar.names import DOCUMENT, is_literal, matching

Parse = Callable[[str], object]


class Setting(msgspec.Struct, frozen=True):
    """One option: ``--max-wait-ms`` and its variable ``SIDECAR_MAX_WAIT_MS``, for example.

    Attributes:
        name: As in ``Settings``.
        parse: Converts text to the value; raises ValueError with what is valid.
        metavar: Name of the value in the help, None for a switch.
        help: One line.
        repeated: Whether it may be given several times. In the variable the values are separated by
            ``os.pathsep``; ``parse`` converts one value.
        is_kept: For a switch: whether mirrors remember it, so that there is a flag to turn it off.
    """

    name: str
    parse: Parse
    metavar: str | None
    help: str
    repeated: bool = False
    is_kept: bool = False

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def off_flag(self) -> str:
        """The option that turns a switch off."""
        return "--no-" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "SIDECAR_" + self.name.upper()


class Settings(msgspec.Struct, frozen=True):
    """All settings of a command.

    Attributes:
        roots: Absolute paths: app data folders, folders inside them, documents.
        state_folder: Folder of the lock files.
        documents: GLOBs of the names of documents.
        into: Absolute path of the folder below which mirrors go, None for beside the documents.
        workspace: Id or name of the only selected workspace.
        epoch: The only selected epoch.
        all_epochs: All epochs, also for commands that take the current ones by default.
        max_memory_mb: None sets no limit.
        max_load: Share of one core that steady edits may cost.
        warm_s: How long a document stays in memory after an edit.
        warm_mb: Memory for all documents kept so; 0 keeps none.
        warm_min_mb: Smaller documents are not kept.
        fts: As ``Options.fts``.
        tables: As ``Options.tables``.
        in_place: As ``Options.in_place``.
    """

    roots: tuple[str, ...]
    state_folder: str
    documents: tuple[str, ...] = (DOCUMENT,)
    into: str | None = None
    workspace: str | None = None
    epoch: int | None = None
    all_epochs: bool = False
    debounce_ms: int = 500
    max_wait_ms: int = 1500
    rescan_s: float = 60.0
    force_polling: bool = False
    max_load: float = 0.25
    warm_s: float = 20.0
    warm_mb: int = 0
    warm_min_mb: int = 1
    max_document_mb: int = 1024
    max_memory_mb: int | None = None
    max_seconds: float = 300.0
    output: str = "auto"
    stdin: str = "auto"
    parent_pid: int | None = None
    wait_lock: bool = False
    fts: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    no_last_good: bool = False
    in_place: bool | None = None
    rows: bool = False
    log_level: str = "warning"

    @property
    def logs_outcomes(self) -> bool:
        """Whether the log gets a line for the result of each sync."""
        return self.log_level in {"debug", "info"}

    @property
    def selection(self) -> Selection:
        """The selection of documents; ``workspace`` must be an id, not a name, by then."""
        return Selection(self.documents, self.into, self.workspace, self.epoch)

    @property
    def options(self) -> Options:
        """The settings that a sync needs."""
        return Options(
            state_folder=self.state_folder,
            fts=self.fts,
            last_good=not self.no_last_good,
            tables=self.tables,
            in_place=self.in_place,
            row_ids=self.rows,
            max_document_bytes=self.max_document_mb << 20,
        )


def resolve(
    paths: Sequence[str],
    flags: Mapping[str, str | Sequence[str] | None],
    environment: Mapping[str, str],
    platform: str = sys.platform,
) -> Settings:
    """Combine flags, environment and defaults; a flag wins over its variable.

    Args:
        paths: The PATH arguments.
        flags: Text of each setting that the command has, by name; a list where it may be repeated;
            None where the flag is not given.
        environment: The process's variables.
        platform: As ``sys.platform``.

    Raises:
        UsageError: No root is given, or a value is not valid.
    """
    values = {name: value_of(_BY_NAME[name], text, environment) for name, text in flags.items()}
    given = {name: value for name, value in values.items() if value is not None}
    identifier = given.pop("identifier", None)
    state_folder = given.pop("state_dir", None) or state_dir(platform, environment)
    roots = [*paths]
    if "" in roots:
        message = f"an empty PATH is given; {_NO_ROOT}"
        raise UsageError(message)
    if isinstance(identifier, str) and (flags.get("identifier") or not roots):
        roots.append(app_local_data_dir(identifier, platform, environment))
    if not roots and environment.get("SIDECAR_ROOT"):
        roots.append(environment["SIDECAR_ROOT"])
    if not roots:
        raise UsageError(_NO_ROOT)
    _check_tables(given.get("tables"))
    memory_mb = _memory_mb()
    given.setdefault("max_memory_mb", memory_mb and memory_mb * 3 // 4)
    given.setdefault("warm_mb", min(_MOST_WARM_MB, (memory_mb or 0) // 8))
    return msgspec.convert(
        {
            **given,
            "roots": tuple(dict.fromkeys(map(os.path.abspath, roots))),
            "state_folder": os.path.abspath(str(state_folder)),
        },
        Settings,
    )


def _check_tables(words: Any) -> None:
    alone = ("auto", "none")
    patterns = list[str](words or ())
    if len(patterns) > 1 and not set(alone).isdisjoint(patterns):
        message = "--tables: auto and none must be given alone, without patterns"
        raise UsageError(message)


def app_local_data_dir(identifier: str, platform: str, environment: Mapping[str, str]) -> str:
    """Return Tauri's ``appLocalDataDir`` for a bundle identifier.

    Follows the Rust crate ``dirs``: a relative XDG_DATA_HOME is ignored, and on macOS
    XDG_DATA_HOME is not used at all.

    Raises:
        UsageError: The text is not a bundle identifier.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", identifier):
        message = f"{identifier!r} is not a bundle identifier; give one such as com.example.app"
        raise UsageError(message)
    if platform == "darwin":
        return os.path.expanduser(f"~/Library/Application Support/{identifier}")
    if platform == "win32":
        from platformdirs import user_data_path  # noqa: PLC0415 - late

        return str(user_data_path(identifier, appauthor=False, roaming=False))
    return os.path.join(_xdg("XDG_DATA_HOME", "~/.local/share", environment), identifier)


def state_dir(platform: str, environment: Mapping[str, str]) -> str:
    """Return the user's folder for state of this program.

    On Linux computed here by the XDG rule: platformdirs returns the same, but its import takes
    17 ms, a seventh of a cold ``sync``.
    """
    if platform == "linux":
        return os.path.join(_xdg("XDG_STATE_HOME", "~/.local/state", environment), _NAME)
    from platformdirs import user_state_path  # noqa: PLC0415 - late

    return str(user_state_path(_NAME, appauthor=False))


def _xdg(variable: str, default: str, environment: Mapping[str, str]) -> str:
    """Return a base folder; a relative path in the variable is invalid and is ignored."""
    base = environment.get(variable, "")
    return base if os.path.isabs(base) else os.path.expanduser(default)


def value_of(
    setting: Setting, given: str | Sequence[str] | None, environment: Mapping[str, str]
) -> object:
    """Return the value of one setting, None where neither flag nor variable gives one.

    Raises:
        UsageError: The value is not valid.
    """
    name = setting.flag
    if given is None:
        given, name = environment.get(setting.variable, ""), setting.variable
        if not given:
            return None
        if setting.repeated:
            given = given.split(os.pathsep)
    if isinstance(given, str):
        return _parsed(setting, name, given)
    return tuple(dict.fromkeys(_parsed(setting, name, text) for text in given))


def _parsed(setting: Setting, name: str, text: str) -> object:
    try:
        return setting.parse(text)
    except ValueError as error:
        message = f"{name}: {text!r} is not valid; {error}"
        raise UsageError(message) from None


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):
        return None


def _integer(least: int, most: int = 10**15) -> Parse:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or not least <= int(text) <= most:
            message = f"give a whole number from {least}"
            raise ValueError(message)
        return int(text)

    return parse


def _number(most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            message = f"give a number above 0, at most {most:g}"
            raise ValueError(message)
        return value

    return parse


def _choice(*words: str) -> Parse:
    def parse(text: str) -> str:
        if text.lower() not in words:
            message = f"give {', '.join(words[:-1])} or {words[-1]}"
            raise ValueError(message)
        return text.lower()

    return parse


def _switch(text: str) -> bool:
    return _choice("1", "true", "yes", "on", "0", "false", "no", "off")(text) in _YES


def _glob(text: str) -> str:
    if not text or "/" in text or os.sep in text:
        message = "give the name of a file, with * and ? as wildcards, without folders"
        raise ValueError(message)
    if is_literal(text) and not matching([text], (text,)):
        message = "a file of this name is never a document; give another name"
        raise ValueError(message)
    return text


def _folder(text: str) -> str:
    if not text:
        message = "give a folder"
        raise ValueError(message)
    return os.path.abspath(text)


def _pattern(text: str) -> str:
    if not text:
        message = "give auto, none, or a path such as blocks or notebook.cells.*"
        raise ValueError(message)
    return text


def _fields(text: str) -> tuple[str, ...]:
    if text in {"*", "none"}:
        return ("*",) if text == "*" else ()
    names = tuple(text.split(","))
    if not all("." in name.strip(".") for name in names):
        message = "give TABLE.FIELD names with commas between them, or none"
        raise ValueError(message)
    return names


_MOST_WARM_MB = 1024
_NAME = "epicenter-sidecar"
_YES = frozenset({"1", "true", "yes", "on"})
seconds = _number(86_400)
"""Reads a time of at most a day; raises ``ValueError`` with what to give instead."""
_LAST_PID = 2**31 - 1
_NO_ROOT = (
    "no folder is given; give a PATH, --identifier or SIDECAR_ROOT, "
    "for example: epicenter-sidecar sync ~/.local/share/com.example.app"
)

PLACE = (
    Setting("identifier", str, "ID", "a Tauri app's bundle identifier, for its data folder"),
    Setting(
        "documents",
        _glob,
        "GLOB",
        f"names of documents, may be repeated ({DOCUMENT})",
        repeated=True,
    ),
    Setting("into", _folder, "DIR", "put mirrors below this folder, not beside the documents"),
    Setting("state_dir", str, "DIR", "folder of the lock files (the user's state folder)"),
    Setting(
        "log_level",
        _choice("debug", "info", "warning", "error"),
        "LEVEL",
        "debug, info, warning or error, on stderr (warning)",
    ),
)
COLOR = Setting(
    "color", _choice("auto", "always", "never"), "WHEN", "colours: auto, always or never (auto)"
)
CHOICE = (
    Setting("workspace", str, "NAME", "only this workspace, by its id or its name"),
    Setting("epoch", _integer(0), "N", "only this epoch"),
    Setting("all_epochs", _switch, None, "all epochs, for commands that take the current ones"),
)
LIMITS = (
    Setting("max_document_mb", _integer(1), "MB", "refuse larger documents (1024)"),
    Setting(
        "max_memory_mb", _integer(64), "MB", "most memory for one sync (three quarters of RAM)"
    ),
    Setting("max_seconds", seconds, "S", "most CPU time for one sync (300)"),
)
MIRROR = (
    Setting(
        "fts", _fields, "FIELDS", "full-text search: TABLE.FIELD,... or none; all text when bare"
    ),
    Setting(
        "tables",
        _pattern,
        "PATTERN",
        "auto, none, or what is a table beside the known layouts: ROOT.KEY, * for any one step, "
        "may be repeated (auto)",
        repeated=True,
    ),
    Setting(
        "in_place",
        _switch,
        None,
        "write into the mirror that is there, for readers that keep it open; --no-in-place: "
        "a new file each time (as the mirror is)",
        is_kept=True,
    ),
    Setting("no_last_good", _switch, None, "keep no copy when a document collapses"),
    Setting("rows", _switch, None, "say which rows changed, not only how many"),
)
WATCH = (
    Setting("debounce_ms", _integer(0), "MS", "wait after the last event (500)"),
    Setting("max_wait_ms", _integer(0), "MS", "longest wait while events go on (1500)"),
    Setting("rescan_s", seconds, "S", "look at every file this often (60)"),
    Setting(
        "force_polling",
        _switch,
        None,
        "check files four times a second instead of waiting for file events",
    ),
    Setting("max_load", _number(64), "SHARE", "share of one core to use under steady edits (0.25)"),
    Setting("warm_s", seconds, "S", "keep an edited document in memory (20)"),
    Setting(
        "warm_mb",
        _integer(0),
        "MB",
        "memory for all documents kept so, 0 for none (RAM / 8, at most 1024)",
    ),
    Setting("warm_min_mb", _integer(0), "MB", "keep no smaller documents in memory (1)"),
    Setting("output", _choice("auto", "ndjson", "text"), "KIND", "auto, ndjson or text (auto)"),
    Setting("stdin", _choice("auto", "on", "off"), "MODE", "commands: auto, on or off (auto)"),
    Setting("parent_pid", _integer(1, _LAST_PID), "PID", "stop when this process ends"),
    Setting("wait_lock", _switch, None, "wait for the process that follows this folder now"),
)
_BY_NAME = {setting.name: setting for setting in (*PLACE, *CHOICE, *LIMITS, *MIRROR, *WATCH)}
