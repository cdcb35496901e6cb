"""The files that docs/tauri.md tells people to paste are the tested ones."""

import json
import re
from pathlib import Path

import pytest

from tests.support.data import PROJECT
from tests.support.typescript import CLIENTS, RunNode

HOST = PROJECT / "tests" / "tauri"
PAGE = (PROJECT / "docs" / "tauri.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```(?P<language>\w+) file=(?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
BLOCKS = {match["name"]: match["text"] for match in BLOCK.finditer(PAGE)}
SCRIPTS = {name: text for name, text in BLOCKS.items() if name.endswith(".ts")}
CONFIGURATION = sorted(name for name in BLOCKS if name.endswith(".json"))


@pytest.mark.parametrize("name", CONFIGURATION)
def test_configuration_in_the_guide_is_what_the_tauri_host_runs_with(name: str) -> None:
    """Each JSON file of the guide is, byte for byte, the one of the Tauri test app."""
    assert (HOST / name).read_text("utf-8") == BLOCKS[name]


def test_every_capability_that_concerns_us_is_in_the_guide() -> None:
    """The test app allows nothing of the shell that the guide does not show."""
    folder = HOST / "src-tauri" / "capabilities"
    ours = {path for path in folder.iterdir() if "shell:" in path.read_text("utf-8")}
    assert {HOST / name for name in CONFIGURATION} >= ours


def test_all_typescript_satisfies_the_strictest_tsc(run_node: RunNode, tmp_path: Path) -> None:
    """The guide's, which imports the client as npm names it, and that of ``tests/clients``."""
    for name, text in SCRIPTS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    tested = json.loads((CLIENTS / "tsconfig.json").read_bytes())
    paths = {
        name: [str(CLIENTS / place) for place in places]
        for name, places in tested["compilerOptions"]["paths"].items()
    }
    paths["epicenter-sidecar"] = [str(PROJECT / "sidecar" / "host" / "tauri.ts")]
    settings = {
        "extends": str(CLIENTS / "tsconfig.json"),
        "compilerOptions": {"paths": paths},
        "include": ["src", *(str((CLIENTS / place).resolve()) for place in tested["include"])],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    tsc = CLIENTS / "node_modules" / "typescript" / "bin" / "tsc"
    done = run_node(tsc, "--project", tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_nothing_of_the_guide_awaits_at_the_top_level(name: str) -> None:
    """Older build targets refuse that, and an app would not mount while it waits."""
    assert not re.search(r"^(const .*= )?(for )?await\b", SCRIPTS[name], re.MULTILINE)


def test_the_guide_begins_with_npm() -> None:
    """Building it yourself comes after everything that an app needs."""
    headings = re.findall(r"^## \d\. (.*)$", PAGE, re.MULTILINE)
    assert headings[0] == "Install"
    assert headings.index("Build it yourself") > headings.index("Stop and update")
    assert PAGE.index("npx epicenter-sidecar install") < PAGE.index("make bundle")
