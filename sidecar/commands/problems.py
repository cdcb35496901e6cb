"""``problems``: what SQL cannot show as the document has it, in words, with what to do."""

from collections.abc import Mapping

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.answers import add_all, meant, need_a_mirror, say_freshness, sources_of
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.render import Styled, called, print_json, print_line, print_text
from sidecar.commands.terminal import complain, plural
from sidecar.commands.workspaces import Target
from sidecar.errors import MirrorDamagedError
from sidecar.readers.members import Queried
from sidecar.readers.problems import ProblemList, in_words, read_problems
from sidecar.reports import doc_fields
from sidecar.settings import CHOICE

EXAMPLES = (
    "epicenter-sidecar problems ~/.local/share/com.example.app",
    "epicenter-sidecar problems --workspace 'Juniper Studio' .",
    "epicenter-sidecar problems . --json | jq '.documents[].problems[]'",
)


class ProblemReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    documents: tuple[ProblemList, ...]
    sources: tuple[Queried, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``problems`` takes."""
    add_paths(parser, CHOICE, places="a mirror, a document, or a folder of them")
    parser.add_argument("--json", action="store_true", help="one JSON value")
    add_all(parser)


def run(arguments: Arguments) -> int:
    """Tell the problems of every mirror; 1 when there are some, or a mirror cannot be read.

    Raises:
        SidecarError: There are no documents.
    """
    settings = settings_of(arguments)
    found = meant(settings, every=arguments.all)
    need_a_mirror(settings, found)
    lists = [_problems(target) for target in found.targets]
    there = [one for one in lists if one is not None]
    sources = sources_of(found)
    if arguments.json:
        print_json(ProblemReport(tuple(there), sources))
    else:
        _print(there, {source.path: source.name for source in sources})
        say_freshness(sources)
    is_fine = len(there) == len(lists) and not found.closed
    return OK if is_fine and not any(one.problems for one in there) else FAILED


def _problems(target: Target) -> ProblemList | None:
    try:
        problems = read_problems(target.source.mirror)
    except MirrorDamagedError as error:
        complain(error.message)
        return None
    return ProblemList(**doc_fields(target.source), problems=problems)


def _print(lists: list[ProblemList], names: Mapping[str, str | None]) -> None:
    for one in lists:
        if one.problems:
            name = called(one, names.get(one.path))
            print_line(Styled(f"{name}: {plural(len(one.problems), 'problem')}", "bold"))
        for problem in one.problems:
            text, advice = in_words(problem)
            print_text(text, indent="  ")
            print_text(advice, indent="    ", style="dim")
    without = sum(not one.problems for one in lists)
    if without:
        print_line(f"{plural(without, 'document')} without problems")
