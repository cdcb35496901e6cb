"""What a release is made of: equal archives, checksums, a list of parts, one version."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.release.__main__ import glibc_version, insist_on_glibc
from scripts.release.archive import moment_of_release, pack, write_sums
from scripts.release.bundle import LAUNCHER, LEFT_OUT
from scripts.release.manifest import oldest_glibc
from scripts.release.npm_package import SOURCES, package
from scripts.release.parts import parts_list
from scripts.release.try_package import KINDS, WANTED, is_archive
from sidecar import __version__
from tests.support.bundles import NAME, make_bundle
from tests.support.data import PROJECT
from tests.support.program import run
from tests.support.systems import needs_shell

MOMENT = 1_700_000_000


def test_equal_files_give_equal_archives(tmp_path: Path) -> None:
    """Whatever their times and their order on disk; other contents give another archive."""
    sums = []
    for number, content in enumerate(("one", "one", "two")):
        bundle = make_bundle(tmp_path / str(number), content)
        os.utime(next(bundle.rglob("*.so")), (number, number))
        pack(bundle, tmp_path / f"{number}.tar.gz", MOMENT)
        sums.append(hashlib.sha256((tmp_path / f"{number}.tar.gz").read_bytes()).hexdigest())
    assert sums[0] == sums[1] != sums[2]
    with tarfile.open(tmp_path / "0.tar.gz") as tar:
        members = tar.getmembers()
    assert {(one.uid, one.uname, one.mtime, one.mode & 0o022) for one in members} == {
        (0, "", MOMENT, 0)
    }
    assert all(one.isreg() and not one.name.startswith(("/", "..")) for one in members)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_checksums_are_read_by_sha256sum(tmp_path: Path) -> None:
    """And name every file but themselves."""
    for name in ("b.whl", "a.tgz"):
        (tmp_path / name).write_text(name, "utf-8")
    text = write_sums(tmp_path).read_text("utf-8")
    assert [line.split()[1] for line in text.splitlines()] == ["a.tgz", "b.whl"]
    write_sums(tmp_path)
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(check, cwd=tmp_path, check=True, capture_output=True)


def test_the_moment_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """As other packagers have it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert moment_of_release() == 86400
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert moment_of_release() > 86400


def test_the_newest_glibc_that_is_asked_for_counts(tmp_path: Path) -> None:
    """By number, not by letter; None where nobody asks."""
    for name, content in (("a", b"GLIBC_2.9\0"), ("b", b"\0GLIBC_2.17\0GLIBC_2.4")):
        (tmp_path / name).write_bytes(content)
    assert oldest_glibc([tmp_path / "a", tmp_path / "b"]) == "2.17"
    (tmp_path / "c").write_bytes(b"GLIBC_PRIVATE")
    assert oldest_glibc([tmp_path / "c"]) is None


def test_a_bundle_that_needs_a_newer_glibc_than_promised_is_refused(tmp_path: Path) -> None:
    """Each such file is named with what it needs; equal is not newer, 2.4 is older than 2.31."""
    (tmp_path / "_internal").mkdir()
    for name, content in (("a.so", b"GLIBC_2.34"), ("_internal/b.so", b"GLIBC_2.4\0GLIBC_2.31")):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SystemExit) as end:
        insist_on_glibc(tmp_path, "2.31")
    assert str(end.value).splitlines()[1:] == ["  a.so needs 2.34"]
    insist_on_glibc(tmp_path, "2.34")


