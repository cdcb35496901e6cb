"""The files that docs/tauri.md tells people to paste are the tested ones."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.data import PROJECT
from tests.support.typescript import CLIENTS, RunNode

HOST = PROJECT / "tests" / "tauri"
BLOCK = re.compile(
    r"^```(?P<language>\w+) file=(?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
BLOCKS = {
    match["name"]: match["text"]
    for match in BLOCK.finditer((PROJECT / "docs" / "tauri.md").read_text("utf-8"))
}
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


def test_the_typescript_of_the_guide_type_checks(run_node: RunNode, tmp_path: Path) -> None:
    """The guide's TypeScript, put beside the client as it says, satisfies tsc."""
    (tmp_path / "src").mkdir()
    shutil.copyfile(PROJECT / "sidecar" / "host" / "tauri.ts", tmp_path / "src" / "sidecar.ts")
    for name, text in BLOCKS.items():
        if name.endswith(".ts"):
            (tmp_path / name).write_text(text, "utf-8")
    settings = json.loads((CLIENTS / "tsconfig.json").read_bytes())["compilerOptions"]
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    (tmp_path / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": settings, "include": ["src"]})
    )
    done = run_node(CLIENTS / "node_modules" / "typescript" / "bin" / "tsc", "-p", tmp_path)
    assert done.returncode == 0, done.stdout
