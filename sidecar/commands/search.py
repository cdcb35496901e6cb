"""``search``: rows by their words, over all mirrors that have a full-text index."""

import os
from collections import Counter
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.answers import add_all, meant, say_freshness, sources_of
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.layout import LONGEST_ID, shorten, width_of
from sidecar.commands.render import Piece, Styled, print_json, print_line, short_name_of
from sidecar.commands.targets import command_line
from sidecar.commands.terminal import complain, escape, folding_width, plural
from sidecar.errors import MirrorDamagedError, UsageError
from sidecar.files import shown
from sidecar.mirror.search import Match, indexes, search
from sidecar.mirror.words import Words, literal
from sidecar.model import Source
from sidecar.readers.members import Queried
from sidecar.reports import DocumentFields, Hit, doc_fields
from sidecar.settings import CHOICE, Settings

EXAMPLES = (
    "epicenter-sidecar search ~/.local/share/com.example.app paper bags",
    "epicenter-sidecar search --identifier com.example.app paper bags --limit 5",
    "epicenter-sidecar search . --fts-syntax 'paper OR bag*' --json",
)

_ELSEWHERE = ("SIDECAR_ROOT", "SIDECAR_IDENTIFIER")
_LIMIT = 50
_MOST_NAMED = 5
_LONGEST_NAME = 24


class SearchReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints; ``unindexed`` are the mirrors that could not be searched."""

    query: str
    truncated: bool
    hits: tuple[Hit, ...]
    unindexed: tuple[DocumentFields, ...]
    sources: tuple[Queried, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``search`` takes."""
    parser.usage = "epicenter-sidecar search PATH WORDS [options]"
    parser.epilog = (
        "The words are taken as they are, and a row must hold all of them. PATH is left"
        f"\nout where --identifier or SIDECAR_ROOT says where.\n\n{parser.epilog}"
    )
    add_paths(
        parser, CHOICE, metavar="PATH WORDS", places="where the mirrors are, or one; what to find"
    )
    parser.add_argument(
        "--fts-syntax", action="store_true", help="take the words as a query of SQLite's FTS5"
    )
    parser.add_argument(
        "--limit", type=counted, default=_LIMIT, metavar="N", help=f"show at most N rows ({_LIMIT})"
    )
    parser.add_argument("--json", action="store_true", help="one JSON value")
    add_all(parser)


def run(arguments: Arguments) -> int:
    """Search; 1 when no row holds the words, or nothing is indexed."""
    arguments.paths, text = _part(arguments)
    settings = settings_of(arguments)
    words = Words(syntax=text) if arguments.fts_syntax else literal(text)
    found = meant(settings, every=arguments.all)
    mirrors, unindexed = _parted([target.source for target in found.targets])
    hits = sorted(_hits(mirrors, words, arguments.limit + 1), key=_order)
    is_cut = len(hits) > arguments.limit
    docs = tuple(DocumentFields(**doc_fields(source)) for source in unindexed)
    sources = sources_of(found)
    answer = SearchReport(text, is_cut, tuple(hits[: arguments.limit]), docs, sources)
    if arguments.json:
        print_json(answer)
    elif mirrors:
        _print(answer)
        say_freshness(sources)
    if unindexed:
        _say_unindexed(unindexed, settings, is_nothing=not mirrors)
    return OK if hits and not found.closed else FAILED


def _parted(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """Part mirrors that can be searched from the others."""
    can = [source for source in sources if _has_index(source)]
    return can, [source for source in sources if source not in can]


def _say_unindexed(unindexed: Sequence[Source], settings: Settings, *, is_nothing: bool) -> None:
    """Name the mirrors that were not searched, and how to have them indexed."""
    advice = f"build it with: {command_line('sync --fts', settings)}"
    if is_nothing:
        complain(f"nothing is indexed here; {advice}")
        return
    names = [short_name_of(DocumentFields(**doc_fields(source))) for source in unindexed]
    more = len(names) - _MOST_NAMED
    named = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    complain(f"{plural(len(names), 'mirror')} without an index, not searched: {named}; {advice}")


def _part(arguments: Arguments) -> tuple[list[str], str]:
    """Part the path from the words.

    Raises:
        UsageError: There are no words.
    """
    words: list[str] = arguments.paths
    named = [name for name in _ELSEWHERE if os.environ.get(name)]
    is_elsewhere = arguments.identifier or (named and words and not os.path.exists(words[0]))
    paths = [] if is_elsewhere else words[:1]
    text = " ".join(words[len(paths) :])
    if not text.strip():
        message = "which words? For example: epicenter-sidecar search PATH paper bags"
        raise UsageError(message)
    return paths, text


def _has_index(source: Source) -> bool:
    try:
        return bool(indexes(source.mirror))
    except MirrorDamagedError as error:
        if os.path.lexists(source.mirror):
            complain(error.message)
        return False


def _hits(mirrors: Sequence[Source], words: Words, most: int) -> list[Hit]:
    """Search all mirrors.

    Raises:
        UsageError: None of them takes the query.
    """
    found: list[Hit] = []
    refused: list[UsageError] = []
    for source in mirrors:
        try:
            found += [_hit(source, one) for one in search(source.mirror, words, most)]
        except UsageError as error:
            refused.append(error)
    if refused and len(refused) == len(mirrors):
        raise refused[0]
    return found


def _hit(source: Source, found: Match) -> Hit:
    return Hit(**doc_fields(source), mirror=shown(source.mirror), **msgspec.structs.asdict(found))


def _order(hit: Hit) -> tuple[float, str, str, str]:
    return hit.rank, hit.path, hit.table, hit.id


def _print(answer: SearchReport) -> None:
    names = Counter(source.name for source in answer.sources)
    once = {one.path: one.name for one in answer.sources if names[one.name] == 1}
    for hit in answer.hits:
        workspace = shorten(once.get(hit.path) or short_name_of(hit), _LONGEST_NAME)
        row = shorten(hit.id, LONGEST_ID, in_middle=True)
        place = f"{workspace}  {hit.table}.{hit.column}  {row}  "
        if _fits(place + hit.snippet):
            print_line(Styled(place, "dim"), *_marked(hit))
        else:
            print_line(Styled(place.rstrip(), "dim"))
            print_line("    ", *_marked(hit))
    if not answer.hits:
        print_line(f"no row holds {answer.query}")
    elif answer.truncated:
        print_line(f"the best {plural(len(answer.hits), 'row')}; --limit shows more")


def _fits(line: str) -> bool:
    width = folding_width()
    return width is None or width_of(escape(line)) <= width


def _marked(hit: Hit) -> list[Piece]:
    """Part a snippet at its hits, which stand out in colour."""
    pieces: list[Piece] = []
    at = 0
    for start, end in hit.marks:
        pieces += [hit.snippet[at:start], Styled(hit.snippet[start:end], "bold magenta")]
        at = end
    return [*pieces, hit.snippet[at:]]