def test_the_glibc_of_a_release_is_the_one_that_the_guide_promises() -> None:
    """The workflow insists on it, and builds in the image of a Debian that has it."""
    workflow = (PROJECT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    page = (PROJECT / "docs" / "tauri.md").read_text("utf-8")
    (promised,) = re.findall(r"--glibc (2\.\d+)", workflow)
    assert f"glibc {promised} or newer" in page
    assert "container: python:3.11-slim-bullseye" in workflow


@pytest.mark.parametrize("wrong", ["", "2", "3.1", "2.x", "GLIBC_2.31"])
def test_what_is_no_version_of_glibc_is_refused(wrong: str) -> None:
    """A typing error in the workflow must not promise anything."""
    with pytest.raises(ValueError):  # noqa: PT011 - argparse says the rest
        glibc_version(wrong)
    assert glibc_version("2.31") == "2.31"


def test_the_list_of_parts_is_valid_and_has_what_is_frozen() -> None:
    """By CycloneDX's own schema; equal for an equal moment; no extra, no tool of developers."""
    text = parts_list("x86_64-unknown-linux-gnu", MOMENT)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert parts_list("x86_64-unknown-linux-gnu", MOMENT) == text
    content = json.loads(text)
    assert content["metadata"]["component"]["version"] == __version__
    names = {one["name"] for one in content["components"]}
    assert names >= {"apsw", "msgspec", "pycrdt", "python", "sqlite", "watchfiles", "yrs"}
    assert names.isdisjoint({"datasette", "mcp", "pytest", "mypy", "hypothesis"})


def test_the_version_stands_in_one_place() -> None:
    """All packages take it from there; the command prints it."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"] == {"path": "sidecar/__init__.py"}
    assert package()["version"] == __version__
    assert json.loads((SOURCES / "package.json").read_bytes())["version"] == "0.0.0"
    assert run("--version").out == f"{NAME} {__version__}\n"


def test_a_wheel_may_hold_every_file_of_the_package() -> None:
    """What is not of a known kind is taken for rubbish by the try of the packages."""
    paths = [path for path in (PROJECT / "sidecar").rglob("*") if path.is_file()]
    names = {path.relative_to(PROJECT).as_posix() for path in paths if path.suffix != ".pyc"}
    assert {name for name in names if not name.endswith(KINDS)} == set()
    assert names >= WANTED


def test_a_bundle_is_not_tried_as_a_source_archive(tmp_path: Path) -> None:
    """It lies in the same folder under the same ending."""
    names = ("epicenter_sidecar-1.tar.gz", "epicenter_sidecar-1-py3-none-any.whl")
    assert all(is_archive(tmp_path / name) for name in names)
    assert not is_archive(tmp_path / "epicenter-sidecar-1-x86_64-unknown-linux-gnu.tar.gz")


def test_the_npm_package_needs_nothing_at_run_time() -> None:
    """But the plugin that the app has anyway."""
    shipped = package()
    assert not {"dependencies", "devDependencies", "scripts"} & set(shipped)
    assert list(shipped["peerDependencies"]) == ["@tauri-apps/plugin-shell"]


@needs_shell
@pytest.mark.parametrize("machine", ["", "half"])
def test_the_launcher_finds_the_half_of_a_universal_app(tmp_path: Path, machine: str) -> None:
    """One library, or one for each processor in a folder of that name."""
    half = os.uname().machine if machine else ""
    library = tmp_path / "Resources" / f"{NAME}-lib" / half
    library.mkdir(parents=True)
    launcher = tmp_path / "MacOS" / NAME
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER.format(name=NAME), "utf-8")
    (library / NAME).write_text('#!/bin/sh\necho "$@"\n', "utf-8")
    for file in (launcher, library / NAME):
        file.chmod(0o755)
    done = subprocess.run([launcher, "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == "a b\n"


def test_nothing_that_the_program_imports_is_left_out() -> None:
    """Of its own modules only those of the extras."""
    text = "\n".join(path.read_text("utf-8") for path in (PROJECT / "sidecar").rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:import|from) ([\w.]+)", text, re.MULTILINE))
    extras = {"datasette", "mcp", "uvicorn", "sqlite3", "asyncio"}  # sqlite3 for Datasette alone
    left_out = {name for name in LEFT_OUT if name in imported} - extras - {"psutil"}
    assert left_out <= {"sidecar.readers.datasette", "sidecar.readers.mcp"}


def test_the_workflow_calls_the_makefile() -> None:
    """And names the targets that there are; what was not tried says so."""
    workflow = (PROJECT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"run: make ([a-z-]+)", workflow))
    assert called == {"release", "bundle-release"} <= targets
    assert workflow.count("ot tried by us") >= 4
