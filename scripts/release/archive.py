"""Archives that are equal byte for byte when their files are, and the checksums of a release."""

import gzip
import os
import subprocess
import tarfile
from pathlib import Path

from scripts.release.manifest import sha256_of

PROJECT = Path(__file__).resolve().parents[2]
SUMS = "SHA256SUMS"


def pack(folder: Path, archive: Path, moment: int) -> None:
    """Write a folder and all in it as ``.tar.gz``, under its own name, of one owner and moment."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in paths:
            entry = tar.gettarinfo(path, arcname=path.relative_to(folder.parent).as_posix())
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = moment
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)


def write_sums(folder: Path) -> Path:
    """Write SHA256SUMS of all other files in a folder, as ``sha256sum --check`` reads it."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    sums = folder / SUMS
    text = "".join(f"{sha256_of(path)}  {path.name}\n" for path in paths)
    sums.write_text(text, "utf-8", newline="\n")
    return sums


def moment_of_release() -> int:
    """Return SOURCE_DATE_EPOCH, else the time of the last commit, else 1980."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    asked = ["git", "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    except OSError:
        return _EARLIEST
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else _EARLIEST


_EARLIEST = 315_532_800
"""Zip files know no earlier year."""
