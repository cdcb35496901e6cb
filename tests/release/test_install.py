"""The npm package's ``install`` puts a bundle into an app, and touches nothing of anybody else."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import NAME, TARGET, Install, make_archive, make_bundle
from tests.support.data import PROJECT
from tests.support.systems import needs_shell

HOST = PROJECT / "tests" / "tauri" / "src-tauri"
LAUNCHER = f"binaries/{NAME}-{TARGET}"
PROGRAM = f"{NAME}-lib/{NAME}"
OURS = {"externalBin": [f"binaries/{NAME}"], "resources": [f"{NAME}-lib/"]}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The ``src-tauri`` of a new app: the guide's configuration before the sidecar is in it."""
    folder = tmp_path / "app" / "src-tauri"
    folder.mkdir(parents=True)
    shown = (HOST / "tauri.conf.json").read_text("utf-8")
    before = shown[: shown.index(',\n    "externalBin"')] + "\n  }\n}\n"
    json.loads(before)
    (folder / "tauri.conf.json").write_text(before, "utf-8")
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A bundle as a release has it."""
    return make_archive(tmp_path, "one")


def test_files_are_where_tauri_looks_and_as_the_guide_shows(
    install: Install, app: Path, archive: Path
) -> None:
    """Program and library; configuration and capability byte for byte those of the Tauri host."""
    done = install("install", archive)
    assert done.returncode == 0, done.stderr
    assert (app / LAUNCHER).stat().st_mode & 0o777 == 0o755
    assert (app / PROGRAM).stat().st_mode & 0o777 == 0o755
    for name in ("tauri.conf.json", "capabilities/sidecar.json"):
        assert (app / name).read_text("utf-8") == (HOST / name).read_text("utf-8")
    assert "glibc 2.28 or newer" in done.stdout
    assert "npm run tauri add shell" in done.stdout
    assert 'import { Sidecar } from "epicenter-sidecar"' in done.stdout


@needs_shell
@pytest.mark.parametrize("name", [NAME, "notes-sidecar"])
def test_the_launcher_becomes_the_program(
    install: Install, app: Path, archive: Path, name: str
) -> None:
    """Once Tauri has copied it beside the resources; under another name too."""
    assert install("install", archive, "--name", name).returncode == 0
    assert name in (app / "capabilities" / "sidecar.json").read_text("utf-8")
    launcher = app / "target" / name
    launcher.parent.mkdir()
    shutil.copy(app / "binaries" / f"{name}-{TARGET}", launcher)
    shutil.copytree(app / f"{name}-lib", launcher.parent / f"{name}-lib")
    done = subprocess.run([launcher, "watch"], capture_output=True, text=True, check=True)
    assert done.stdout == "one watch\n"


def test_once_more_changes_nothing(install: Install, app: Path, archive: Path) -> None:
    """Not a byte, not a time."""
    install("install", archive)
    before = state_of(app)
    done = install("install", archive)
    assert (done.returncode, state_of(app)) == (0, before)
    assert "wrote" not in done.stdout


def test_a_newer_bundle_replaces_what_an_older_one_wrote(
    install: Install, app: Path, archive: Path, tmp_path: Path
) -> None:
    """And takes away what it no longer has."""
    install("install", archive)
    done = install("install", make_archive(tmp_path, "two"))
    assert done.returncode == 0, done.stderr
    assert (app / PROGRAM).read_text("utf-8").endswith('echo two "$@"\n')
    names = {path.name for path in (app / f"{NAME}-lib").rglob("*") if path.is_file()}
    assert names == {NAME, "two.so", "bundle.json"}


@pytest.mark.parametrize("name", [LAUNCHER, PROGRAM, f"{NAME}-lib/_internal/one.so"])
def test_a_file_of_somebody_else_is_left_alone(
    install: Install, app: Path, archive: Path, name: str
) -> None:
    """Nothing at all is written then, and the file is named."""
    (app / name).parent.mkdir(parents=True)
    (app / name).write_text("mine", "utf-8")
    before = state_of(app)
    done = install("install", archive)
    assert (done.returncode, state_of(app)) == (1, before)
    assert Path(name).name in done.stderr
    assert "move it away" in done.stderr


def test_a_changed_file_is_replaced_only_when_asked(
    install: Install, app: Path, archive: Path, tmp_path: Path
) -> None:
    """As when a developer has signed it."""
    install("install", archive)
    (app / PROGRAM).write_text("signed", "utf-8")
    newer = make_archive(tmp_path, "two")
    done = install("install", newer)
    assert done.returncode == 1
    assert "--replace" in done.stderr
    assert (app / PROGRAM).read_text("utf-8") == "signed"
    assert install("install", newer, "--replace").returncode == 0
    assert (app / PROGRAM).read_text("utf-8").endswith('echo two "$@"\n')


def test_a_damaged_archive_is_refused(install: Install, app: Path, archive: Path) -> None:
    """By its checksum, before it is unpacked."""
    content = bytearray(archive.read_bytes())
    content[-9] ^= 1
    archive.write_bytes(content)
    before = state_of(app)
    done = install("install", archive)
    assert (done.returncode, state_of(app)) == (1, before)
    assert "is not what was published" in done.stderr


def test_an_archive_without_checksum_is_refused(install: Install, app: Path, archive: Path) -> None:
    """Unless one is given, which must be right."""
    (archive.parent / "SHA256SUMS").unlink()
    done = install("install", archive)
    assert done.returncode == 1
    assert "--sha256" in done.stderr
    assert install("install", archive, "--sha256", "0" * 64).returncode == 1
    assert not (app / "binaries").exists()
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert install("install", archive, "--sha256", right).returncode == 0


@pytest.mark.parametrize("change", ["damage", "remove"])
def test_a_damaged_folder_is_refused(
    install: Install, app: Path, tmp_path: Path, change: str
) -> None:
    """By the manifest in it."""
    bundle = make_bundle(tmp_path)
    file = bundle / f"{NAME}-lib" / "_internal" / "one.so"
    if change == "damage":
        file.write_bytes(b"other")
    else:
        file.unlink()
    done = install("install", bundle)
    assert done.returncode == 1
    assert "one.so" in done.stderr
    assert not (app / "binaries").exists()


@pytest.mark.parametrize(
    "name",
    ["../outside", f"{NAME}-lib/../../outside", "/outside", "src/main.rs", f"{NAME}-lib/a\\b"],
)
def test_a_manifest_leads_nowhere_else(
    install: Install, app: Path, tmp_path: Path, name: str
) -> None:
    """A bundle writes into its own two folders."""
    bundle = make_bundle(tmp_path)
    manifest = bundle / f"{NAME}-lib" / "bundle.json"
    content = json.loads(manifest.read_bytes())
    content["files"][name] = {"sha256": "0" * 64, "executable": False}
    manifest.write_text(json.dumps(content), "utf-8")
    done = install("install", bundle)
    assert done.returncode == 1
    assert "not the bundle's" in done.stderr
    assert not (app / "binaries").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, OURS),
        ({"externalBin": None, "resources": []}, OURS),
        (
            {"externalBin": ["binaries/ffmpeg"], "resources": ["fonts/"]},
            {
                "externalBin": ["binaries/ffmpeg", f"binaries/{NAME}"],
                "resources": ["fonts/", f"{NAME}-lib/"],
            },
        ),
        (
            {"resources": {"fonts/": "fonts/"}},
            {
                "externalBin": [f"binaries/{NAME}"],
                "resources": {"fonts/": "fonts/", f"{NAME}-lib/": f"{NAME}-lib/"},
            },
        ),
    ],
)
def test_entries_of_the_app_stay(
    install: Install, app: Path, archive: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Lists grow, maps get a pair; all else of the text is as it was, tabs too."""
    config = {
        "identifier": "com.example.notes",
        "bundle": {"active": True, **before},
        "plugins": {},
    }
    text = json.dumps(config, indent="\t", ensure_ascii=False)
    (app / "tauri.conf.json").write_text(text, "utf-8")
    assert install("install", archive).returncode == 0
    written = (app / "tauri.conf.json").read_text("utf-8")
    assert json.loads(written) == {**config, "bundle": {"active": True, **after}}
    assert '\n\t\t"active": true' in written
    assert '\n\t"plugins": {}' in written


