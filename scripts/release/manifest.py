"""What is in a bundle: each file with its SHA-256, and the oldest glibc that its programs admit.

``NAME-lib/bundle.json``. The npm package's ``install`` checks a bundle against it, and knows by it
later what it has written into an app.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from sidecar import __version__

MANIFEST = "bundle.json"

_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")


def write_manifest(folder: Path, name: str, target: str) -> None:
    """Write the manifest of a bundle that is laid out in ``folder``, into its library."""
    library = folder / f"{name}-lib"
    manifest = library / MANIFEST
    manifest.unlink(missing_ok=True)
    launchers = sorted((folder / "binaries").glob(f"{name}-{target}*"))
    files = sorted(path for path in library.rglob("*") if path.is_file())
    content: dict[str, Any] = {
        "name": name,
        "version": __version__,
        "target": target,
        "glibc": oldest_glibc(files) if "linux-gnu" in target else None,
        "files": {
            path.relative_to(folder).as_posix(): {
                "sha256": sha256_of(path),
                "executable": path in launchers or (path.suffix == "" and os.access(path, os.X_OK)),
            }
            for path in [*launchers, *files]
        },
    }
    manifest.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def oldest_glibc(files: list[Path]) -> str | None:
    """Return the newest version of glibc that any of the files asks for, None where none does."""
    minor = max((_newest_minor(path) for path in files), default=0)
    return f"2.{minor}" if minor else None


def need_newer_glibc(files: list[Path], promised: str) -> list[tuple[Path, str]]:
    """Return the files that do not run on the promised glibc, each with the version it needs."""
    limit = int(promised.removeprefix("2."))
    minors = [(path, _newest_minor(path)) for path in files]
    return [(path, f"2.{minor}") for path, minor in minors if minor > limit]


def _newest_minor(path: Path) -> int:
    return max(map(int, _GLIBC.findall(path.read_bytes())), default=0)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
