"""Output of the reading commands."""

import time

import pytest

from sidecar.commands.layout import TextColumn
from sidecar.commands.moments import moment_of
from sidecar.commands.progress import progress
from sidecar.commands.render import (
    Piece,
    Styled,
    age,
    name_of,
    print_json,
    print_line,
    print_table,
    size,
)
from sidecar.commands.terminal import plural
from sidecar.files import shown
from sidecar.reports import CellDifference, DocumentFields, cell_to_json

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (61_440, "61.4 kB"), (20_100_000, "20.1 MB")],
)
def test_sizes(count: int, text: str) -> None:
    """In units of a thousand, as in file managers."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5 * SECOND, "just now"),
        (50 * SECOND, "just now"),
        (90 * SECOND, "1 min ago"),
        (59 * MINUTE + 30, "59 min ago"),
        (5 * HOUR + 30, "5 h ago"),
        (49 * HOUR, "2 d ago"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    """In the largest unit that fits; a time in the future is "just now"."""
    assert age(round((time.time() - seconds) * 1000)) == text


def test_plurals() -> None:
    """One row, two rows."""
    assert (plural(1, "row"), plural(0, "row"), plural(2, "row")) == ("1 row", "0 rows", "2 rows")


@pytest.mark.parametrize(
    ("doc", "name"),
    [
        (DocumentFields(workspace="w", epoch=0, path="/p"), "w/0"),
        (DocumentFields(workspace="w", epoch=None, path="/p"), "w"),
        (DocumentFields(workspace=None, epoch=None, path="/p"), "/p"),
    ],
)
def test_names_of_documents(doc: DocumentFields, name: str) -> None:
    """Workspace and epoch if there are any, else the path."""
    assert name_of(doc) == name


def test_table_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned lines under their headers, escaped, without a trailing blank."""
    rows: list[tuple[Piece, Piece]] = [("a", "10"), (Styled("b\x1b[2J", "red"), "9"), ("", "")]
    left_out = print_table(("name", TextColumn("rows", is_number=True)), rows)
    assert left_out == ()
    assert capsys.readouterr().out == "name      rows\na           10\nb\\x1b[2J     9\n\n"


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Styles are omitted, and control characters are escaped."""
    print_line("plain ", Styled("bold\n\u202e", "bold"))
    assert capsys.readouterr().out == "plain bold\\n\\u202e\n"


def test_json_is_ascii_with_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    """It is safe for every encoding and terminal."""
    print_json(CellDifference("ü\x1b", {"$int": "1"}, None))
    assert capsys.readouterr().out == '{"v":1,"field":"\\u00fc\\u001b","a":{"$int":"1"},"b":null}\n'


def test_progress_is_nothing_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a byte on stderr."""
    with progress("Working", []) as bar:
        bar.step()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("cell", "json"),
    [
        (None, None),
        (1, 1),
        (1.5, 1.5),
        ("text", "text"),
        (b"\0\xff", {"$bytes": "AP8="}),
        (2**53, 2**53),
        (2**53 + 1, {"$int": "9007199254740993"}),
        (-(2**63), {"$int": "-9223372036854775808"}),
        (float("inf"), {"$real": "Infinity"}),
        (float("-inf"), {"$real": "-Infinity"}),
    ],
)
def test_cells_as_json(cell: object, json: object) -> None:
    """Values that JSON cannot hold are wrapped, without loss."""
    assert cell_to_json(cell) == json


def test_paths_that_are_no_utf8() -> None:
    """Their odd bytes become U+FFFD."""
    assert shown("/a/\udcff") == "/a/\ufffd"


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("a.yjs", ("a.yjs", None)),
        ("a.yjs@1768294800000", ("a.yjs", 1768294800000)),
        ("a@b.yjs", ("a@b.yjs", None)),
        ("a@1@2", ("a@1", 2)),
        ("@5", ("@5", None)),
        ("a@", ("a@", None)),
        ("a@-5", ("a@-5", None)),
    ],
)
def test_moments_in_arguments(argument: str, parts: tuple[str, int | None]) -> None:
    """DOC@UNIX_MS, and nothing else."""
    assert moment_of(argument) == parts


def test_a_long_header_over_numbers_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers are not, and the line fits."""
    number = TextColumn("count(*) FILTER (WHERE something IS NOT NULL)", is_number=True)
    print_table((number, "b"), [("1234567890", "x")])
    header, row = capsys.readouterr().out.splitlines()
    assert header == "count(*) FILTER (WH…  b"
    assert row == "          1234567890  x"
