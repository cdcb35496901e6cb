"""Settings: flags over variables over defaults, and Tauri's data folder."""

from pathlib import Path

import pytest

from sidecar.errors import UsageError
from sidecar.settings import CHOICE, LIMITS, MIRROR, PLACE, WATCH, app_local_data_dir, resolve
from tests.support.systems import needs_posix_paths

ALL = {setting.name: None for setting in (*PLACE, *CHOICE, *LIMITS, *MIRROR, *WATCH)}
ROOT = {"SIDECAR_ROOT": "/data"}


def test_the_defaults_are_those_of_the_contract() -> None:
    """Without flags and variables the defaults of docs/operations.md hold."""
    settings = resolve(["/data"], ALL, {})
    assert (settings.debounce_ms, settings.max_wait_ms, settings.rescan_s) == (500, 1500, 60.0)
    assert (settings.max_load, settings.max_document_mb, settings.max_seconds) == (0.25, 1024, 300)
    assert settings.options.last_good
    assert settings.options.fts is None


def test_a_flag_wins_over_its_variable() -> None:
    """SIDECAR_DEBOUNCE_MS counts only where --debounce-ms is not given."""
    environment = {"SIDECAR_DEBOUNCE_MS": "100"}
    assert resolve(["/data"], ALL, environment).debounce_ms == 100
    assert resolve(["/data"], ALL | {"debounce_ms": "7"}, environment).debounce_ms == 7


def test_a_command_does_not_read_variables_of_settings_it_has_not() -> None:
    """An invalid SIDECAR_DEBOUNCE_MS does not stop a command without a debounce."""
    only_place = {setting.name: None for setting in PLACE}
    assert resolve(["/data"], only_place, {"SIDECAR_DEBOUNCE_MS": "?"}).debounce_ms == 500


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("debounce_ms", "-1"),
        ("debounce_ms", "half a second"),
        ("max_wait_ms", "9" * 5000),
        ("rescan_s", "0"),
        ("rescan_s", "nan"),
        ("max_load", "inf"),
        ("max_memory_mb", "1"),
        ("output", "xml"),
        ("force_polling", "maybe"),
        ("fts", "nodot"),
        ("parent_pid", "0"),
        ("parent_pid", "99999999999"),
    ],
)
def test_a_senseless_value_names_its_flag(name: str, text: str) -> None:
    """The message names the option and the valid values."""
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}.*give"):
        resolve(["/data"], ALL | {name: text}, {})


def test_a_remembered_switch_has_three_positions() -> None:
    """On, off, and as in the mirror."""
    assert resolve(["/data"], ALL, {}).options.in_place is None
    assert resolve(["/data"], ALL, {"SIDECAR_IN_PLACE": "1"}).options.in_place is True
    environment = {"SIDECAR_IN_PLACE": "yes"}
    assert resolve(["/data"], ALL | {"in_place": "0"}, environment).options.in_place is False


def test_a_senseless_variable_is_named() -> None:
    """The message about a variable names the variable, not the flag."""
    with pytest.raises(UsageError, match="SIDECAR_OUTPUT"):
        resolve(["/data"], ALL, {"SIDECAR_OUTPUT": "xml"})


@pytest.mark.parametrize(
    ("text", "fields"),
    [("*", ("*",)), ("none", ()), ("posts.title,posts.body", ("posts.title", "posts.body"))],
)
def test_fts_takes_all_none_or_fields(text: str, fields: tuple[str, ...]) -> None:
    """The three forms of --fts reach the options of a sync."""
    assert resolve(["/data"], ALL | {"fts": text}, {}).options.fts == fields


def test_nothing_given_is_a_usage_error_with_an_example() -> None:
    """No identifier and no folder is built in."""
    with pytest.raises(UsageError, match="for example: epicenter-sidecar"):
        resolve([], ALL, {})


def test_an_empty_path_is_not_this_folder() -> None:
    """It comes from an unset variable in a script."""
    with pytest.raises(UsageError, match="empty PATH"):
        resolve([""], ALL, {})


@needs_posix_paths
def test_paths_win_over_variables_and_join_flags() -> None:
    """SIDECAR_ROOT and SIDECAR_IDENTIFIER only count without a PATH."""
    environment = {**ROOT, "SIDECAR_IDENTIFIER": "com.example.app", "XDG_DATA_HOME": "/x"}
    assert resolve(["/a", "/a/../a"], ALL, environment).roots == ("/a",)
    assert resolve([], ALL, ROOT).roots == ("/data",)
    both = resolve(["/a"], ALL | {"identifier": "com.b"}, environment, platform="linux")
    assert both.roots == ("/a", "/x/com.b")


def test_roots_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative PATH means the same after a change of folder."""
    monkeypatch.chdir(tmp_path)
    assert resolve(["x"], ALL, {}).roots == (str(tmp_path / "x"),)


@needs_posix_paths
@pytest.mark.parametrize(
    ("platform", "xdg", "folder"),
    [
        ("linux", "/xdg", "/xdg/com.example.app"),
        ("linux", "relative", "/home/me/.local/share/com.example.app"),
        ("linux", "", "/home/me/.local/share/com.example.app"),
        ("darwin", "/xdg", "/home/me/Library/Application Support/com.example.app"),
    ],
)
def test_an_identifier_names_tauris_folder(
    platform: str, xdg: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Tauri's own appLocalDataDir: XDG_DATA_HOME counts on Linux if absolute, never on macOS."""
    monkeypatch.setenv("HOME", "/home/me")
    environment = {"XDG_DATA_HOME": xdg}
    assert app_local_data_dir("com.example.app", platform, environment) == folder


@pytest.mark.parametrize("identifier", ["../x", "a/b", "", "a..b", "a b", ".a"])
def test_an_identifier_is_no_path(identifier: str) -> None:
    """A text that could lead to another folder is not a bundle identifier."""
    with pytest.raises(UsageError, match="bundle identifier"):
        app_local_data_dir(identifier, "linux", {})
