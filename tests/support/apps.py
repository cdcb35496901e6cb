"""Lays out app data folders as the host application does."""

import shutil
from pathlib import Path


def document_path(root: Path, workspace: str = "w1", epoch: int = 0) -> Path:
    """Make an epoch folder and return where its document goes."""
    folder = root / "workspaces" / workspace / str(epoch)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "workspace.yjs"


def place(document: Path, root: Path, workspace: str = "w1", epoch: int = 0) -> Path:
    """Copy a document into its place in an app data folder; return the copy."""
    return Path(shutil.copyfile(document, document_path(root, workspace, epoch)))


def place_by_name(document: Path, root: Path) -> Path:
    """Copy a document into a workspace of its own name; return where its mirror will stand.

    Keyed arrays belong to later apps, which have no folder for the epoch.
    """
    name = document.stem
    is_later = name.startswith("keyed_") and name != "keyed_beside_maps"
    folder = root / "workspaces" / name / ("" if is_later else "0")
    folder.mkdir(parents=True)
    return mirror_of(Path(shutil.copyfile(document, folder / "workspace.yjs")))


def mirror_of(document: Path) -> Path:
    """Return where the mirror of a document stands."""
    return document.with_name("tables.sqlite")


def unfinished(mirror: Path) -> list[Path]:
    """Return the files in which a mirror is being built, or was when its process was killed."""
    return list(mirror.parent.glob(f".{mirror.name}.*.tmp"))


def leftovers(root: Path) -> list[str]:
    """Return the files in epoch folders that neither the host nor a finished sync leaves there."""
    known = {"workspace.yjs", "tables.sqlite"}
    found = (path for path in root.glob("workspaces/*/*/*") if path.name not in known)
    return sorted(str(path.relative_to(root)) for path in found)
