"""README, the pages, the Makefile and ``--help`` speak of the same commands, flags and targets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.release.npm_package import SOURCES
from sidecar.commands import COMMANDS
from tests.support.data import PROJECT
from tests.support.program import run

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMAND = re.compile(r"epicenter-sidecar (" + "|".join(COMMANDS) + r")\b([^\n`]*)")
FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]+)")
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
ELSEWHERE = {
    *("--typescript", "--typescript-client", "--json-schema"),  # protocol's own
    *("--version", "--help"),
    "--reload",  # Datasette's
}
"""Flags that stand in inline code without their command."""


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """What ``--help`` says, of every command."""
    return {name: run(name, "--help", environment={"COLUMNS": "80"}).out for name in COMMANDS}


def commands_of(page: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each command line of a page: its command, its flags."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for name, rest in COMMAND.findall(text):
        yield name, set(FLAG.findall(re.sub(r"(['\"]).*?\1", "", rest.split(" | ")[0])))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_on_a_page_is_in_the_help(page: Path, helps: dict[str, str]) -> None:
    """Of the command that it stands beside."""
    for name, flags in commands_of(page):
        for flag in flags:
            assert re.search(rf"{flag}\b", helps[name]), f"{name} {flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_in_a_text_is_somewhere(page: Path, helps: dict[str, str]) -> None:
    """Of ours, of ``install``, or of what make passes on; nothing that was taken away."""
    everything = "\n".join(helps.values()) + (SOURCES / "src" / "cli.ts").read_text("utf-8")
    for script in (PROJECT / "scripts").rglob("*.py"):
        everything += script.read_text("utf-8")
    for flag in re.findall(r"`(--[a-z][a-z0-9-]+)", page.read_text("utf-8")):
        assert flag in everything or flag in ELSEWHERE, flag


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_target_on_a_page_is_in_the_makefile(page: Path) -> None:
    """And none that was renamed."""
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE):
        assert target in TARGETS, target


def test_every_help_has_examples_that_are_of_it_and_its_exits(helps: dict[str, str]) -> None:
    """Whose flags exist; and what 0 and 1 mean."""
    for name, told in helps.items():
        examples = [line for line in told.splitlines() if line.startswith("  epicenter-sidecar ")]
        assert any(f" {name}" in line for line in examples), name
        assert re.search(r"(?i)\bexit", told), name
        for line in examples:
            for command, rest in COMMAND.findall(line):
                for flag in FLAG.findall(rest):
                    assert flag in helps[command], line


def test_habits_may_stand_before_the_command(tmp_path: Path) -> None:
    """As behind it; whatever else stands there is no command."""
    early = run("-q", "--color", "never", "status", tmp_path)
    late = run("status", "-q", "--color", "never", tmp_path)
    assert (early.code, early.err) == (late.code, late.err)
    assert "no documents" in early.err
    assert "'--json' is no command" in run("--json", "status", tmp_path).err
    assert run("-q").code == 2


def test_every_help_fits_80_columns(helps: dict[str, str]) -> None:
    """The overview too; a terminal would break longer lines in the middle of a word."""
    for name, told in {**helps, "--help": run("--help").out}.items():
        assert [line for line in told.splitlines() if len(line) > 80] == [], name


def test_the_overview_is_that_of_the_readme() -> None:
    """The commands of ``--help`` and the README's table, in whatever order."""
    told = re.findall(r"^  ([a-z]+) ", run("--help").out, re.MULTILINE)
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert set(told) == set(COMMANDS)
    assert set(re.findall(r"^\| `epicenter-sidecar (\w+)", readme, re.MULTILINE)) == set(told)


def test_the_guide_has_every_option_of_install() -> None:
    """Those that an app's developer has to know of."""
    guide = (PROJECT / "docs" / "tauri.md").read_text("utf-8")
    for flag in ("--name", "--sha256", "--replace", "--dry-run"):
        assert f"`{flag}" in guide
        assert flag in (SOURCES / "src" / "cli.ts").read_text("utf-8")
