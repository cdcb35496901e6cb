"""Draws docs/demo.svg from the demo's output in the README, which a test keeps true.

Run by hand after the demo's words have changed: ``python -m scripts.demo.picture``.
"""

import re
from html import escape
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
README, PICTURE = PROJECT / "README.md", PROJECT / "docs" / "demo.svg"

_LINE, _COLUMN, _MARGIN, _BAR = 18, 8.4, 18, 30
_ROOM = 32
"""For the longest line where a program that draws it knows no textLength."""
_INKS = (
    (re.compile(r"\d  \S"), "#ffd866", "bold"),
    (re.compile(r"\s+\$ "), "#a9dc76", "normal"),
    (re.compile(r"\s+> "), "#78dce8", "normal"),
    (re.compile(r"\s+(sql>|FROM|JOIN) "), "#ab9df2", "normal"),
    (re.compile(r"epicenter-sidecar|All as"), "#ffffff", "bold"),
)
_PLAIN = ("#d8d8d8", "normal")


def main() -> None:
    """Draw the picture anew."""
    text = README.read_text(encoding="utf-8")
    shown = text.split("<!-- demo -->\n```\n")[1].split("\n```\n<!-- /demo -->")[0]
    PICTURE.write_text(draw(shown.splitlines()), encoding="utf-8")


def draw(lines: list[str]) -> str:
    """Return an SVG of a terminal that shows these lines."""
    width = round(max(map(len, lines)) * _COLUMN + 2 * _MARGIN + _ROOM)
    height = len(lines) * _LINE + _BAR + _MARGIN
    texts = [_text(line, _BAR + _LINE * (n + 1) - 4) for n, line in enumerate(lines) if line]
    lights = [
        f'<circle cx="{18 + 18 * n}" cy="15" r="5.5" fill="{color}"/>'
        for n, color in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"',
        ' role="img" aria-label="The demo in a terminal"',
        ' font-family="Consolas, Menlo, monospace" font-size="14">',
        f'<rect width="{width}" height="{height}" rx="9" fill="#22232a"/>',
        *lights,
        *texts,
        "</svg>\n",
    ])  # fmt: skip


def _text(line: str, y: int) -> str:
    ink, weight = next((tuple_[1:] for tuple_ in _INKS if tuple_[0].match(line)), _PLAIN)
    length = round(len(line) * _COLUMN)
    return (
        f'<text x="{_MARGIN}" y="{y}" fill="{ink}" font-weight="{weight}" textLength="{length}" '
        f'xml:space="preserve">{escape(line)}</text>'
    )


if __name__ == "__main__":
    main()
