"""The data of the mirror in place, and whether it is valid."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import MirrorUnavailableError
from sidecar.mirror.header import is_mirror
from sidecar.mirror.state import MirrorOptions, change_counter, read_mirror, row_count
from tests.fault.test_meddling import statement
from tests.support.made import tables, update
from tests.unit.mirror.test_build import FACTS, build


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of three rows in two tables."""
    rows: dict[str, Any] = {"t": {"a": {"n": 1}, "b": {"n": 2}}, "u": {"a": {}}}
    return build(tmp_path / "tables.sqlite", update(tables=tables(**rows)))


def test_a_mirror_is_believed(mirror: Path) -> None:
    """Facts, digests by table, rows, the state vector, the indexes."""
    found = read_mirror(str(mirror))
    assert found.fault is None
    assert found.rows == 3
    assert list(found.digests) == ["t", "u"]
    assert FACTS.items() <= found.facts.items()
    assert (found.state_vector, found.options) == ({}, MirrorOptions())


def test_what_the_facts_say(mirror: Path) -> None:
    """The document's bytes, its writers and the indexes; None for missing entries."""
    found = read_mirror(str(mirror))
    assert (found.source_digest, found.source_bytes) == (None, 0)
    facts = {
        **FACTS,
        "source_digest": "abc",
        "source_bytes": "17",
        "state_vector": '{"5":7}',
        "options": '{"fts":["t.n"]}',
    }
    for key, value in facts.items():
        statement(f"INSERT OR REPLACE INTO _mirror VALUES ('{key}', '{value}')")(mirror)
    found = read_mirror(str(mirror))
    assert (found.source_digest, found.source_bytes) == ("abc", 17)
    assert (found.state_vector, found.options) == ({5: 7}, MirrorOptions(("t.n",)))
    assert found.fault == "damaged"


def beside(suffix: str) -> Callable[[Path], None]:
    """Return a function that leaves a file beside the mirror."""
    return lambda mirror: mirror.with_name(mirror.name + suffix).touch()


def byte(offset: int, value: int) -> Callable[[Path], None]:
    """Return a function that changes one byte of the header."""

    def change(mirror: Path) -> None:
        data = bytearray(mirror.read_bytes())
        data[offset] = value
        mirror.write_bytes(data)

    return change


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        (Path.unlink, "missing"),
        (lambda mirror: mirror.write_bytes(b""), "damaged"),
        (lambda mirror: mirror.write_bytes(b"x" * 5000), "damaged"),
        (lambda mirror: mirror.write_bytes(mirror.read_bytes()[:99]), "damaged"),
        (lambda mirror: mirror.write_bytes(mirror.read_bytes() + b"x"), "damaged"),
        (lambda mirror: mirror.write_bytes(mirror.read_bytes()[:-4096]), "damaged"),
        (byte(68, 0), "foreign"),
        (byte(63, 1), "format"),
        (byte(27, 2), "damaged"),
        (byte(18, 2), "damaged"),
        (byte(19, 2), "damaged"),
        (beside("-wal"), "damaged"),
        (beside("-journal"), "damaged"),
        (beside("-shm"), None),
        (beside(".tmp"), None),
        (lambda mirror: (mirror.unlink(), mirror.mkdir()), "foreign"),
        (lambda mirror: (mirror.unlink(), mirror.symlink_to(mirror)), "foreign"),
    ],
)
def test_why_a_mirror_must_be_rebuilt(
    mirror: Path, deed: Callable[[Path], object], fault: str | None
) -> None:
    """By its header and by files beside it (SQLite file format, 1.3)."""
    deed(mirror)
    assert read_mirror(str(mirror)).fault == fault


def test_a_damaged_mirror_still_tells_its_rows(mirror: Path) -> None:
    """The collapse guard needs them."""
    statement("CREATE TABLE theirs (a)")(mirror)
    found = read_mirror(str(mirror))
    assert (found.fault, found.rows, list(found.digests)) == ("damaged", 3, ["t", "u"])


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EMFILE, "busy"), (errno.ENFILE, "busy"), (errno.EIO, "denied")],
)
def test_a_mirror_that_cannot_be_read_now_is_not_called_damaged(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """Its rows are unknown, so it must not be replaced."""

    def refuse(_path: str) -> os.stat_result:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "lstat", refuse)
    with pytest.raises(MirrorUnavailableError) as caught:
        read_mirror(str(mirror))
    assert caught.value.code == code


def test_a_mirror_that_may_not_be_read_is_damaged(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can read it."""

    def refuse(_path: str) -> os.stat_result:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "lstat", refuse)
    assert read_mirror(str(mirror)).fault == "damaged"


def test_what_may_be_written_over(mirror: Path, tmp_path: Path) -> None:
    """Mirrors of any format, and nothing else."""
    assert is_mirror(str(mirror))
    statement("PRAGMA user_version = 99")(mirror)
    assert is_mirror(str(mirror))
    statement("PRAGMA application_id = 7")(mirror)
    assert not is_mirror(str(mirror))
    (tmp_path / "text").write_text("x" * 200)
    assert not is_mirror(str(tmp_path / "text"))
    assert not is_mirror(str(tmp_path / "missing"))
    assert not is_mirror(str(tmp_path))


def test_rows_are_counted_by_the_catalog(mirror: Path, tmp_path: Path) -> None:
    """None without a readable catalog."""
    assert row_count(str(mirror)) == 3
    assert row_count(str(tmp_path / "missing")) is None
    (tmp_path / "text").write_text("x" * 200)
    assert row_count(str(tmp_path / "text")) is None


def test_the_change_counter_counts_transactions(mirror: Path, tmp_path: Path) -> None:
    """One for the build; every other write adds to it."""
    assert change_counter(str(mirror)) == 1
    statement("CREATE TABLE theirs (a)")(mirror)
    assert change_counter(str(mirror)) == 2
    (tmp_path / "short").write_bytes(b"x")
    assert change_counter(str(tmp_path / "short")) == 0
    with pytest.raises(OSError, match="missing"):
        change_counter(str(tmp_path / "missing"))
