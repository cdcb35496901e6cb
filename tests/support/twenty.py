"""An app's data folder as it is after a year: twenty workspaces, no two names alike in shape.

UUIDs as ids, wide and long names, three deleted workspaces, one with three epochs of which the
second is current, one of 30,000 rows, one with problems, and three schemas among them all.
"""

import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pycrdt import Doc, Map

from tests.support.apps import document_path
from tests.support.once import made_once
from tests.support.program import sync

BIG_ROWS = 30_000
COUNT = 20
IDS = tuple(str(uuid.uuid5(uuid.NAMESPACE_DNS, f"workspace {n}.example")) for n in range(COUNT))
NAMES = (
    *("東京の会議室", "Garten 🌱", "Ünïcödé", "A", "The quarterly planning of the northern branch"),
    *("회의록", "🧑🏽‍🍳 Küche", "Notes", "Büro", "مكتب"),
    *("Library", "Čajovna", "Studio", "Archive", "Λόγος"),
    *("Old one", "Gone 表", "Removed", "Big", "With problems"),
)
DELETED = (15, 16, 17)
EPOCHS, BIG, ODD = 2, 18, 19
"""Places of the workspace with three epochs, the one of 30,000 rows, the one with problems."""

_TEXT = {"type": "text"}
SCHEMAS: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "notes": {
            "id": {"type": "id"},
            "title": {"type": "text", "name": "Title"},
            "body": {"type": "ytext", "nullable": True},
            "tags": {"type": "tags", "options": ["home", "work"], "nullable": True},
            "pinned": {"type": "boolean", "nullable": True},
        },
        "tasks": {
            "id": {"type": "id"},
            "title": _TEXT,
            "status": {"type": "select", "options": ["open", "done"], "nullable": True},
            "hours": {"type": "integer", "nullable": True},
        },
    },
    {
        "recipes": {
            "id": {"type": "id"},
            "title": _TEXT,
            "minutes": {"type": "integer", "nullable": True},
            "steps": {"type": "json", "nullable": True},
        }
    },
    {
        "clients": {"id": {"type": "id"}, "name": _TEXT, "since": {"type": "date"}},
        "invoices": {
            "id": {"type": "id"},
            "client": {"type": "text", "description": "Id in clients"},
            "total": {"type": "real"},
            "paid": {"type": "boolean"},
        },
    },
)


class Twenty(NamedTuple):
    """The folder, and the folders of its workspaces in the order of ``IDS``."""

    root: Path
    workspaces: tuple[Path, ...]


@pytest.fixture(scope="session")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Twenty:
    """The folder with all mirrors in step and indexed: to be read, not to be changed."""
    folder, _ = made_once(tmp_path_factory, "twenty", lambda folder: make_twenty(folder / "app"))
    return twenty_at(folder / "app")


@pytest.fixture(scope="session")
def small_twenty(tmp_path_factory: pytest.TempPathFactory) -> Twenty:
    """The same without the workspace that is big, and takes long."""
    folder, _ = made_once(
        tmp_path_factory, "small", lambda folder: make_twenty(folder / "app", has_big=False)
    )
    return twenty_at(folder / "app")


def make_twenty(root: Path, *, has_big: bool = True) -> None:
    """Write the folder and bring it in step."""
    write_twenty(root, has_big=has_big)
    sync("--fts", root)


def write_twenty(root: Path, *, has_big: bool = True) -> Twenty:
    """Write the folder as the app leaves it, without mirrors."""
    for number, workspace in enumerate(IDS):
        if number == BIG and not has_big:
            continue
        for epoch in range(3 if number == EPOCHS else 1):
            path = document_path(root, workspace, epoch)
            path.write_bytes(_document(number, epoch))
        head = {"name": NAMES[number], "icon": "📁" if number % 2 else None}
        epochs = {"1": 1.0} if number == EPOCHS else {"1": 0.0}
        _save(root / "workspaces" / workspace / "head.yjs", meta=head, epochs=epochs)
    listed = {workspace: n not in DELETED for n, workspace in enumerate(IDS)}
    _save(root / "registry.yjs", workspaces=listed)
    return twenty_at(root)


def twenty_at(root: Path) -> Twenty:
    """Name the workspaces of such a folder."""
    return Twenty(root, tuple(root / "workspaces" / workspace for workspace in IDS))


def rows_of(number: int, table: str) -> int:
    """Return how many rows a table of a workspace has."""
    if number == BIG and table == "notes":
        return BIG_ROWS
    return 3 if table in SCHEMAS[number % 3] else 0


def _document(number: int, epoch: int) -> bytes:
    doc: Doc[Any] = Doc(client_id=number * 10 + epoch + 1)
    tables, definition = doc.get("tables", type=Map), doc.get("definition", type=Map)
    with doc.transaction():
        definition["tables"] = {
            name: {"name": name.title(), "fields": fields}
            for name, fields in SCHEMAS[number % 3].items()
        }
        for name in SCHEMAS[number % 3]:
            tables[name] = Map()
            for row in range(rows_of(number, name)):
                tables[name][f"{name[0]}{row:05}"] = Map(_row(name, row, epoch))
        if number == ODD:
            tables["recipes" if "recipes" in tables else "notes"]["odd"] = Map(
                {"id": "odd", "title": "Odd", "minutes": "a while", "undeclared": {"x": 1.0}}
            )
    return doc.get_update()


def _row(table: str, row: int, epoch: int) -> dict[str, Any]:
    cells: dict[str, Any] = {"id": f"{table[0]}{row:05}"}
    if table == "notes":
        cells |= {"title": f"Note {row} of epoch {epoch}", "body": "paper bags", "tags": ["work"]}
        cells["pinned"] = row % 2 == 0
    elif table == "tasks":
        cells |= {"title": f"Task {row}", "status": "open", "hours": float(row)}
    elif table == "recipes":
        cells |= {"title": f"Soup {row}", "minutes": 20.0 + row, "steps": ["cut", "cook"]}
    elif table == "clients":
        cells |= {"name": f"Client {row}", "since": "2026-01-05T09:00:00.000Z|Europe/Dublin"}
    else:
        cells |= {"client": f"c{row:05}", "total": 100.5 * row, "paid": row == 0}
    return cells


def _save(path: Path, **roots: dict[str, Any]) -> None:
    doc: Doc[Any] = Doc(client_id=1)
    for name, entries in roots.items():
        doc[name] = Map({key: value for key, value in entries.items() if value is not None})
    path.write_bytes(doc.get_update())
