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


def test_every_module_has_its_tests_where_its_path_says() -> None:
    """At ``tests/unit/ROOM/test_MODULE.py`` or as a command; elsewhere only as the page says."""
    told = PAGE.partition("## Where a module's tests are")[2]
    lines = [line.split("|") for line in told.splitlines() if line.startswith("| `")]
    elsewhere = {
        module: path
        for _, modules, tests, _ in lines
        for module in re.findall(r"`([\w/]+)`", modules)
        for path in re.findall(r"`([\w/.]+)`", tests)
    }
    package = PROJECT / "sidecar"
    modules = {
        path.relative_to(package).with_suffix("").as_posix()
        for path in package.rglob("*.py")
        if path.stem != "__init__"
    }
    by_path = {module for module in modules if any((PROJECT / p).is_file() for p in places(module))}
    assert modules - by_path == elsewhere.keys()
    assert [path for path in elsewhere.values() if not (PROJECT / path).is_file()] == []


def test_what_the_page_says_of_faults_is_there() -> None:
    """Each module, function or folder that it sends somebody to."""
    told = PAGE.partition("## Where to look for a fault")[2].partition("\n## ")[0]
    named = {
        name
        for line in told.splitlines()
        if line.startswith("| ")
        for name in re.findall(r"`([^`]+)`", line.split("|")[2])
    }
    commands = {"verify", "install", "mcp", "browse"}
    missing = [name for name in sorted(named - commands) if not is_there(name)]
    assert len(named) > 30
    assert missing == []


def is_there(name: str) -> bool:
    """Return whether a module, a function in one, a folder or a file has this name."""
    module, _, function = name.partition(".")
    if (PROJECT / name).exists() or (PROJECT / "sidecar" / name).exists():
        return True
    path = PROJECT / "sidecar" / f"{module}.py"
    return path.is_file() and (not function or f"def {function}(" in path.read_text("utf-8"))


def places(module: str) -> tuple[str, str]:
    """Return where the tests of a module may be without being named on the page."""
    room, _, name = module.rpartition("/")
    return f"tests/unit/{room}/test_{name}.py", f"tests/{room or 'unit'}/test_{name}.py"


def test_no_two_public_classes_share_a_name() -> None:
    """Whoever reads a name knows which class is meant."""
    names = Counter(
        node.name
        for path in sorted((PROJECT / "sidecar").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