def test_lists_of_a_platform_and_of_capabilities_get_the_entries_too(
    install: Install, app: Path, archive: Path
) -> None:
    """As those take the place of the common ones, or leave out what they do not name."""
    config = {
        "identifier": "com.example.notes",
        "app": {
            "windows": [{"label": "editor"}],
            "security": {"capabilities": ["default"]},
        },
    }
    (app / "tauri.conf.json").write_text(json.dumps(config), "utf-8")
    (app / "tauri.linux.conf.json").write_text('{"bundle": {"resources": ["x/"]}}', "utf-8")
    assert install("install", archive).returncode == 0
    written = json.loads((app / "tauri.conf.json").read_bytes())
    assert written["app"]["security"]["capabilities"] == ["default", "sidecar"]
    linux = json.loads((app / "tauri.linux.conf.json").read_bytes())
    assert linux["bundle"] == {"resources": ["x/", f"{NAME}-lib/"]}
    capability = json.loads((app / "capabilities" / "sidecar.json").read_bytes())
    assert capability["windows"] == ["editor"]


def test_a_capability_that_allows_it_already_is_left_alone(
    install: Install, app: Path, archive: Path
) -> None:
    """Whatever it is called: somebody may have added options of ``watch`` to it."""
    own = (
        (HOST / "capabilities" / "sidecar.json")
        .read_text("utf-8")
        .replace('"watch"', '"watch", "--fts"')
    )
    (app / "capabilities").mkdir()
    (app / "capabilities" / "mine.json").write_text(own, "utf-8")
    done = install("install", archive)
    assert done.returncode == 0
    assert [path.name for path in (app / "capabilities").iterdir()] == ["mine.json"]
    assert "mine.json allows" in done.stdout


