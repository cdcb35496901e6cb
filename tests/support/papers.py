"""The code blocks of a page in docs/, so that what is shown is what runs."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One code block: its language, "" for none, its text, and the block that follows it."""

    language: str
    text: str
    next_text: str


def blocks_of(page: str, language: str) -> list[Block]:
    """Return the code blocks of a page that are in one language, in their order."""
    found = _BLOCK.findall((DOCS / page).read_text("utf-8"))
    following = [text if not kind else "" for kind, text in found[1:]] + [""]
    return [
        Block(kind, text, after)
        for (kind, text), after in zip(found, following, strict=True)
        if kind == language
    ]
