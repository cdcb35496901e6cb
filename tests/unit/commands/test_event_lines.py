"""The command line: its list, its helps, its switches, and text that is safe to show."""

import contextlib
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

from sidecar.commands import COMMANDS, main
from sidecar.commands.arguments import parse
from sidecar.commands.event_lines import lines_of
from sidecar.commands.terminal import escape
from sidecar.host.protocol import (
    EVENTS,
    FailedEvent,
    Ready,
    RebuiltEvent,
    UnchangedEvent,
    encode,
)
from tests.support.program import program


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--help`` exits with 0 and has a summary and examples."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "examples:" in out
    assert f"epicenter-sidecar {name}" in out.partition("examples:")[2]
    usage, _, rest = out.partition("\n\n")
    assert "\n" not in usage, "flags are listed below"
    assert rest.startswith(COMMANDS[name][0].upper())


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """``help`` prints it with exit code 0; no argument prints it with an error."""
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
        ["history", "app", "--at", "long ago", "--out", "past.sqlite"],
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, with what is wrong and which help to read."""
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("epicenter-sidecar: ")
    assert err.endswith(f"; epicenter-sidecar {words[0]} --help shows what it takes\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["protocol", "--typescript"]])
def test_a_reader_that_is_gone_is_no_bug(words: list[str]) -> None:
    """Nothing on stderr when the next program in a pipe has ended."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run([*program(), *words], stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["sync", "-V"]])
def test_the_version_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """For bug reports, with and without a command."""
    with contextlib.suppress(SystemExit):
        assert main(words) == 0
    assert capsys.readouterr().out.startswith("epicenter-sidecar 0.")


