"""What the bench writes into docs: the page's own text stays, the chart is whole."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scripts.bench.chart import draw
from scripts.bench.documents import GROWTH
from scripts.bench.figures import Figure
from scripts.bench.report import BEGIN, END, full_tables, goals_table, update_page

CPU = Figure(
    "cold/rows_1k/cpu", "1,000 rows: CPU", "s", 0.1, 3, against="peer", other=0.3, ratio=1 / 3
)


def test_page_keeps_what_people_wrote(tmp_path: Path) -> None:
    """Only what stands between the two marks is replaced, as often as the bench runs."""
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for text in ("first", "second"):
        update_page(page, text)
    assert page.read_text() == f"before\n{BEGIN}\n\nsecond\n\n{END}\nafter\n"


def test_page_without_marks_is_refused(tmp_path: Path) -> None:
    """A page that has lost its marks is not written over."""
    page = tmp_path / "performance.md"
    page.write_text("all by hand\n")
    with pytest.raises(ValueError, match="has no"):
        update_page(page, "figures")
    assert page.read_text() == "all by hand\n"


def test_goals_say_whether_they_are_reached() -> None:
    """Three times less is enough where two and a half were asked for."""
    table = goals_table([CPU])
    assert "| 100 ms | 300 ms peer | 3.00x less |" in table
    assert table.endswith("| reached |")


def test_every_figure_is_in_a_table() -> None:
    """The tables show what was measured, goal or not."""
    other = Figure("watch/kv", "a kv edit", "s", 1.5, 50, "floor", 1.0, 1.5, {"p90": 2.0})
    tables = full_tables([CPU, other])
    assert "1,000 rows: CPU" in tables
    assert "| a kv edit | 1.50 s | 1.00 s floor | 1.5x | p90 2.00 s |" in tables


def test_chart_is_well_formed() -> None:
    """The chart parses as XML, with a bar for each document and a line for each contender."""
    figures = [
        Figure(f"cold/{shape.name}/{kind}", "", "s", shape.rows / 1e4, 1, against, 1.0, 0.5)
        for shape in GROWTH
        for kind, against in (("cpu", "peer"), ("floor", "floor"))
    ]
    root = ET.fromstring(draw(figures))  # noqa: S314 - our own text
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert names.count("polyline") == 3
    assert names.count("rect") == 1 + 2 * len(GROWTH)
