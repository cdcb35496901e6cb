"""How the demo looks: steps, events and SQL results, with colour in a terminal and without."""

import io
import sys
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.children import Message

WIDEST = 96
INDENT = "   "
STYLES = {"rebuilt": "green", "unchanged": "yellow", "failed": "bold red"}


class Answer(NamedTuple):
    """The result of a query."""

    names: list[str]
    rows: list[tuple[object, ...]]


class Screen:
    """Prints the demo's parts, at most ``WIDEST`` columns wide."""

    def __init__(self) -> None:
        """Write to stdout; what its encoding lacks becomes a question mark."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        self._console = Console(highlight=False)
        self._console.width = min(self._console.width, WIDEST) - len(INDENT)

    def title(self, text: str) -> None:
        """Print a headline."""
        self._print(Text(text, "bold"), indent="")

    def step(self, number: int, title: str, story: str) -> None:
        """Begin a step: its title and what is about to happen."""
        self._print(Text(f"\n{number}  {title}", "bold cyan"), indent="")
        self.say(story)

    def say(self, text: str, style: str = "") -> None:
        """Print a line of the story."""
        self._print(Text(text, style))

    def event(self, event: Message) -> None:
        """Print one event of the program."""
        line = Text("> ", "dim")
        line.append(f"{event['type']:<11}", STYLES.get(event["type"], "blue"))
        if event.get("workspace") is not None:
            line.append(f"{event['workspace']}/{event['epoch']}  ", "bold")
        line.append(_detail(event), "default")
        self._print(line)

    def result(self, sql: str, answer: Answer, before: Answer | None = None) -> None:
        """Print a query and its result, beside an earlier result if there is one."""
        self._print(Text(f"\nsql> {sql}", "dim"))
        if before is None:
            self._print(_table(answer))
            return
        pair = Table.grid(padding=(0, 4))
        pair.add_row(_table(before, title="before"), _table(answer, before, title="after"))
        self._print(pair)

    def end(self, text: str, *, good: bool) -> None:
        """Print how the demo ended."""
        self._print(Text(f"\n{text}", "bold green" if good else "bold red"), indent="")

    def _print(self, shown: Text | Table, indent: str = INDENT) -> None:
        """Print with an indent, and without the blanks that tables are filled up with."""
        with self._console.capture() as capture:
            self._console.print(shown)
        for line in capture.get().splitlines():
            print((indent + line).rstrip(), flush=True)


def _detail(event: Message) -> str:
    """Return what matters in one event."""
    match event["type"]:
        case "started":
            return f"pid {event['pid']}, version {event['version']}"
        case "ready":
            return f"{event['documents']} documents, {event['rebuilt']} rebuilt"
        case "rebuilt":
            problems = f", problems: {event['problems']}" if event["problems"] else ""
            return f"{event['ms']:2} ms  {', '.join(event['changed'])}{problems}"
        case "unchanged":
            return f"equal {event['reason']}"
        case "failed":
            return f"{event['code']}: {event['message']}"
        case _:
            return str(event.get("reason", ""))


def _table(answer: Answer, before: Answer | None = None, title: str | None = None) -> Table:
    """Return a result as a table; rows that were not there before are marked."""
    table = Table(title=title, title_justify="left", title_style="italic", box=None, pad_edge=False)
    for column, name in enumerate(answer.names):
        numbers = all(isinstance(row[column], (int, float)) for row in answer.rows)
        table.add_column(
            name, justify="right" if numbers else "left", header_style="underline", overflow="fold"
        )
    if before is not None:
        table.add_column("")
    for row in answer.rows:
        fresh = before is not None and row not in before.rows
        cells = [Text("NULL", "dim") if cell is None else Text(str(cell)) for cell in row]
        mark = [] if before is None else [Text("<-" if fresh else "")]
        table.add_row(*cells, *mark, style="bold green" if fresh else None)
    return table
