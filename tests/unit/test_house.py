"""docs/architecture.md names every module, and each public class has a name of its own."""

import ast
import re
from collections import Counter

from tests.support.data import PROJECT

PAGE = (PROJECT / "docs" / "architecture.md").read_text("utf-8")
ROOM = re.compile(r"^### ([^\n]+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"`(\w+)`")


def test_the_page_names_every_module() -> None:
    """For each folder: new modules must be added, removed ones deleted."""
    named = {
        (name.split("/")[0] if "/" in name else "", module)
        for name, rooms in ROOM.findall(PAGE)
        for line in rooms.splitlines()
        for module in MODULE.findall(line.split("|")[1] if line.startswith("| `") else "")
    }
    package = PROJECT / "sidecar"
    there = {
        ("" if path.parent == package else path.parent.name, path.stem)
        for path in package.rglob("*.py")
        if path.stem != "__init__"
    }
    assert named == there


def test_no_two_public_classes_share_a_name() -> None:
    """Whoever reads a name knows which class is meant."""
    names = Counter(
        node.name
        for path in sorted((PROJECT / "sidecar").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
