"""Figures to one SVG chart: CPU beside the peer for each document, and growth with rows."""

import math
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from scripts.bench.documents import GROWTH, OTHERS, Shape
from scripts.bench.figures import Figure
from scripts.bench.report import beside_the_peer

_WIDTH, _BAR, _GAP, _LEFT = 760, 14, 12, 230
_PLOT = 300
_COLORS = {"ours": "#2a7f62", "peer": "#c9732b", "floor": "#7a7f87"}
_OF_EDITS = {"cold": "#c9732b", "floor": "#7a7f87", "warm": "#2a7f62"}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.axis{stroke:#bbb}.back{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#555}.back{fill:#111}}"
)


def draw(figures: Iterable[Figure]) -> str:
    """Return the chart as SVG."""
    by_name = {figure.name: figure for figure in figures}
    bars, height = _bars(by_name)
    lines = _lines(by_name, height + 50)
    body = "\n".join([*bars, *lines])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height + _PLOT + 100}" '
        f'role="img" aria-label="CPU seconds of ours, the Node peer and the bare decoder">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def draw_edits(figures: Iterable[Figure]) -> str:
    """Return the chart of what one edited cell costs, against the rows of its document, as SVG."""
    by_name = {figure.name: figure for figure in figures}
    series = {name: _edit_series(by_name, name) for name in _OF_EDITS}
    body = "\n".join(_plot(series, 50, "One edited cell: CPU seconds against rows"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_PLOT + 100}" '
        f'role="img" aria-label="CPU seconds of one edit: cold, warm, and the bare decoder">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


_SUFFIXES = {"rows_1k": "_1k", "rows_10k": "_10k", "rows_100k": ""}


def _edit_series(figures: dict[str, Figure], name: str) -> list[tuple[int, float]]:
    line: list[tuple[int, float]] = []
    for shape in GROWTH:
        figure = figures.get(f"cold/{shape.name}/cpu")
        if name != "cold":
            figure = figures.get(f"watch/one_cell{_SUFFIXES.get(shape.name, '?')}/cpu")
        value = None if figure is None else figure.other if name == "floor" else figure.ours
        if value:
            line.append((shape.rows, value))
    return line


def _bars(figures: dict[str, Figure]) -> tuple[list[str], int]:
    """Draw for each document our CPU as a part of the peer's."""
    found = [_text(16, 22, "Cold sync, CPU of the whole process: ours green, the peer's orange")]
    y, scale = 40, _WIDTH - _LEFT - 70
    for shape in (*GROWTH, *OTHERS):
        figure = figures.get(f"cold/{shape.name}/cpu")
        if figure is None or figure.ratio is None or not figure.other:
            continue
        found.append(_text(16, y + _BAR, shape.what))
        found.append(_rect(_LEFT, y, scale, _COLORS["peer"]))
        found.append(_rect(_LEFT, y + _BAR // 2, scale * figure.ratio, _COLORS["ours"]))
        found.append(_text(_LEFT + scale + 8, y + _BAR, beside_the_peer(figure.ratio, 1)))
        y += _BAR + _GAP
    return found, y


def _lines(figures: dict[str, Figure], top: int) -> list[str]:
    """Draw CPU seconds of cold syncs against rows."""
    series = {name: _series(figures, name) for name in _COLORS}
    return _plot(series, top, "Growth: CPU seconds against rows, both axes logarithmic")


def _plot(series: dict[str, list[tuple[int, float]]], top: int, title: str) -> list[str]:
    """Draw seconds against rows, both logarithmic."""
    seconds = [value for line in series.values() for _, value in line]
    if len(seconds) < 2 * len(series):
        return []
    low, high = math.log10(min(seconds)), math.log10(max(seconds))
    rows = [rows for line in series.values() for rows, _ in line]
    first, last = math.log10(min(rows)), math.log10(max(rows))

    def place(rows: float, value: float) -> tuple[float, float]:
        x = 60 + (math.log10(rows) - first) / (last - first) * (_WIDTH - 180)
        return x, top + _PLOT - (math.log10(value) - low) / (high - low) * (_PLOT - 20)

    found = [_text(16, top - 18, title)]
    for number in sorted(set(rows)):
        x, _ = place(number, 10**low)
        found.append(_text(x - 20, top + _PLOT + 22, f"{number:,}"))
        found.append(f'<path class="axis" d="M{x:.0f} {top}V{top + _PLOT}"/>')
    for name, line in series.items():
        found += _line(name, [(*place(rows, value), value) for rows, value in line])
    return found


def _series(figures: dict[str, Figure], name: str) -> list[tuple[int, float]]:
    line: list[tuple[int, float]] = []
    for shape in GROWTH:
        value = _cpu_s(figures, shape, name)
        if value:
            line.append((shape.rows, value))
    return line


def _cpu_s(figures: dict[str, Figure], shape: Shape, name: str) -> float | None:
    figure = figures.get(f"cold/{shape.name}/{'floor' if name == 'floor' else 'cpu'}")
    if figure is None:
        return None
    return figure.ours if name == "ours" else figure.other


def _line(name: str, points: Sequence[tuple[float, float, float]]) -> list[str]:
    color = (_COLORS | _OF_EDITS)[name]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    found = [f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>']
    found += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y, _ in points]
    x, y, value = points[-1]
    return [*found, _text(x + 8, y + 4, f"{name} {value:.2g} s")]


def _rect(x: float, y: float, width: float, color: str) -> str:
    height = _BAR // 2
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.1f}" height="{height}" fill="{color}"/>'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