def test_a_sidecar_json_of_another_program_stays(
    install: Install, app: Path, archive: Path
) -> None:
    """Ours is then called after the program."""
    (app / "capabilities").mkdir()
    other = app / "capabilities" / "sidecar.json"
    other.write_text('{"identifier": "sidecar", "windows": ["main"], "permissions": []}', "utf-8")
    before = other.read_bytes()
    assert install("install", archive).returncode == 0
    assert other.read_bytes() == before
    ours = json.loads((app / "capabilities" / f"{NAME}.json").read_bytes())
    assert ours["identifier"] == NAME


def test_what_has_to_be_done_by_hand_is_said(install: Install, app: Path, archive: Path) -> None:
    """A configuration in TOML is not edited; exit 1 until it names both."""
    (app / "tauri.conf.json").unlink()
    toml = app / "Tauri.toml"
    toml.write_text('identifier = "com.example.notes"\n', "utf-8")
    done = install("install", archive)
    assert done.returncode == 1
    assert f'add "binaries/{NAME}" to bundle.externalBin' in done.stdout
    toml.write_text(f'[bundle]\nexternalBin = ["binaries/{NAME}"]\nresources = ["{NAME}-lib/"]\n')
    assert install("install", archive).returncode == 0


def test_a_dry_run_writes_nothing(install: Install, app: Path, archive: Path) -> None:
    """And says what would be written."""
    before = state_of(app)
    done = install("install", archive, "--dry-run")
    assert (done.returncode, state_of(app)) == (0, before)
    assert "capabilities/sidecar.json" in done.stdout
    assert "Nothing was written." in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "try: npx epicenter-sidecar install BUNDLE"),
        (("install",), 2, "which bundle?"),
        (("install", "nowhere.tar.gz"), 1, "there is no nowhere.tar.gz"),
        (("install", "x", "--no-such"), 2, "--no-such"),
        (("install", ".", "--app", "elsewhere"), 1, "run this in the app's folder"),
        (("install", "."), 1, "is no bundle"),
    ],
)
def test_mistakes_are_answered(
    install: Install, app: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """In one line that says what to do, without a stack."""
    done = install(*words, cwd=app.parent)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_broken_configuration_stops_it_before_anything_is_written(
    install: Install, app: Path, archive: Path
) -> None:
    """The files of the bundle do not come without their entries."""
    (app / "tauri.conf.json").write_text('{"identifier": ', "utf-8")
    before = state_of(app)
    done = install("install", archive)
    assert (done.returncode, state_of(app)) == (1, before)
    assert "is no JSON object" in done.stderr


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and content of every file below a folder."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
