"""Problems in words."""

import re

import pytest

from sidecar.readers.problems import ProblemLine, in_words
from tests.support.data import PROJECT


@pytest.mark.parametrize(
    ("line", "text", "advice"),
    [
        (
            ProblemLine("notes", "minutes", "kind", 2, "n1", "'x'"),
            "notes.minutes holds another kind of value than is declared (2 rows, first n1): 'x'",
            "correct it in the app, or cast in SQL",
        ),
        (
            ProblemLine(None, None, "waiting", 0, None, "client 7 from 3"),
            "the document builds on an update that is not there: client 7 from 3",
            "let the app sync; the rest is shown",
        ),
        (
            ProblemLine("t", None, "not_a_row", 1, "r", None),
            "t is no map, so it has no columns (1 row, first r)",
            "read it in _extra",
        ),
        (
            ProblemLine(None, "f", "later", 0, None, None),
            "field f has a problem of kind later",
            "nothing to do: all of it is there",
        ),
    ],
)
def test_words(line: ProblemLine, text: str, advice: str) -> None:
    """The problem, its place, the number of rows, and what to do."""
    assert in_words(line) == (text, advice)


def test_every_kind_has_its_words() -> None:
    """Those that the page on the format lists."""
    page = (PROJECT / "docs" / "format.md").read_text("utf-8")
    (section,) = re.findall(r"^## Problems\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    kinds = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert len(kinds) > 10
    for kind in kinds:
        text, _ = in_words(ProblemLine("t", None, kind, 0, None, None))
        assert "problem of kind" not in text, kind