def test_the_overview_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """And `help` prints the same text."""
    assert main(["help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("usage:")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_tells_exit_codes_and_habits(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`help COMMAND` is `COMMAND --help`; examples stand last."""
    with pytest.raises(SystemExit):
        main(["help", name])
    out = capsys.readouterr().out
    assert "xit codes:" in out.partition("examples:")[0]
    assert all(flag in out for flag in ("-q,", "-v,", "-V,", "--color"))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["statsu"], "did you mean status?"),
        (["Sync"], "did you mean sync?"),
        (["sync", "--jsno", "x"], "did you mean --json?"),
        (["sync", "--max-documents-mb=5", "x"], "did you mean --max-document-mb?"),
        (["help", "verfy"], "did you mean verify?"),
    ],
)
def test_a_mistyped_word_is_answered_with_what_was_meant(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """For commands and flags, a similar word is suggested; exit 2."""
    assert main(words) == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "exits"),
    [
        (["status", "--json"], "usage", 2),
        (["status", "--json", "/nowhere"], "root", 3),
        (["history", "--json", "."], "gone", 1),
    ],
)
def test_errors_are_json_for_who_reads_json(  # noqa: PLR0913, PLR0917
    words: list[str],
    code: str,
    exits: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One JSON value on stdout, and the same message on stderr."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == exits
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["code"] == code
    assert error["message"] in told.err


def test_errors_of_sync_are_events(capsys: pytest.CaptureFixture[str]) -> None:
    """Like all its output for machines."""
    assert main(["sync", "--json", "/nowhere"]) == 3
    event = json.loads(capsys.readouterr().out)
    assert (event["type"], event["code"], event["retry_ms"]) == ("failed", "root", None)


@pytest.mark.parametrize(
    ("words", "behind"),
    [
        (["--", "--json"], ["--json"]),
        (["a", "--", "-x", "--", "y"], ["a", "-x", "--", "y"]),
        (["--json", "--"], []),
        (["--fts", "--", "--fts"], ["--fts"]),
    ],
)
def test_two_dashes_end_the_options(words: list[str], behind: list[str]) -> None:
    """All words after them are paths, also a second ``--``."""
    module = importlib.import_module("sidecar.commands.sync")
    assert parse("sync", "s", module, words).paths == behind


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_its_flags(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script for each shell."""
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert "documents" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("sta", "status"),
        ("sync --doc", "--documents"),
        ("completion z", "zsh"),
        ("help ver", "verify"),
    ],
)
def test_bash_completes(line: str, found: str, tmp_path: Path) -> None:
    """The script in a real shell."""
    pytest.importorskip("shtab")
    script = tmp_path / "completion.bash"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(["completion", "bash"])
    script.write_text(out.getvalue())
    words = ["epicenter-sidecar", *line.split(" ")]
    ask = f"""source {script}; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}
        _shtab_epicenter_sidecar; echo "${{COMPREPLY[@]}}" """
    bash = str(shutil.which("bash"))
    done = subprocess.run([bash, "-c", ask], capture_output=True, text=True, check=True)
    assert found in done.stdout.split()


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
    """The word after ``--fts`` is its value only if it looks like one."""
    module = importlib.import_module("sidecar.commands.sync")
    arguments = parse("sync", "s", module, words)
    assert (arguments.fts, arguments.paths) == (fts, paths)


def test_nothing_invisible_or_steering_survives() -> None:
    """In all of Unicode: controls, bidi marks, line separators, lone surrogates."""
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👩\u200d🍳", "👩\u200d🍳"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("می\u200cشود", "می\u200cشود"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("pay\u200dpal", "pay\\u200dpal"),
        ("pay\u200cpal", "pay\\u200cpal"),
        ("🍳\u200d", "🍳\\u200d"),
        ("\u200d\u200d", "\\u200d\\u200d"),
    ],
)
def test_joiners_stay_where_they_are_part_of_writing(text: str, shown: str) -> None:
    """Between emoji and in cursive scripts; between other letters they hide."""
    assert escape(text) == shown


def test_events_are_lines_for_people() -> None:
    """What happened, to which workspace, and the next step."""
    doc = {"workspace": "w1", "epoch": 2, "path": "/p"}
    rebuilt = RebuiltEvent(
        **doc,  # type: ignore[arg-type]
        reason="changed",
        changed=["a\nb"],
        removed=["c"],
        rows=1,
        problems=2,
        warm=False,
        regressed=True,
        ms=3,
    )
    assert lines_of(rebuilt) == [
        "rebuilt    w1/2  changed a\\nb; 1 row; 2 problems; removed c; an older state; 3 ms"
    ]
    nameless = UnchangedEvent(workspace=None, epoch=None, path="/p", reason="bytes")
    assert lines_of(nameless) == ["unchanged  /p  equal bytes"]
    failed = FailedEvent(code="disk_full", message="m", retry_ms=2000)
    assert lines_of(failed) == ["failed     disk_full: m; next try in 2 s"]
    ready = Ready(pid=1, version="", root=[], documents=3, rebuilt=1, unchanged=1, failed=1)
    assert lines_of(ready, color=True) == [
        "ready      3 documents: 1 rebuilt, 1 unchanged, 1 failed"
    ]
    assert lines_of(failed, color=True) == [
        "\x1b[31mfailed\x1b[0m     disk_full: m; next try in 2 s"
    ]


@pytest.mark.parametrize("color", [False, True])
def test_a_long_event_is_folded_between_words_below_its_own_text(*, color: bool) -> None:
    """No line is wider than the terminal, no word is cut, and without a terminal it is one line."""
    told = "the disk is full and nothing can be written"
    failed = FailedEvent(code="disk_full", message=told, retry_ms=None)
    seen = [re.sub(r"\x1b\[\d*m", "", line) for line in lines_of(failed, color=color, width=40)]
    assert seen == [
        "failed     disk_full: the disk is full",
        "           and nothing can be written",
    ]
    assert len(lines_of(failed, color=color)) == 1
    assert len(lines_of(failed, color=color, width=12)) == 1


def test_no_event_is_without_words() -> None:
    """Every type of event has a text."""
    from sidecar.commands import event_lines as output  # noqa: PLC0415

    assert set(output._TEXTS) == set(EVENTS)  # noqa: SLF001


def test_lines_have_the_time_and_nothing_that_alarms() -> None:
    """The local time of the event; a first build is called built, with the path of the mirror."""
    doc = {"workspace": "w1", "epoch": 2, "path": "/p"}
    rebuilt = RebuiltEvent(
        **doc,  # type: ignore[arg-type]
        time="2026-01-31T09:30:15.123Z",
        reason="missing",
        changed=[],
        removed=[],
        rows=1,
        problems=0,
        warm=False,
        regressed=False,
        ms=3,
    )
    (line,) = lines_of(rebuilt, mirror="/m\n.sqlite")
    assert re.fullmatch(r"\d\d:\d\d:15  rebuilt    w1/2  built; 1 row; 3 ms; in /m\\n.sqlite", line)
    assert json.loads(encode(rebuilt))["reason"] == "missing"
