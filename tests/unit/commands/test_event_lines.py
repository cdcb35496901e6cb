"""The command line: its list, its helps, its switches, and text that is safe to show."""

import importlib
import os
import subprocess
import unicodedata

import pytest

from sidecar.commands import COMMANDS, main
from sidecar.commands.arguments import parse
from sidecar.commands.event_lines import line_of
from sidecar.commands.terminal import escape
from sidecar.host.protocol import EVENTS, FailedEvent, Ready, RebuiltEvent, UnchangedEvent
from tests.support.program import program


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """--help ends with 0, says what it does and shows how."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "examples:" in out
    assert f"epicenter-sidecar {name}" in out.partition("examples:")[2]


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for it is no error; given nothing it is one."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)
    assert main([]) == 2


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2."""
    assert main(["explode"]) == 2
    assert "sync" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["sync", "--jsno", "app"],
        ["protocol"],
        ["schema", "--samples", "0", "app"],
        ["history", "app", "--at", "yesterday", "--out", "past.sqlite"],
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, what is wrong, and where to read on."""
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("epicenter-sidecar: ")
    assert err.endswith(f"; epicenter-sidecar {words[0]} --help tells more\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["protocol", "--typescript"]])
def test_a_reader_that_is_gone_is_no_bug(words: list[str]) -> None:
    """Nothing on stderr when the next program in a pipe has ended."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run([*program(), *words], stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """For bug reports."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("epicenter-sidecar 0.")


@pytest.mark.parametrize(
    ("words", "fts", "paths"),
    [
        (["--fts", "app"], "*", ["app"]),
        (["app", "--fts"], "*", ["app"]),
        (["--fts", "none", "app"], "none", ["app"]),
        (["--fts", "notes.body,notes.title", "app"], "notes.body,notes.title", ["app"]),
        (["--fts=notes.body", "app"], "notes.body", ["app"]),
        (["--fts", "/data/com.example.app"], "*", ["/data/com.example.app"]),
        (["--fts", "--force", "app"], "*", ["app"]),
        (["app"], None, ["app"]),
    ],
)
def test_a_bare_fts_does_not_swallow_a_path(
    words: list[str], fts: str | None, paths: list[str]
) -> None:
    """What follows --fts is its value only if it reads like one."""
    module = importlib.import_module("sidecar.commands.sync")
    arguments = parse("sync", "s", module, words)
    assert (arguments.fts, arguments.paths) == (fts, paths)


def test_nothing_invisible_or_steering_survives() -> None:
    """Of all of Unicode: controls, bidi marks, line separators, halves of pairs."""
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            assert escape(character).isascii(), hex(code)
            assert escape(character).isprintable(), hex(code)
    for character in "\u202e\u2066\u200f\u061c\ufeff":
        assert escape(character).startswith("\\u")


def test_text_that_is_harmless_stays_as_it_is() -> None:
    """Accents, scripts, emoji, backslashes."""
    assert escape("Zoë 日本 🎉 \\n 100%") == "Zoë 日本 🎉 \\n 100%"


def test_events_are_lines_for_people() -> None:
    """What happened, to which workspace, and what comes next."""
    doc = {"workspace": "w1", "epoch": 2, "path": "/p"}
    rebuilt = RebuiltEvent(
        **doc,  # type: ignore[arg-type]
        reason="changed",
        changed=["a\nb"],
        removed=["c"],
        rows=1,
        problems=2,
        regressed=True,
        ms=3,
    )
    assert line_of(rebuilt) == (
        "rebuilt    w1/2  changed; 1 row; 2 problems; changed a\\nb; removed c; "
        "an older state; 3 ms"
    )
    nameless = UnchangedEvent(workspace=None, epoch=None, path="/p", reason="bytes")
    assert line_of(nameless) == "unchanged  /p  equal bytes"
    failed = FailedEvent(code="disk_full", message="m", retry_ms=2000)
    assert line_of(failed) == "failed     disk_full: m; next try in 2 s"
    ready = Ready(pid=1, version="", root=[], documents=3, rebuilt=1, unchanged=1, failed=1)
    assert line_of(ready, color=True) == (
        "ready      3 documents: 1 rebuilt, 1 unchanged, 1 failed"
    )
    assert line_of(failed, color=True).startswith("\x1b[31m")


def test_no_event_is_without_words() -> None:
    """Every type of event has a text."""
    from sidecar.commands import event_lines as output  # noqa: PLC0415

    assert set(output._TEXTS) == set(EVENTS)  # noqa: SLF001
