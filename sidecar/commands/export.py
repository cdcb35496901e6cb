"""``export``: all mirrors in one SQLite file."""

import signal
import sys
from types import FrameType

from sidecar.commands import FAILED, OK
from sidecar.commands.answers import add_all, meant, mirrors_of, need_a_mirror, say_freshness
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.render import print_json, print_line
from sidecar.commands.terminal import complain, plural
from sidecar.errors import UsageError
from sidecar.readers.export import check_place, export
from sidecar.readers.guard import MOST_ATTACHED
from sidecar.settings import CHOICE

EXAMPLES = (
    "epicenter-sidecar export ~/.local/share/com.example.app --out all.sqlite",
    "epicenter-sidecar export . --all --out /tmp/all.sqlite",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``export`` takes."""
    add_paths(parser, CHOICE, places="a mirror, a document, or a folder of them")
    parser.add_argument("--out", metavar="FILE", required=True, help="the SQLite file to write")
    parser.add_argument("--json", action="store_true", help="one JSON value")
    add_all(parser)


def run(arguments: Arguments) -> int:
    """Write the file; 1 when a mirror could not be read.

    Raises:
        UsageError: Something else is at FILE, or there are too many mirrors.
        SidecarError: No mirror can be read, or the file cannot be written.
    """
    signal.signal(signal.SIGTERM, _end)
    out = check_place(arguments.out)
    settings = settings_of(arguments)
    found = meant(settings, every=arguments.all)
    need_a_mirror(settings, found)
    if len(found.targets) > MOST_ATTACHED:
        message = f"an export takes {MOST_ATTACHED} mirrors, and here are {len(found.targets)}"
        raise UsageError(f"{message}; name a workspace, or fewer PATHs")
    made = export(mirrors_of(found), out)
    for fault in made.faults:
        complain(fault)
    if arguments.json:
        print_json(made)
    else:
        rows = sum(made.tables.values())
        print_line(f"{plural(len(made.tables), 'table')}, {plural(rows, 'row')} in {made.out}")
        say_freshness(made.sources)
    return FAILED if made.faults or found.closed else OK


def _end(number: int, _frame: FrameType | None) -> None:
    """End on a signal as on an error, so that what was begun is cleared up."""
    sys.exit(128 + number)
