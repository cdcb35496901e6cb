"""Figures to Markdown: the table of section 10, and everything else that was measured."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.bench.figures import GOALS, Figure, Goal

BEGIN, END = "<!-- written by make bench -->", "<!-- end of what make bench writes -->"
_PARTS = (
    ("cold/", "Cold `sync`: whole processes from spawn to exit"),
    ("floor/", "The floor: one call of `apply_update`"),
    ("crowd/", "Many small documents, cold"),
    ("watch/", "A running `watch`: last write to published mirror, less the debounce"),
    ("start/", "Start"),
    ("imports/", "Imports (`-X importtime`)"),
    ("rest/", "Rest"),
    ("load/", "Load"),
    ("roads/", "Which road the saves of a scripted hour take (`scripts/bench/roads.py`)"),
    ("growth/", "Growth"),
)


def goals_table(figures: Iterable[Figure]) -> str:
    """Return the table of what was to be reached and what was."""
    by_name = {figure.name: figure for figure in figures}
    lines = ["| what | ours | beside | ratio | to be reached | |", "|---|--:|--:|--:|---|---|"]
    lines += [_goal(goal, by_name[goal.figure]) for goal in GOALS if goal.figure in by_name]
    return "\n".join(lines)


def _goal(goal: Goal, figure: Figure) -> str:
    verdict = "reached" if goal.is_reached(figure) else "**not reached**"
    return f"| {_cells(figure)} | {goal.text} | {verdict} |"


def full_tables(figures: Sequence[Figure]) -> str:
    """Return one table for each part of the bench."""
    parts: list[str] = []
    for prefix, title in _PARTS:
        chosen = [figure for figure in figures if figure.name.startswith(prefix)]
        if chosen:
            head = ["| what | ours | beside | ratio |", "|---|--:|--:|--:|"]
            rows = [f"| {_cells(figure)} |" for figure in chosen]
            if any(figure.spread for figure in chosen):
                head = [head[0] + " spread |", head[1] + "---|"]
                rows = [f"| {_cells(figure)} | {_spread(figure)} |" for figure in chosen]
            parts.append("\n".join([f"### {title}", "", *head, *rows]))
    return "\n\n".join(parts)


def update_page(page: Path, text: str) -> None:
    """Replace what the bench wrote into a page the last time; the rest is people's."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{page} has no {BEGIN} and {END}"
        raise ValueError(message)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def _cells(figure: Figure) -> str:
    other = "" if figure.other is None else f"{_value(figure.other, figure.unit)} {figure.against}"
    return f"{figure.what} | {_value(figure.ours, figure.unit)} | {other} | {_ratio(figure)}"


def _ratio(figure: Figure) -> str:
    if figure.ratio is None:
        return ""
    if figure.against == "peer" and figure.ratio:
        return beside_the_peer(figure.ratio, 2)
    return f"{figure.ratio:.3g}x"


def beside_the_peer(ratio: float, digits: int) -> str:
    """Return ours as a part of the peer's, in words."""
    return f"{1 / ratio:.{digits}f}x less" if ratio <= 1 else f"{ratio:.{digits}f}x more"


def _value(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "%":
        return f"{value:.1f} %"
    return f"{value:.0f} {unit}" if unit else f"{value:.3g}"


def _spread(figure: Figure) -> str:
    return ", ".join(f"{name} {_value(v, figure.unit)}" for name, v in figure.spread.items())
