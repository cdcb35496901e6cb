"""Parsing of moments."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.commands.moments import moment_of, unix_ms

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW_MS = 1769860800000
DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1768294800000", 1768294800000),
        ("0", 0),
        ("2026-01-31T12:00:00Z", NOW_MS),
        ("2026-01-31T13:00+01:00", NOW_MS),
        ("20260131T120000.5Z", NOW_MS + 500),
        ("yesterday", NOW_MS - DAY_MS),
        ("Yesterday", NOW_MS - DAY_MS),
        ("now", NOW_MS),
    ],
)
def test_moments(text: str, at: int) -> None:
    """Numbers are Unix milliseconds, the rest is ISO 8601 with a zone, or a word."""
    assert unix_ms(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "after_ms"), [("2026-01-30T00:00", 0), ("2026-01-30", DAY_MS - 1)]
)
def test_without_a_zone_it_is_local_time(text: str, after_ms: int) -> None:
    """And a day alone means its end: all of its snapshots count."""
    midnight = datetime(2026, 1, 30).astimezone()
    assert unix_ms(text) == round(midnight.timestamp() * 1000) + after_ms


@pytest.mark.parametrize("text", ["", "soon", "-5", "2026-13-01", "1" * 16, "9999-12-31T23:59:60"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """The error names the valid forms."""
    with pytest.raises(ArgumentTypeError, match="yesterday"):
        unix_ms(text)


def test_a_document_that_exists_with_a_moment_that_does_not(tmp_path: Path) -> None:
    """The error is about the moment; an existing path with an @ is a path."""
    path = tmp_path / "a"
    path.touch()
    with pytest.raises(ArgumentTypeError):
        moment_of(f"{path}@tomorow")
    (tmp_path / "a@tomorow").touch()
    assert moment_of(f"{path}@tomorow") == (f"{path}@tomorow", None)
    assert moment_of(f"{path}@2026-01-31T12:00:00Z") == (str(path), NOW_MS)
