"""``search``: rows by their words, over all mirrors that have a full-text index."""

import os
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.render import Piece, Styled, name_of, print_json, print_line
from sidecar.commands.targets import mirrors_of
from sidecar.commands.terminal import complain, plural
from sidecar.errors import MirrorDamagedError, UsageError
from sidecar.files import shown
from sidecar.mirror.search import Match, indexes, literal, search
from sidecar.model import Source
from sidecar.reports import Hit, doc_fields
from sidecar.settings import CHOICE

EXAMPLES = (
    "epicenter-sidecar search ~/.local/share/com.example.app paper bags",
    "epicenter-sidecar search --identifier com.example.app paper bags --limit 5",
    "epicenter-sidecar search . --fts-syntax 'paper OR bag*' --json",
)

_ELSEWHERE = ("SIDECAR_ROOT", "SIDECAR_IDENTIFIER")
_LIMIT = 50


class SearchReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    query: str
    truncated: bool
    hits: tuple[Hit, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``search`` takes."""
    parser.usage = "epicenter-sidecar search PATH WORDS [options]"
    parser.epilog = (
        "The words are taken as they are, and a row must hold all of them. PATH is left out"
        f"\nwhere --identifier or SIDECAR_ROOT says where.\n\n{parser.epilog}"
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


def run(arguments: Arguments) -> int:
    """Search; 1 when no row holds the words, or nothing is indexed."""
    arguments.paths, words = _part(arguments)
    settings = settings_of(arguments)
    query = words if arguments.fts_syntax else literal(words)
    mirrors = [source for source in mirrors_of(settings) if _has_index(source)]
    hits = sorted(_hits(mirrors, query, arguments.limit + 1), key=_order)
    answer = SearchReport(words, len(hits) > arguments.limit, tuple(hits[: arguments.limit]))
    if arguments.json:
        print_json(answer)
    elif mirrors:
        _print(answer)
    if not mirrors:
        paths = " ".join(map(shown, settings.roots))
        complain(f"nothing is indexed here; build it with: epicenter-sidecar sync --fts {paths}")
    return OK if hits else FAILED


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


def _hits(mirrors: Sequence[Source], query: str, most: int) -> list[Hit]:
    """Search all mirrors.

    Raises:
        UsageError: None of them takes the query.
    """
    found: list[Hit] = []
    refused: list[UsageError] = []
    for source in mirrors:
        try:
            found += [_hit(source, one) for one in search(source.mirror, query, most)]
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
    for hit in answer.hits:
        place = f"{name_of(hit)}  {hit.table}.{hit.column}  {hit.id}  "
        print_line(Styled(place, "dim"), *_marked(hit))
    if not answer.hits:
        print_line(f"no row holds {answer.query}")
    elif answer.truncated:
        print_line(f"the best {plural(len(answer.hits), 'row')}; --limit shows more")


def _marked(hit: Hit) -> list[Piece]:
    """Part a snippet at its hits, which stand out in colour."""
    pieces: list[Piece] = []
    at = 0
    for start, end in hit.marks:
        pieces += [hit.snippet[at:start], Styled(hit.snippet[start:end], "bold yellow")]
        at = end
    return [*pieces, hit.snippet[at:]]
